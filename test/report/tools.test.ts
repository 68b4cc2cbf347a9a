import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { decodeEntity } from '../../scripts/lib/insights/entity-codec.ts'
import { formatNetwork } from '../../scripts/lib/insights/ipv6.ts'
import type { Details } from '../../scripts/lib/runs/alerts.ts'
import { allowancesIn } from '../../scripts/lib/runs/allowances.ts'
import type { Anomaly, ReportData } from '../../scripts/report/data.ts'
import { pageOf } from '../../scripts/report/page.ts'
import { BROWSER } from '../support/browser.ts'
import { tempFolder } from '../support/temp.ts'
import { fileOf, HOSTILE, opened } from './pages.ts'
import { sampleData } from './sample.ts'

const skip = BROWSER.missing
const FLAGGED = 120
/** A shell runs what stands in it, if it is not quoted. */
const EVIL = `it's "$(touch hacked)" \`id\` <script>window.hacked = 1</script>`

/** 120 flagged pairs: 40 of one entity in one /24, the others each of its own. */
function manyRows(): ReportData {
  const data = sampleData()
  const scored = data.scored ?? assert.fail()
  const [first = assert.fail()] = scored.top
  const top = Array.from(
    { length: FLAGGED },
    (_, i): Anomaly => ({
      ...first,
      entity: i % 3 === 0 ? 'AIDAQSCANNED000000001' : i === 1 ? EVIL : `role-${i}`,
      ip: i % 3 === 0 ? `148.177.91.${i + 66}` : `198.51.${i}.7`,
      accesses: (i * 37) % 1000 === 0 ? 1500 : (i * 37) % 1000,
      anomalyScore: 12 - i / 20,
      flagged: i < FLAGGED - 1,
      provider: { number: 64500 + (i % 3), name: i % 3 === 0 ? 'Example Hosting' : 'Example Access', country: 'DE' },
      seen: { ip: false, net24: false, net16: i % 2 === 0 },
      label: i % 3 === 0 ? 'scanner' : EVIL,
      details: detailsIn(i % 2 === 0 ? '111122223333' : '444455556666'),
    }),
  )
  const allowance = { why: 'new office', by: 'ada', until: '2026-12-31' }
  const allowedTop = ['192.0.2.1', '192.0.2.2'].map((ip, i) => ({
    ...first,
    ...{ ip, flagged: false, allowed: '192.0.2.0/24' },
    ...(i === 0 && { allowance }),
  }))
  return { ...data, scored: { ...scored, flagged: FLAGGED - 1, top, allowed: 2, allowedTop } }
}

/** What the logs say about a call in an account. */
const detailsIn = (account: string): Details => ({
  first: '2026-03-10T01:02:03.000Z',
  last: '2026-03-10T02:00:00.000Z',
  accesses: 2,
  aspects: { account: [{ value: account, events: 2 }] },
})

/** As long as they come: everybody's names, calls and reasons. */
const FULL: Pick<Anomaly, 'details' | 'reasons'> = {
  details: {
    first: '2026-03-10T01:02:03.000Z',
    last: '2026-03-10T02:00:00.000Z',
    accesses: 2,
    aspects: Object.fromEntries(
      ['name', 'account', 'call', 'error'].map((aspect) => [aspect, [{ value: 'x'.repeat(300), events: 2000 }]]),
    ),
  },
  reasons: [
    { weight: 7.3, text: 'this entity is so far from all its other addresses once in 21,784 accesses' },
    { weight: 1.5, text: 'by prefixes, its /24 is 374 times less likely for this entity than for all' },
    { weight: -6.5, text: '747 accesses of this entity in training' },
  ],
}

/** What the flagged table shows: the words of each visible row's cell. */
const column = (page: Page, cell: string): Promise<string[]> =>
  page.locator(`.anomalies tbody tr:visible ${cell}`).allTextContents()
const field = (page: Page, name: string) => page.locator('section.long').first().locator('label', { hasText: name })
const status = (page: Page) => page.locator('.shown').first().textContent()

