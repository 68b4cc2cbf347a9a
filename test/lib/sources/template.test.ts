import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { discover } from '../../../scripts/lib/sources/discover.ts'
import { keyParser, keyRange, type Layout, mayHold } from '../../../scripts/lib/sources/layout.ts'
import { sourceOf } from '../../../scripts/lib/sources/registry.ts'
import { matchesVariable, renderTemplate } from '../../../scripts/lib/sources/template.ts'
import { isZone, momentOf, offsetAt } from '../../../scripts/lib/sources/zone.ts'
import { compareKeys } from '../../../scripts/lib/stores/store.ts'
import { listerOf } from './lister.ts'

const padding = { unit: 5, before: 5, after: 10, lateHours: 1 }
/** In a zone that turns its clocks, an hour more. */
const zoned = { ...padding, before: 65 }

const layouts: Record<string, Layout> = {
  hive: {
    id: 'hive',
    about: '',
    path: 'AWSLogs/aws-account-id={account}/aws-region={region}/',
    timed: 'year={yyyy}/month={MM}/day={dd}/hour={HH}/{account}_{region}_{yyyy}{MM}{dd}T{HH}{mm}Z',
    tail: '_[^/]+',
    padding,
  },
  'optional hour': {
    id: 'optional',
    about: '',
    path: 'AWSLogs/{org?}/{account}/flows/{region}/',
    timed: '{yyyy}/{MM}/{dd}/{HH?}/{account}_{yyyy}{MM}{dd}T{HH}{mm}Z',
    tail: '_[^/]+',
    padding,
  },
  unpadded: {
    id: 'unpadded',
    about: '',
    path: '',
    timed: '{yyyy}/{M}/{d}/log-{yyyy}{MM}{dd}{HH}{mm}',
    tail: '-[^/]+',
    padding,
  },
  'day first': {
    id: 'dayfirst',
    about: '',
    path: 'app/',
    timed: '{dd}.{MM}.{yyyy}/{HH}-{mm}',
    tail: '-[^/]+',
    padding,
  },
  ...Object.fromEntries(
    ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu'].map((zone) => [
      zone,
      {
        id: zone,
        about: '',
        path: 'fire/{stream}/',
        timed: '{yyyy}/{MM}/{dd}/{HH}/{stream}-{yyyy}-{MM}-{dd}-{HH}-{mm}',
        tail: '-[^/]+',
        padding: zoned,
        zone,
      },
    ]),
  ),
}

const minute = fc
  .date({ min: new Date('2024-01-01T00:00:00Z'), max: new Date('2028-01-01T00:00:00Z'), noInvalidDate: true })
  .map((date) => new Date(Math.floor(date.getTime() / 60_000) * 60_000))
/** Around the hours in which clocks are turned, too. */
const times = fc.oneof(
  minute,
  fc
    .tuple(
      fc.constantFrom(
        '2026-03-29T01:00Z',
        '2026-10-25T01:00Z',
        '2026-03-08T07:00Z',
        '2026-11-01T06:00Z',
        '2026-04-04T15:00Z',
        '2026-10-03T15:30Z',
      ),
      fc.integer({ min: -180, max: 180 }),
    )
    .map(([turn, minutes]) => new Date(Date.parse(turn) + minutes * 60_000)),
)
const variables = { org: 'o-abc1', account: '012345678901', region: 'eu-west-1', stream: 'web-2-logs' }

const keyOf = ({ path, timed, zone }: Layout, time: Date) =>
  `${renderTemplate(path, variables, time, zone)}${renderTemplate(timed, variables, time, zone)}-_x`.replace(
    '-_x',
    timed.includes('Z') ? '_x' : '-x',
  )

for (const [what, layout] of Object.entries(layouts))
  describe(`a layout with ${what}`, () => {
    it('reads back what it wrote; of an hour that exists twice, the first', () =>
      fc.assert(
        fc.property(times, (time) => {
          const parsed = keyParser(layout)(keyOf(layout, time))
          const clock = time.getTime() + offsetAt(layout.zone, time.getTime())
          const early = [15, 30, 60].map((minutes) => time.getTime() - minutes * 60_000)
          const first = early.find((other) => other + offsetAt(layout.zone, other) === clock) ?? time.getTime()
          assert.equal(parsed?.time.getTime(), first, keyOf(layout, time))
          const named = Object.entries(variables).filter(([name]) =>
            `${layout.path}${layout.timed}`.includes(`{${name}`),
          )
          assert.deepEqual({ ...parsed?.variables }, Object.fromEntries(named))
        }),
      ))

    it('has all keys that a window may need in its range', () =>
      fc.assert(
        fc.property(
          times,
          fc.integer({ min: 1, max: 2000 }),
          fc.integer({ min: -200, max: 2200 }),
          (from, minutes, offset) => {
            const window = { from, to: new Date(from.getTime() + minutes * 60_000) }
            const time = new Date(from.getTime() + offset * 60_000)
            const key = keyOf(layout, time)
            const branch = { path: renderTemplate(layout.path, variables, time), variables }
            const { startAfter, endBefore } = keyRange(layout, branch, window)
            // What the key means, and what it meant when it was written: neither may be lost.
            const read = keyParser(layout)(key)?.time ?? time
            if (mayHold(padding, window, time)) assert.ok(mayHold(layout.padding, window, read), key)
            if (!mayHold(layout.padding, window, read)) return
            assert.ok(
              compareKeys(key, startAfter) > 0 && compareKeys(key, endBefore) < 0,
              `${startAfter} ${key} ${endBefore}`,
            )
          },
        ),
        { numRuns: 500 },
      ))
  })

