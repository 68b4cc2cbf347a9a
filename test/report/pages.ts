import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { after, before } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import type { ReportData } from '../../scripts/report/data.ts'
import { BROWSER, openBrowser } from '../support/browser.ts'
import { tempFolder } from '../support/temp.ts'
import { sampleData } from './sample.ts'

/** What attackers write into user agents, role names and labels. */
export const HOSTILE = [
  '<script>window.hacked = 1</script>',
  '"><img src=http://127.0.0.1:9/x onerror="window.hacked = 2">',
  "' onmouseover='window.hacked = 3",
  '</style></title></textarea><svg onload="window.hacked = 4">',
  '<iframe srcdoc="<script>parent.hacked = 5</script>"></iframe>',
  '<meta http-equiv="refresh" content="0;url=http://127.0.0.1:9/">',
  '<a href="javascript:window.hacked = 6" autofocus onfocus="window.hacked = 7">',
  '&lt;script&gt;window.hacked = 8&lt;/script&gt;',
  '<!--<script>',
  ']]><script>window.hacked = 9</script>',
  'a\u202egnp.exe\u2066',
  '\u0000\u0008\u001b[31m',
  '<b'.repeat(2000),
]

/** What logs say that somebody else has written. */
const detailsBy = (text: string) => ({
  first: '2026-03-10T01:02:03.000Z',
  last: '2026-03-10T02:00:00.000Z',
  accesses: 2,
  aspects: Object.fromEntries(
    ['name', 'account', 'call', 'request', 'error'].map((aspect) => [aspect, [{ value: text, events: 2 }]]),
  ),
})

export function hostileData(): ReportData {
  const data = sampleData()
  const scored = data.scored ?? assert.fail()
  const [first = assert.fail()] = scored.top
  const all = HOSTILE.join(' ')
  return {
    ...data,
    run: { ...data.run, logs: all, sourceName: all, accounts: HOSTILE, regions: HOSTILE },
    extracted: { ...data.extracted, entity: all, dropped: HOSTILE.map((reason) => ({ reason, events: 1 })) },
    trained: { ...data.trained, hyperparameters: HOSTILE.map((text) => [text, text]) },
    scored: {
      ...scored,
      of: all,
      allow: HOSTILE,
      top: HOSTILE.map((text) => ({
        ...first,
        entity: text,
        label: text,
        provider: { name: text },
        details: detailsBy(text),
      })),
      timelines: {
        ...(scored.timelines ?? assert.fail()),
        lines: HOSTILE.map((entity) => ({ entity, usual: [[3, 1]], odd: [[200, 1]] })),
      },
      allowedTop: HOSTILE.map((text) => ({
        ...first,
        entity: text,
        allowed: text,
        allowance: { why: text, by: text, until: text },
        provider: { number: 1, name: text, country: text },
      })),
      unjudged: HOSTILE.map((entity) => ({
        entity,
        verdict: 'unseen-entity',
        addresses: 1,
        busiest: [{ ip: '192.0.2.1', accesses: 1 }],
        accesses: 1,
      })),
      attacks: {
        ...(scored.attacks ?? assert.fail()),
        kinds: HOSTILE.map((kind) => ({ kind, attacks: 2, flagged: 1 })),
      },
    },
  }
}

/** All that the page may consist of. */
export const ELEMENTS =
  /^(html|head|meta|title|style|body|main|header|section|h1|h2|p|span|em|b|bdi|strong|small|code|mark|dl|dt|dd|div|table|caption|thead|tbody|tr|th|td|figure|figcaption|svg|g|path|rect|line|circle|text|tspan|script|details|summary|ul|li|var|label|input|select|option|button)$/

export interface Seen {
  readonly url: string
  readonly elements: string[]
  readonly handlers: number
  readonly hacked: unknown
}

/** In the page itself, so no types of it here. */
export const LOOK = `({
  url: location.href,
  elements: [...document.querySelectorAll('*')].map((element) => element.localName),
  handlers: [...document.querySelectorAll('*')].flatMap((element) => [...element.attributes]).filter(({ name }) => /^on|^style$|^src|href$/.test(name)).length,
  hacked: window.hacked,
})`

let browser: Browser | undefined
before(async () => {
  if (BROWSER.missing === false) browser = await openBrowser()
})
after(() => browser?.close())

export async function opened(
  url: string,
  options: { dark?: boolean; width?: number; print?: boolean; noScript?: boolean } = {},
) {
  const troubles: string[] = []
  const requests: string[] = []
  const page: Page =
    (await browser?.newPage({
      colorScheme: options.dark ? 'dark' : 'light',
      javaScriptEnabled: options.noScript !== true,
      viewport: { width: options.width ?? 1100, height: 900 },
    })) ?? assert.fail('no browser')
  page.on('pageerror', (error) => troubles.push(error.message))
  page.on('console', (message) => troubles.push(message.text()))
  page.on('dialog', (dialog) => troubles.push(dialog.message()))
  page.on('request', (request) => requests.push(request.url()))
  await page.emulateMedia({ media: options.print ? 'print' : 'screen' })
  await page.goto(url)
  return { page, troubles, requests }
}

export function fileOf(text: string): string {
  const path = `${tempFolder()}/report.html`
  writeFileSync(path, text)
  return pathToFileURL(path).href
}

/** How the page lies on its paper. */
export const COLOURS = `(() => {
  const style = getComputedStyle(document.body)
  const widths = [document.documentElement, ...document.querySelectorAll('figure, .timelines'), ...(matchMedia('print').matches ? document.querySelectorAll('.scroll') : [])]
  return { paper: style.backgroundColor, over: Math.max(...widths.map((element) => element.scrollWidth - element.clientWidth)) }
})()`

/** On what a page is read, and the colour of its paper there. */
export const MEDIA = [
  ['light', {}, 'rgb(253, 253, 252)'],
  ['dark', { dark: true }, 'rgb(21, 24, 28)'],
  ['light, on a phone', { width: 390 }, 'rgb(253, 253, 252)'],
  // A4 with margins of 15 mm.
  ['on paper', { print: true, dark: true, width: 680 }, 'rgb(255, 255, 255)'],
] as const
