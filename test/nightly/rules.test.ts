import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Alert } from '../../scripts/lib/runs/alerts.ts'
import type { ModelInService } from '../../scripts/lib/runs/models.ts'
import { type Drift, type Judged, type Night, nightName } from '../../scripts/lib/runs/nights.ts'
import { newAlerts } from '../../scripts/nightly/alerts.ts'
import { dueWindows } from '../../scripts/nightly/days.ts'
import { driftMessage, jumpsOf, type Measures, Parts } from '../../scripts/nightly/drift.ts'
import { historyPage } from '../../scripts/nightly/history.ts'
import { trainReason } from '../../scripts/nightly/training.ts'
import { dayAfter } from '../support/month.ts'

const DAY = 86_400_000
const midnight = (day: string) => `${day}T00:00:00.000Z`
const plain: Measures = { events: 1000, dropped: { ipv6: 20 }, scored: 500, unseen: 5, sparse: 5, unfit: 6, budget: 5 }

const aDay = (change: Partial<Judged> = {}): Judged => ({
  ...plain,
  ...{ run: 'day', model: 'model', trained: null, accesses: 900, flagged: 5, told: [], goingOn: 0, capped: 0 },
  ...{ drift: null, report: 'runs/model/scores/day/report.html', findings: [] },
  ...change,
})
const night = (day: string, judged: Judged | null = aDay()): Night => ({
  ...{
    version: 1,
    source: 'cloudtrail',
    from: midnight(day),
    to: midnight(dayAfter(day)),
    at: midnight(dayAfter(day)),
  },
  ...{ state: judged === null ? 'no-logs' : 'judged', judged },
})
const unfits: Drift = { isTold: true, kinds: ['unfit'], reasons: ['many'], accounts: [], entities: [], networks: [] }

describe('which days are due', () => {
  const options = { day: undefined, last: undefined, catchUp: 3, keep: 90 * DAY }
  const due = (nights: readonly Night[], now: string, more: object = {}) => {
    const { windows, leftOut } = dueWindows('cloudtrail', { ...options, ...more }, nights, new Date(now))
    const names = (all: typeof windows) =>
      all.map(({ from, to }) => nightName({ from: from.toISOString(), to: to.toISOString() }))
    return [names(windows), names(leftOut)]
  }
  const first = night('2026-03-01')
  for (const [what, nights, now, more, expected] of [
    ['the first night: yesterday', [], '2026-03-10T02:30:00Z', {}, [['2026-03-09'], []]],
    ['while yesterday is still being delivered: the day before', [], '2026-03-10T00:30:00Z', {}, [['2026-03-08'], []]],
    ['none twice', [night('2026-03-09')], '2026-03-10T02:30:00Z', {}, [[], []]],
    ['missed ones first', [first], '2026-03-04T02:30:00Z', {}, [['2026-03-02', '2026-03-03'], []]],
    [
      'one without logs again',
      [first, night('2026-03-02', null)],
      '2026-03-04T02:30:00Z',
      {},
      [['2026-03-02', '2026-03-03'], []],
    ],
    [
      'no more than --catch-up',
      [first],
      '2026-03-08T02:30:00Z',
      {},
      [
        ['2026-03-04', '2026-03-05', '2026-03-06', '2026-03-07'],
        ['2026-03-02', '2026-03-03'],
      ],
    ],
    [
      'none between notes that are gone',
      [first, night('2026-03-05')],
      '2026-03-07T02:30:00Z',
      {},
      [['2026-03-03', '2026-03-04', '2026-03-06'], ['2026-03-02']],
    ],
    [
      'nor before one that is judged',
      [first, night('2026-03-06'), night('2026-03-07')],
      '2026-03-11T02:30:00Z',
      {},
      [['2026-03-08', '2026-03-09', '2026-03-10'], []],
    ],
    [
      'nor what is not kept',
      [first],
      '2026-03-11T02:30:00Z',
      { catchUp: 0, keep: 3 * DAY },
      [['2026-03-10'], ['2026-03-08', '2026-03-09']],
    ],
    ['with --catch-up 0: yesterday', [first], '2026-03-04T02:30:00Z', { catchUp: 0 }, [['2026-03-03'], ['2026-03-02']]],
    ['the one that is named', [first], '2026-03-08T02:30:00Z', { day: '2026-02-20' }, [['2026-02-20'], []]],
    ['the span that is named', [first], '2026-03-08T02:32:00Z', { last: '24h' }, [['20260307T0130-20260308T0130'], []]],
  ] as const)
    it(what, () => assert.deepEqual(due(nights, now, more), expected))

  for (const [day, message] of [
    ['2026-03-07T12:00', /is no day/],
    ['2026-03-08', /is not over/],
    ['soon', /is not a time/],
  ] as const)
    it(`--day ${day} is refused`, () => assert.throws(() => due([], '2026-03-08T02:30:00Z', { day }), message))
})