describe('the tools of the page', { skip }, () => {
  let page: Page
  let troubles: string[]
  let requests: string[]
  let url: string
  before(async () => {
    if (BROWSER.missing !== false) return
    url = fileOf(await pageOf(manyRows()))
    ;({ page, troubles, requests } = await opened(url))
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  })
  after(() => {
    if (BROWSER.missing !== false) return
    assert.deepEqual(troubles, [])
    assert.deepEqual(requests, [url])
  })

  test('a part of the rows is shown, and more when asked', async () => {
    assert.equal((await column(page, '.ip')).length, 50)
    assert.match((await status(page)) ?? '', /^50 of 120 rows/)
    assert.equal(await page.locator('details.rest').count(), 0)
    await page.locator('.more-rows').first().click()
    await page.locator('.more-rows').first().click()
    assert.equal((await column(page, '.ip')).length, FLAGGED)
    assert.equal(await page.locator('.more-rows').first().isVisible(), false)
  })

  const filters: [what: string, name: string, value: string, rows: number][] = [
    ['an entity', 'entity', 'aidaqscanned', 40],
    ['a part of a hostile entity', 'entity', '$(touch', 1],
    ['a network', 'network', '148.177.91.0/24', 40],
    ['a smaller network', 'network', '148.177.91.64/30', 1],
    ['an address', 'network', '148.177.91.69', 1],
    ['an address is no beginning of another one', 'network', '148.177.91.6', 0],
    ['the first numbers of an address', 'network', '198.51', 80],
    ['the number of a network', 'network', 'AS64500', 40],
    ['a name of networks', 'network', 'example access', 80],
    ['an account', 'account', '4444', FLAGGED / 2],
    ['what is no network', 'network', '198.51.0.0/99', 0],
    ['any text', 'any text', 'NEVER', FLAGGED / 2],
    ['any text of a column', 'any text', 'not flagged', 1],
    ['the name of a network', 'any text', 'example hosting', 40],
  ]
  for (const [what, name, value, rows] of filters)
    test(`it filters by ${what}`, async () => {
      const input = field(page, name).locator('input')
      await input.fill(value)
      assert.match((await status(page)) ?? '', new RegExp(` of ${rows} rows`))
      assert.equal((await column(page, '.ip')).length, Math.min(50, rows))
      await input.fill('')
    })

  test('it filters by kind: flagged or not, seen before, known as', async () => {
    const select = field(page, 'kind').locator('select')
    const options = await select.locator('option').allTextContents()
    for (const name of ['flagged (119)', '/16 (60)', 'never (60)', 'scanner (40)', 'not flagged (1)'])
      assert.ok(options.includes(name), `${name}: ${options}`)
    await select.selectOption('scanner')
    assert.deepEqual(new Set(await column(page, '.entity .strange')), new Set(['AIDAQSCANNED000000001']))
    assert.match((await status(page)) ?? '', /^40 of 40 rows/)
    await field(page, 'network').locator('input').fill('148.177.91.66')
    assert.match((await status(page)) ?? '', /^1 of 1 rows/)
    await field(page, 'network').locator('input').fill('')
    await select.selectOption('')
  })

  const sorts: [column: string, cell: string, first: string, last: string][] = [
    ['accesses', '.accesses', '33', '1,500'],
    ['anomaly score', '.score', '6.05', '12.00'],
    ['address', '.ip', '148.177.91.66', '198.51.119.7'],
    ['entity', '.entity .strange', 'AIDAQSCANNED000000001', 'role-119'],
  ]
  for (const [name, cell, first, last] of sorts)
    test(`it sorts by ${name}, up and down`, async () => {
      const head = page.locator('.anomalies th', { hasText: name }).first()
      await head.locator('button').click()
      assert.equal(await head.getAttribute('aria-sort'), 'ascending')
      assert.equal((await column(page, cell))[0]?.trim().split(' ')[0], first)
      await head.locator('button').click()
      assert.equal(await head.getAttribute('aria-sort'), 'descending')
      assert.equal((await column(page, cell))[0]?.trim().split(' ')[0], last)
      assert.equal(await page.locator('.anomalies th[aria-sort]').count(), 1)
    })

  /** Clicks a button in the first row, and reads the clipboard. */
  async function copied(label: string, place: string): Promise<string> {
    await page.locator(`.anomalies tbody tr:visible ${place} .copy`, { hasText: label }).first().click()
    await page.locator('.said b', { hasText: 'Copied' }).waitFor()
    const text = (await page.evaluate('navigator.clipboard.readText()')) as string
    assert.equal(await page.locator('.said code').textContent(), text)
    return text
  }

  test('it copies the commands of a row, and a shell reads the name as one word', async () => {
    await field(page, 'entity').locator('input').fill('$(touch')
    const { questions } = sampleData()
    assert.equal(await copied('allow', '.address'), `${questions?.allow}198.51.1.7`)
    assert.equal(await copied('ask', '.address'), `${questions?.address}198.51.1.7`)
    const asked = await copied('ask', '.entity')
    const [name, ...words] = asked.split('--entity-name=')
    assert.equal(`${name}--entity-name=`, questions?.entity)
    const read = execFileSync('/bin/sh', ['-c', `printf '%s|' ${words.join('')}`], { encoding: 'utf8' })
    assert.equal(read, `${EVIL}|`)
    await field(page, 'entity').locator('input').fill('')
  })

  test('it copies an entry for a file of allowances, which says everything but why and by whom', async () => {
    await field(page, 'entity').locator('input').fill('$(touch')
    const text = await copied('entry', '.address')
    const file = `${tempFolder()}/allow.yaml`
    writeFileSync(file, text)
    await assert.rejects(allowancesIn([file], new Date()), /:4: why has no value/)
    writeFileSync(file, text.replace('why:', 'why: new office').replace('by:', 'by: ada'))
    const { allow } = await allowancesIn([file], new Date())
    assert.deepEqual(
      allow.map((one) => [formatNetwork(one), decodeEntity(one.entity ?? '')]),
      [['198.51.1.7/32', EVIL]],
    )
    await field(page, 'entity').locator('input').fill('')
  })

  test('what is allowed stands in a table of its own, with who allowed it', async () => {
    const rows = await page.locator('table.allowed tbody tr').allTextContents()
    assert.equal(rows.length, 2)
    assert.match(rows[0] ?? '', /192\.0\.2\.1.*192\.0\.2\.0\/24new officeada2026-12-31/)
    assert.match(rows[1] ?? '', /192\.0\.2\.2.*--allow/)
  })

  test('where a page may not copy, the command is shown and selected', async () => {
    await page.evaluate(`Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true })`)
    await page.locator('.anomalies tbody tr:visible .address .copy').first().click()
    assert.match((await page.locator('.said').textContent()) ?? '', /^Copy this npx zx scripts\//)
    assert.equal(await page.evaluate('getSelection().toString()'), await page.locator('.said code').textContent())
  })

  test('what could not be judged has addresses, and questions about them', async () => {
    const row = page.locator('.unjudged tbody tr').first()
    assert.equal(await row.locator('.ip').count(), 20)
    assert.match((await row.textContent()) ?? '', /and 3 more/)
    assert.equal(await row.locator('.addresses .copy').count(), 20)
  })

  test('names stay text after all of this', async () => {
    assert.equal(await page.evaluate('window.hacked'), undefined)
    assert.equal(await page.locator('script').count(), 1)
  })
})

/** Text of an element that its container or the window cuts. */
const CUT = `[...document.querySelectorAll('.ip, .networks span, .why, .strange')].filter((one) => one.checkVisibility()).flatMap((one) => {
  const box = one.getBoundingClientRect()
  // A blank at the end of a line of a name hangs over.
  const slack = one.matches('.strange') ? 6 : 0.5
  const frames = [document.documentElement, one.closest('.scroll')].filter((frame) => frame !== null)
  return frames.every((frame) => box.right <= frame.getBoundingClientRect().left + frame.clientWidth + slack) && box.left >= 0 ? [] : [one.textContent]
})`

for (const [width, print] of [
  [390, false],
  [700, false],
  [980, false],
  [1100, false],
  [680, true],
] as const)
  test(`no address is cut at ${width} px${print ? ' on paper' : ''}`, { skip }, async () => {
    const data = manyRows()
    const scored = data.scored ?? assert.fail()
    const [first = assert.fail()] = scored.top
    const long = HOSTILE.map((entity) => ({ ...first, ...FULL, entity, label: entity, ip: '255.255.255.255' }))
    const wide = { ...data, scored: { ...scored, top: [...long, ...scored.top] } }
    const { page, troubles } = await opened(fileOf(await pageOf(wide)), { width, print })
    assert.match(
      (await column(page, '.seen'))[0] ?? '',
      /^\/16 .*once in 21,784 accesses .*374 times less likely for this entity than for all$/,
    )
    assert.deepEqual(await page.evaluate(CUT), [])
    assert.deepEqual(troubles, [])
    await page.close()
  })

test('without scripts all rows are there, the first ones unfolded, and no tool pretends to work', {
  skip,
}, async () => {
  const url = fileOf(await pageOf(manyRows()))
  const { page, troubles } = await opened(url, { noScript: true })
  assert.equal((await column(page, '.ip')).length, 25)
  assert.equal(await page.locator('button, input, select').count(), 0)
  await page.locator('summary').first().click()
  assert.equal((await column(page, '.ip')).length, FLAGGED)
  assert.match((await page.locator('.next').first().textContent()) ?? '', /query\.mjs .* --ip=ADDRESS/)
  assert.deepEqual(troubles, [])
})
