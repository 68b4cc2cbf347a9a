import escapeHtml from 'escape-html'
import { fingerprint } from '../cli/format.ts'

/** Markup that is safe in a page. Only this file makes it. */
export class Html {
  readonly markup: string

  constructor(markup: string) {
    this.markup = markup
  }
}

export type Content = Html | string | number | false | undefined | readonly Content[]

/** A template whose values are escaped, unless they are Html themselves; lists are joined, `false` and `undefined` are nothing. */
export const html = (parts: TemplateStringsArray, ...values: readonly Content[]): Html =>
  new Html(String.raw({ raw: parts }, ...values.map(markupOf)))

function markupOf(content: Content): string {
  if (content instanceof Html) return content.markup
  if (content === undefined || content === false) return ''
  if (typeof content === 'string') return escapeHtml(content)
  if (typeof content === 'number') return String(content)
  return content.map(markupOf).join('')
}

/** Characters that are invisible, reorder the text around them, or are half of one. */
const UNSEEN =
  /([\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u00a0\u115f\u1160\u2000-\u200a\u202f\u205f\u2800\u3000\u3164\uffa0])/u
/** In a text that consists of nothing else. */
const BLANK = /( )/

/**
 * Untrusted text, isolated from the text around it; hidden characters are shown by their code points. Text longer than `longest`
 * characters is cut and followed by the number of the rest and a fingerprint, so that two long texts never look the same.
 */
export function strange(text: string, longest = 120): Html {
  const characters = Array.from(text)
  const shown = characters.slice(0, longest).join('')
  const more = characters.length - longest
  const parts = shown
    .split(/^ +$/.test(text) ? BLANK : UNSEEN)
    .map((part, i) => (i % 2 === 0 ? part : html`<b class="code">${codePoint(part)}</b>`))
  const rest = more > 0 && html`<span class="more"> … ${more} more (#${fingerprint(text)})</span>`
  return html`<bdi class="strange">${parts}</bdi>${rest}`
}

const codePoint = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`

/** 0.1234 → `12.3 %`; small shares keep two significant digits. */
export function share(value: number): string {
  const percent = value * 100
  if (percent === 0 || percent >= 99.95) return `${Math.round(percent)} %`
  return `${percent >= 10 ? trimmed(percent.toFixed(1)) : trimmed(percent.toPrecision(2))} %`
}

const trimmed = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)

/** A score, with a true minus sign. */
export const scoreText = (value: number): string =>
  value
    .toFixed(2)
    .replace('-', '−')
    .replace(/^−(0\.00)$/, '$1')

/** AUC to three places. */
export const aucText = (value: number): string => value.toFixed(3)

/** `2 Mar 2026` of an ISO time; with the hour when it is not midnight. */
export function day(iso: string): string {
  const time = new Date(iso)
  const date = `${time.getUTCDate()} ${MONTHS[time.getUTCMonth()]} ${time.getUTCFullYear()}`
  const clock = iso.slice(11, 16)
  return clock === '00:00' ? date : `${date} ${clock}`
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const