describe('keys of such layouts', () => {
  const parse = (what: string, key: string) => keyParser(layouts[what] as Layout)(key)?.time.toISOString()
  const table: [what: string, key: string, time: string | undefined][] = [
    [
      'optional hour',
      'AWSLogs/012345678901/flows/eu-west-1/2026/03/02/10/012345678901_20260302T1005Z_x',
      '2026-03-02T10:05:00.000Z',
    ],
    [
      'optional hour',
      'AWSLogs/012345678901/flows/eu-west-1/2026/03/02/012345678901_20260302T1005Z_x',
      '2026-03-02T10:05:00.000Z',
    ],
    ['optional hour', 'AWSLogs/012345678901/flows/eu-west-1/2026/03/02/11/012345678901_20260302T1005Z_x', undefined],
    ['unpadded', '2026/3/2/log-202603021005-x', '2026-03-02T10:05:00.000Z'],
    ['unpadded', '2026/03/02/log-202603021005-x', undefined],
    ['unpadded', '2026/3/3/log-202603021005-x', undefined],
    ['Europe/Berlin', 'fire/s/2026/07/01/00/s-2026-07-01-00-30-x', '2026-06-30T22:30:00.000Z'],
    ['Europe/Berlin', 'fire/s/2026/12/01/00/s-2026-12-01-00-30-x', '2026-11-30T23:30:00.000Z'],
    // Clocks go from 2:00 to 3:00, and in autumn back from 3:00 to 2:00.
    ['Europe/Berlin', 'fire/s/2026/03/29/02/s-2026-03-29-02-30-x', undefined],
    ['Europe/Berlin', 'fire/s/2026/10/25/02/s-2026-10-25-02-30-x', '2026-10-25T00:30:00.000Z'],
  ]
  for (const [what, key, time] of table) it(key, () => assert.equal(parse(what, key), time))
})

describe('folders with text and variables', () => {
  const hive = layouts.hive as Layout
  const source = { ...sourceOf('waf'), layouts: [hive] }
  it('are found', async () => {
    const keys = ['a', 'b'].flatMap((root) =>
      ['012345678901', '111122223333'].map(
        (account) => `${root}/AWSLogs/aws-account-id=${account}/aws-region=eu-west-1/year=2026/x`,
      ),
    )
    const lister = listerOf([
      ...keys,
      'a/AWSLogs/012345678901/aws-region=eu-west-1/x',
      'a/AWSLogs/aws-account-id=x/aws-region=r/x',
    ])
    const { branches } = await discover(lister, source, { base: '', concurrency: 2, accounts: ['012345678901'] })
    assert.deepEqual(
      branches.map(({ path, variables }) => [path, { ...variables }]),
      ['a', 'b'].map((root) => [
        `${root}/AWSLogs/aws-account-id=012345678901/aws-region=eu-west-1/`,
        { account: '012345678901', region: 'eu-west-1' },
      ]),
    )
  })

  it('begin anywhere when they have text, and at the named place otherwise', async () => {
    const keys = ['x/year=2026/month=03/k', 'x/y/year=2026/month=03/k', 'x/web/2026-03/k']
    const found = async (path: string, timed: string, base: string) => {
      const layouts = [{ ...hive, path, timed }]
      const { branches } = await discover(listerOf(keys), { ...source, layouts }, { base, concurrency: 2 })
      return branches.map((branch) => branch.path).sort()
    }
    assert.deepEqual(await found('', 'year={yyyy}/month={MM}/k', ''), ['x/', 'x/y/'])
    assert.deepEqual(await found('{host}/', '{yyyy}-{MM}/k', 'x/'), ['x/web/', 'x/y/', 'x/year=2026/'])
    assert.deepEqual(await found('', 'log-{yyyy}-{MM}-{dd}', 'x/'), ['x/'])
  })
})

describe('time zones', () => {
  it('have names', () =>
    assert.deepEqual(['Europe/Berlin', 'UTC', 'Nowhere/City', '', '+02:00x'].map(isZone), [
      true,
      true,
      false,
      false,
      false,
    ]))

  it('have one moment for what their clocks show, or none', () => {
    const at = (clock: string) => {
      const found = momentOf('America/New_York', Date.parse(`${clock}Z`))
      return found === undefined ? undefined : new Date(found).toISOString()
    }
    assert.equal(at('2026-01-01T00:00'), '2026-01-01T05:00:00.000Z')
    assert.equal(at('2026-03-08T02:30'), undefined)
    assert.equal(at('2026-11-01T01:30'), '2026-11-01T05:30:00.000Z')
  })
})

describe('names of variables', () => {
  const table: [variable: string, name: string, is: boolean][] = [
    ['account', '012345678901', true],
    ['account', '12345', false],
    ['account', '123456789012\n', false],
    ['org', 'o-abc123', true],
    ['org', '012345678901', false],
    ['org', 'o-ABC', false],
    ['region', 'us-east-1', true],
    ['region', '../..', false],
    ['acl', 'a_b-c.d', true],
    ['acl', '', false],
  ]
  for (const [variable, name, is] of table)
    it(`${JSON.stringify(name)} is ${is ? 'a' : 'no'} value of ${variable}`, () =>
      assert.equal(matchesVariable(variable, name), is))
})