describe('when a new model is due', () => {
  const model = (to: string): ModelInService => ({
    ...{ version: 1, run: 'model', since: midnight(to), why: 'none', replaced: null, trained: ['model'] },
    tried: { run: 'model', why: 'none', to: midnight(to), isBetter: true, challenger: null, champion: null },
  })
  const drifted = (day: string) => night(day, aDay({ drift: unfits }))
  for (const [what, inService, nights, day, expected] of [
    ['there is none', undefined, [], '2026-03-10', 'none'],
    ['it is young', model('2026-03-04'), [], '2026-03-10', undefined],
    ['it is a week old', model('2026-03-03'), [], '2026-03-10', 'age'],
    ['it is younger than the day', model('2026-03-12'), [], '2026-03-10', undefined],
    [
      'one night did not fit',
      model('2026-03-04'),
      [night('2026-03-08'), drifted('2026-03-09')],
      '2026-03-10',
      undefined,
    ],
    [
      'two nights did not fit',
      model('2026-03-04'),
      [drifted('2026-03-08'), drifted('2026-03-09')],
      '2026-03-10',
      'drift',
    ],
    [
      'since it was trained, only one did not',
      model('2026-03-09'),
      [drifted('2026-03-08'), drifted('2026-03-09')],
      '2026-03-10',
      undefined,
    ],
    [
      'a day without logs between them',
      model('2026-03-04'),
      [drifted('2026-03-07'), night('2026-03-08', null), drifted('2026-03-09')],
      '2026-03-10',
      'drift',
    ],
  ] as const)
    it(what, () => assert.equal(trainReason(inService, nights, { from: new Date(midnight(day)) }, 7 * DAY), expected))
})

describe('what jumps', () => {
  const before = [plain, { ...plain, unfit: 15 }]
  for (const [what, change, kinds, nights = before] of [
    ['nothing on a usual day', { unfit: 14 }, []],
    ['nothing at five times the budget', { unfit: 25 }, [], []],
    ['pairs that do not fit, beyond that', { unfit: 26 }, ['unfit'], []],
    ['nothing at twice the most of nights before', { unfit: 30 }, []],
    ['pairs that do not fit, beyond that too', { unfit: 31 }, ['unfit']],
    ['a small budget is no measure', { unfit: 20, budget: 1 }, [], []],
    ['entities that are not known', { unseen: 60 }, ['unseen']],
    ['not on the first night', { unseen: 60 }, [], []],
    ['records that are no accesses', { dropped: { ipv6: 200 } }, ['dropped']],
    ['not those of other days', { dropped: { ipv6: 20, 'outside-window': 500 } }, []],
  ] as const)
    it(what, () => assert.deepEqual([...jumpsOf({ ...plain, ...change }, nights).keys()], kinds))

  it('is told once while it goes on, and again when something else jumps', () => {
    const parts = new Parts()
    for (const ip of ['185.77.12.1', '185.77.12.2', '81.20.30.1'])
      parts.add({ entity: 'arn:aws:iam::111122223333:user/a', ip })
    const named = parts.named(new Map())
    assert.deepEqual(named.networks, [
      { name: '185.77.12.0/24', pairs: 2 },
      { name: '81.20.30.0/24', pairs: 1 },
    ])
    assert.deepEqual(named.accounts, [{ name: '111122223333', pairs: 3 }])
    const jumps = new Map([['unfit', 'many'] as const])
    assert.deepEqual(
      [driftMessage(jumps, named, null).isTold, driftMessage(jumps, named, unfits).isTold],
      [true, false],
    )
    assert.equal(driftMessage(new Map([...jumps, ['unseen', 'new'] as const]), named, unfits).isTold, true)
  })
})

