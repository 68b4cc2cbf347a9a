import type { Verdict } from '../../../scripts/lib/runs/verdicts.ts'
import type { About } from '../../../scripts/score/findings/finding.ts'

export const DAY = 24 * 3_600_000
export const HUB = { account: '012345678901', region: 'us-east-1' }

export const aboutOf = (change: Partial<About> = {}): About => ({
  run: 'waf-20260310T0000Z-20260311T0000Z-abcdef',
  source: 'waf',
  kind: 'user-agent',
  threshold: 0.25,
  window: { from: new Date('2026-03-10T00:00:00Z'), to: new Date('2026-03-11T00:00:00Z') },
  period: DAY,
  scoredAt: new Date('2026-03-11T04:00:00Z'),
  ...change,
})

export const verdictOf = (change: Partial<Verdict> = {}): Verdict => ({
  entity: 'curl/8',
  ip: '198.51.100.7',
  events: 50,
  verdict: 'scored',
  dotProduct: -1,
  anomalyScore: 0 - (change.dotProduct ?? -1),
  flagged: true,
  accesses: 1,
  ...change,
})
