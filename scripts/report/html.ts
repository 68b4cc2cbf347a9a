import escapeHtml from 'escape-html'

/** Markup that is safe to put into a page. Only this file makes it. */
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

/** Characters that would be invisible (also letters without a shape), reorder the text around them, or are half of one. */
const UNSEEN =
  /([\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u00a0\u115f\u1160\u2000-\u200a\u202f\u205f\u2800\u3000\u3164\uffa0])/u
/** Of a text of nothing but blanks they are all that there is. */
const BLANK = /( )/

/**
 * A text that a stranger wrote, isolated from the text around it; what cannot be seen is shown by its code point. After
 * `longest` characters the rest is only counted.
 */
export function strange(text: string, longest = 120): Html {
  const characters = Array.from(text)
  const shown = characters.slice(0, longest).join('')
  const more = characters.length - longest
  const parts = shown
    .split(/^ +$/.test(text) ? BLANK : UNSEEN)
    .map((part, i) => (i % 2 === 0 ? part : html`<b class="code">${codePoint(part)}</b>`))
  return html`<bdi class="strange">${parts}</bdi>${more > 0 && html`<span class="more"> … ${more} more</span>`}`
}

const codePoint = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