describe('alerts', () => {
  const alert = (entity: string, ip: string): Alert => ({
    entity,
    ip,
    anomalyScore: 1,
    accesses: 1,
    events: 100,
    reasons: ['far'],
    usual: [],
  })
  const told = (day: string, ...ips: string[]) =>
    night(
      day,
      aDay({
        told: newAlerts(
          ips.map((ip) => alert('a', ip)),
          [],
          { from: new Date(midnight(day)), to: new Date() },
          DAY,
        ).told,
      }),
    )
  const on = (day: string, nights: readonly Night[], ...alerts: Alert[]) => {
    const { told: news, goingOn } = newAlerts(
      alerts,
      nights,
      { from: new Date(midnight(day)), to: new Date() },
      7 * DAY,
    )
    return [news.map(({ entity, ip }) => `${entity} ${ip}`), goingOn]
  }

  it('of one entity and /24 are one', () =>
    assert.deepEqual(on('2026-03-09', [], alert('a', '8.8.8.1'), alert('a', '8.8.8.2'), alert('b', '8.8.8.1')), [
      ['a 8.8.8.1', 'b 8.8.8.1'],
      0,
    ]))
  it('that were told less than a period ago go on', () =>
    assert.deepEqual(on('2026-03-09', [told('2026-03-03', '8.8.8.1')], alert('a', '8.8.8.9'), alert('a', '9.9.9.9')), [
      ['a 9.9.9.9'],
      1,
    ]))
  it('that still go on after it are told again', () =>
    assert.deepEqual(on('2026-03-10', [told('2026-03-03', '8.8.8.1')], alert('a', '8.8.8.9')), [['a 8.8.8.9'], 0]))
  it('of a day that is made up for are not known from later days', () =>
    assert.deepEqual(on('2026-03-02', [told('2026-03-03', '8.8.8.1')], alert('a', '8.8.8.9')), [['a 8.8.8.9'], 0]))
})

it('the history shows what strangers write as text, the newest first', () => {
  const alert = {
    entity: '<img src=x>',
    ip: '8.8.8.8',
    name: '"><script>',
    account: '',
    call: 'a&b',
    anomalyScore: 1,
    reason: '\u202e',
  }
  const drift = { ...unfits, entities: [{ name: '<b>', pairs: 3 }] }
  const page = historyPage(
    'cloudtrail',
    [night('2026-03-01'), night('2026-03-02', aDay({ told: [alert], drift })), night('2026-03-03', null)],
    undefined,
  )
  assert.doesNotMatch(page, /<img|"><script>|<b>[^U]|\u202e/)
  assert.match(page, /&quot;&gt;&lt;script&gt;/)
  assert.ok(
    page.indexOf('2026-03-03') < page.indexOf('2026-03-02') && page.indexOf('2026-03-02') < page.indexOf('2026-03-01'),
  )
  assert.ok(page.indexOf('id="alerts"') < page.indexOf('id="days"'))
  assert.match(page, /href="\.\.\/runs\/model\/scores\/day\/report\.html"/)
})
