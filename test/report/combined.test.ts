import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CombinedPart, combinedPageOf } from '../../scripts/report/combined.ts'
import type { ReportData } from '../../scripts/report/data.ts'
import type { SharedAddresses } from '../../scripts/report/shared-addresses.ts'
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

/** Thirty addresses that both have, more than are shown unfolded. */
const sharedBy = (names: readonly string[]): SharedAddresses => ({
  count: 31,
  addresses: Array.from({ length: 30 }, (_, i) => ({
    ip: `203.0.113.${i}`,
    provider: { number: 64_500, name: names[i % names.length] ?? '' },
    sources: [
      {
        source: 'cloudtrail',
        flagged: 1,
        entities: 4,
        accesses: 1234,
        names: [0, 1, 2].map((n) => names[(i + n) % names.length] ?? ''),
      },
      { source: 'waf', flagged: i % 2, entities: 1, accesses: 1, names: [names[i % names.length] ?? ''] },
    ],
  })),
})

test('a page tells the addresses that sources share: where they are flagged, and by whom they came', async () => {
  const page = await combinedPageOf([cloudtrail, waf], sharedBy(['ada']))
  const [section = assert.fail(), ...others] =
    page.match(/<section[^>]*>\s*<h2>Seen in several[\s\S]*?<\/section>/g) ?? []
  assert.deepEqual(others, [])
  assert.match(section, /The first 30 of 31 addresses/)
  assert.match(section, /<th>CloudTrail<\/th><th>AWS WAF<\/th>/)
  assert.equal(section.match(/<b class="ip">203\.0\.113\.\d+<\/b>/g)?.length, 30)
  assert.match(section, /AS64500 ada/)
  assert.match(section, />flagged<\/span> <small>1,234 accesses of 4 entities, 1 flagged<[\s\S]*and 1 more/)
  assert.equal(section.match(/>only seen<\/span> <small>1 access of 1 entity<\/small>/g)?.length, 15)
  assert.match(await combinedPageOf([cloudtrail, waf], { count: 0, addresses: [] }), /No flagged address occurs in/)
  assert.doesNotMatch(await combinedPageOf([cloudtrail, failed]), /Seen in several/)
})

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
    await combinedPageOf(
      [
        { ...cloudtrail, sourceName: all, data: hostileData() },
        { ...failed, sourceName: all, run: all, failure: { message: all, hint: all } },
      ],
      sharedBy(HOSTILE),
    ),
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

test('shared addresses are filtered by any of their names', { skip }, async () => {
  const names = ['ada', 'grace', ...Array.from({ length: 28 }, (_, i) => `role-${i + 10}`)]
  const { page, troubles } = await opened(fileOf(await combinedPageOf([cloudtrail, waf], sharedBy(names))))
  await page.locator('section.long:has(.shared) .tools input').first().fill('grace')
  const shown = await page.locator('.shared tbody tr:not([hidden]) .ip').allTextContents()
  assert.deepEqual(shown, ['203.0.113.0', '203.0.113.1', '203.0.113.29'])
  assert.deepEqual(troubles, [])
})

for (const [what, options, paper] of MEDIA)
  test(`the style applies to both, and nothing overflows: ${what}`, { skip }, async () => {
    const { page, troubles } = await opened(
      fileOf(await combinedPageOf([cloudtrail, waf], sharedBy(['arn:aws:iam::111122223333:role/deploy']))),
      options,
    )
    const seen = (await page.evaluate(COLOURS)) as { paper: string; over: number }
    assert.equal(seen.paper, paper)
    assert.ok(seen.over <= 0, `${seen.over} pixels too wide`)
    assert.deepEqual(troubles, [])
  })
