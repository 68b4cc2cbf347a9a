import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCidr, parseIpv4 } from '../../scripts/lib/insights/ipv4.ts'
import type { Verdict } from '../../scripts/lib/runs/verdicts.ts'
import { judge, type KnownPair, type Policy } from '../../scripts/score/judge.ts'

const POLICY: Policy = { threshold: -1, minEvents: 10, allow: [] }
const allowing = (...nets: string[]): Policy => ({ ...POLICY, allow: nets.map(parseCidr) })
const IP = parseIpv4('198.51.100.7')!

const evidence = (events: number, dotProduct: number): KnownPair => ({
  entity: 'john%2Edoe',
  ip: IP,
  events,
  dotProduct,
  value: dotProduct,
  accesses: 4,
})
const common = { entity: 'john.doe', ip: '198.51.100.7', accesses: 4 }

const cases: [name: string, evidence: KnownPair, policy: Policy, verdict: Partial<Verdict>][] = [
  [
    'normal',
    evidence(50, 3),
    POLICY,
    { events: 50, verdict: 'scored', dotProduct: 3, anomalyScore: -3, flagged: false },
  ],
  [
    'anomalous',
    evidence(50, -2),
    POLICY,
    { events: 50, verdict: 'scored', dotProduct: -2, anomalyScore: 2, flagged: true },
  ],
  [
    'at the threshold',
    evidence(50, -1),
    POLICY,
    { events: 50, verdict: 'scored', dotProduct: -1, anomalyScore: 1, flagged: false },
  ],
  [
    'zero has no sign',
    evidence(50, 0),
    POLICY,
    { events: 50, verdict: 'scored', dotProduct: 0, anomalyScore: 0, flagged: false },
  ],
  ['unseen', evidence(0, -9), POLICY, { events: 0, verdict: 'unseen-entity', flagged: false }],
  ['sparse', evidence(9, -9), POLICY, { events: 9, verdict: 'sparse-entity', flagged: false }],
  [
    'just enough',
    evidence(10, -9),
    POLICY,
    { events: 10, verdict: 'scored', dotProduct: -9, anomalyScore: 9, flagged: true },
  ],
  [
    'allowed',
    evidence(50, -2),
    allowing('10.0.0.0/8', '198.51.100.0/24'),
    { events: 50, verdict: 'scored', dotProduct: -2, anomalyScore: 2, flagged: false, allowed: '198.51.100.0/24' },
  ],
  [
    'another network is allowed',
    evidence(50, -2),
    allowing('198.51.101.0/24'),
    { events: 50, verdict: 'scored', dotProduct: -2, anomalyScore: 2, flagged: true },
  ],
  [
    'normal needs no allowance',
    evidence(50, 2),
    allowing('0.0.0.0/0'),
    { events: 50, verdict: 'scored', dotProduct: 2, anomalyScore: -2, flagged: false },
  ],
]
for (const [name, given, policy, expected] of cases)
  test(`verdict: ${name}`, () => assert.deepEqual(judge(given, policy), { ...common, ...expected }))

test('what is known beside the score is handed on', () => {
  const seen = { ip: false, net24: true, net16: true }
  const verdict = judge({ ...evidence(50, 0), seen, label: 'near-network' }, POLICY)
  assert.deepEqual([verdict.seen, verdict.label], [seen, 'near-network'])
})
