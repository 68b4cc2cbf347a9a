import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CombinedPart, combinedPageOf } from '../../scripts/report/combined.ts'
import type { ReportData } from '../../scripts/report/data.ts'
import { BROWSER } from '../support/browser.ts'
import { COLOURS, ELEMENTS, fileOf, HOSTILE, hostileData, LOOK, MEDIA, opened, type Seen } from './pages.ts'
import { sampleData } from './sample.ts'

const cloudtrail: CombinedPart = { source: 'cloudtrail', sourceName: 'CloudTrail', run: 'a', data: sampleData() }
const waf: CombinedPart = { ...cloudtrail, source: 'waf', sourceName: 'AWS WAF', run: 'b' }
const { data: _, ...aboutWaf } = waf
const failed: CombinedPart = { ...aboutWaf, failure: { message: 'no folder x', hint: 'name another' } }

const withScored = (part: CombinedPart, change: Partial<NonNullable<ReportData['scored']>>): CombinedPart => {
  const data = part.data ?? assert.fail()
  return { ...part, data: { ...data, scored: { ...(data.scored ?? assert.fail()), ...change } } }
}

const pages: [what: string, parts: CombinedPart[], says: RegExp[], not: RegExp][] = [
  [
    'both',
    [cloudtrail, waf],
    [
      /34 pairs<\/em> do not fit: 17 of CloudTrail, 17 of AWS WAF\./,
      /<article id="waf">/,
      /<a href="#waf">AWS WAF<\/a>/,
    ],
    /failed/,
  ],
  [
    'nothing flagged',
    [withScored(cloudtrail, { flagged: 0, top: [] }), withScored(waf, { flagged: 0, judged: 0, top: [] })],
    [/<em>None<\/em> of 6,212 judged pairs falls below its threshold/, /<h1>Nothing could be judged/],
    /NaN/,
  ],
  [
    'nothing that could be judged',
    [cloudtrail, waf].map((part) => withScored(part, { flagged: 0, judged: 0, top: [] })),
    [/<h1>Nothing could be judged/],
    /None/,
  ],
  [
    'one that failed',
    [cloudtrail, failed],
    [/17 of CloudTrail\./, /AWS WAF failed and is not part/, /no folder x/, /What to do: name another/],
    /of AWS WAF/,
  ],
  [
    'one that is only trained',
    [cloudtrail, { ...waf, data: (({ scored: _, ...rest }) => rest)(sampleData()) }],
    [/17 of CloudTrail\./, /Nothing has been scored yet/],
    /undefined|NaN/,
  ],
]

for (const [what, parts, says, not] of pages)
  test(`a page over two sources: ${what}`, async () => {
    const page = await combinedPageOf(parts)
    for (const text of says) assert.match(page, text)
    assert.doesNotMatch(page.replace(/<(style|script)[^>]*>[\s\S]*?<\/\1>/g, ''), not)
    assert.equal(page, await combinedPageOf(parts))
    assert.equal(page.match(/<html/g)?.length, 1)
  })

/** All that points somewhere: only places in the page itself. */
const LINKS = `[...document.querySelectorAll('[href], [src]')].map((a) => [a.getAttribute('href'), document.querySelector(a.getAttribute('href'))?.localName])`

const skip = BROWSER.missing
const TO_SOURCES = ['#cloudtrail', '#waf'].map((href) => [href, 'article'])

test('hostile names in both: no script, no request, no element or link of theirs', { skip }, async () => {
  const all = HOSTILE.join(' ')
  const url = fileOf(
    await combinedPageOf([
      { ...cloudtrail, sourceName: all, data: hostileData() },
      { ...failed, sourceName: all, run: all, failure: { message: all, hint: all } },
    ]),
  )
  const { page, troubles, requests } = await opened(url)
  const seen = (await page.evaluate(LOOK)) as Seen
  assert.deepEqual(troubles, [])
  assert.deepEqual(requests, [url])
  assert.equal(seen.hacked, undefined)
  assert.deepEqual(await page.evaluate(LINKS), TO_SOURCES)
  assert.equal(seen.handlers, TO_SOURCES.length)
  assert.deepEqual(
    seen.elements.filter((name) => !ELEMENTS.test(name) && !/^(a|nav|article)$/.test(name)),
    [],
  )
})

test('its links lead to the sources, and nowhere else', { skip }, async () => {
  const { page, troubles, requests } = await opened(fileOf(await combinedPageOf([cloudtrail, waf])))
  assert.deepEqual(await page.evaluate(LINKS), TO_SOURCES)
  await page.click('a[href="#waf"]')
  assert.match(page.url(), /#waf$/)
  const top = (await page.evaluate(`document.getElementById('waf').getBoundingClientRect().top`)) as number
  assert.ok(Math.abs(top) < 900, `${top}`)
  assert.equal(requests.length, 1)
  assert.deepEqual(troubles, [])
})

for (const [what, options, paper] of MEDIA)
  test(`the style applies to both, and nothing overflows: ${what}`, { skip }, async () => {
    const { page, troubles } = await opened(fileOf(await combinedPageOf([cloudtrail, waf])), options)
    const seen = (await page.evaluate(COLOURS)) as { paper: string; over: number }
    assert.equal(seen.paper, paper)
    assert.ok(seen.over <= 0, `${seen.over} pixels too wide`)
    assert.deepEqual(troubles, [])
  })
