import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type NightlyOptions, nightOptions } from '../../../scripts/setup/nightly/options.ts'

const place = { account: '111122223333', region: 'eu-west-1', isImported: false }
const chosen = (given: Partial<NightlyOptions>): NightlyOptions => ({
  nightly: { hour: 2, minute: 30 },
  source: [],
  notify: undefined,
  alertsPerDay: undefined,
  findings: [],
  securityHub: undefined,
  retrain: undefined,
  history: undefined,
  allow: [],
  maxCost: undefined,
  ...given,
})

const cases: [what: string, given: Partial<NightlyOptions>, before: string, options: string][] = [
  ['without a bound it is agreed to', { source: ['waf'] }, '', '--source waf --yes'],
  ['with one it is not', { source: ['waf'], maxCost: 2 }, '', '--source waf --max-cost 2'],
  ['no alerts are a budget, too', { alertsPerDay: 0 }, '--source waf --yes', '--source waf --alerts-per-day 0 --yes'],
  ['what is named replaces', { source: ['cloudtrail', 'waf'] }, '--source waf --yes', '--source cloudtrail,waf --yes'],
  ['a bound takes the consent back', { maxCost: 0.5 }, '--source waf --yes', '--source waf --max-cost 0.5'],
  [
    'Security Hub is that of the stack',
    { findings: ['asff', 'ocsf'], allow: ['10.0.0.0/8'] },
    '--source waf --yes',
    '--source waf --findings asff,ocsf --allow 10.0.0.0/8 --findings-account 111122223333 --findings-region eu-west-1 --yes',
  ],
  [
    'and no longer named when nothing goes there',
    { findings: ['csv'] },
    '--source waf --findings asff --findings-account 111122223333 --findings-region eu-west-1 --yes',
    '--source waf --findings csv --yes',
  ],
]
for (const [what, given, before, options] of cases)
  test(`options of a night: ${what}`, () => assert.equal(nightOptions(chosen(given), before, place), options))

test('options of a night: what is imported is written, too', () =>
  assert.equal(
    nightOptions(chosen({}), '--source waf --findings ocsf --yes', { ...place, isImported: true }),
    '--source waf --findings ocsf,asff --findings-account 111122223333 --findings-region eu-west-1 --yes',
  ))

test('options of a night: networks in a file are refused', () =>
  assert.throws(() => nightOptions(chosen({ allow: ['./our networks'] }), '', place), /has no files of yours/))
