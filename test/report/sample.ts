import { Random } from '../../scripts/lib/insights/random.ts'
import type { Anomaly, ReportData, Timelines } from '../../scripts/report/data.ts'

/** Report data that a demo could have, made up from a seed. */
export function sampleData(change: Partial<ReportData> = {}): ReportData {
  return {
    run: {
      id: 'cloudtrail-20260302T0000Z-20260312T0000Z-3f9a1c',
      sourceName: 'CloudTrail',
      logs: 's3://org-logs',
      from: '2026-03-02T00:00:00.000Z',
      to: '2026-03-12T00:00:00.000Z',
      accounts: [],
      regions: [],
      objects: 1440,
      bytes: 21_400_000,
      usd: 0,
      priceNote: 'prices of us-east-1 as of 2026-11-20',
    },
    extracted: {
      events: 118_204,
      pairs: 92_110,
      trainPairs: 73_688,
      holdoutPairs: 18_422,
      entities: 312,
      entity: 'principal',
      cutoff: '2026-03-10T00:00:00.000Z',
      dropped: [
        { reason: 'AWS service', events: 14_022 },
        { reason: 'IPv6', events: 6_100 },
        { reason: 'no entity', events: 3_902 },
        { reason: 'outside the window', events: 2_070 },
      ],
    },
    trained: {
      calibrated: {
        version: 1,
        auc: 0.9862,
        baselines: {
          ip: { normalSeen: 0.21, attackSeen: 0, auc: 0.605 },
          net24: { normalSeen: 0.72, attackSeen: 0, auc: 0.86 },
          net16: { normalSeen: 0.951, attackSeen: 0.004, auc: 0.9735 },
        },
        holdoutPairs: 41_308,
        distinctPairs: 6_212,
        unseenPairs: 102,
        sparsePairs: 88,
        days: 2,
        quantiles: Array.from({ length: 1001 }, (_, i) => -9 + 22 * Math.sqrt(i / 1000)),
        tail: [-9],
        threshold: -4.2,
        alertsPerDay: 10,
        minEvents: 5,
        model: 'sha256',
      },
      hyperparameters: [
        ['num_entity_vectors', '624'],
        ['vector_dim', '32'],
        ['epochs', '10'],
        ['learning_rate', '0.01'],
        ['mini_batch_size', '1000'],
      ],
    },
    scored: {
      rank: 'score',
      of: 'holdout',
      judged: 6_212,
      evidence: 0,
      unseen: 41,
      sparse: 88,
      flagged: 17,
      allowed: 0,
      threshold: -4.2,
      alertsPerDay: 10,
      minEvents: 10,
      allow: [],
      bins: sampleBins(),
      top: sampleTop(),
      allowedTop: [],
      timelines: sampleTimelines(),
      unjudged: [
        {
          entity: 'AIDAQNEWPERSON0000001',
          verdict: 'unseen-entity',
          addresses: 23,
          busiest: busiestOf(20),
          accesses: 210,
        },
        {
          entity: 'AROAQRARELYUSED000002',
          verdict: 'sparse-entity',
          addresses: 1,
          busiest: [{ ip: '192.0.2.77', accesses: 7 }],
          accesses: 7,
        },
      ],
      unjudgedEntities: 2,
      days: 2,
      attacks: {
        kinds: [
          { kind: 'random-network', attacks: 20, flagged: 18, byRule: { ip: 0.1, net24: 0.4, net16: 1.6 } },
          { kind: 'other-entity', attacks: 12, flagged: 6, byRule: { ip: 0.1, net24: 0.3, net16: 0.9 } },
          { kind: 'near-network', attacks: 8, flagged: 0, byRule: { ip: 0, net24: 0.2, net16: 0.1 } },
        ],
        precision: 14 / 17,
        curve: {
          auc: 0.941,
          at: { falsePositives: 0.0005, truePositives: 0.36 },
          roc: Array.from({ length: 101 }, (_, i) => ({
            falsePositives: (i / 100) ** 3,
            truePositives: (i / 100) ** 0.22,
          })),
          rules: {
            ip: { normalSeen: 0.21, attackSeen: 0, auc: 0.605 },
            net24: { normalSeen: 0.72, attackSeen: 0.05, auc: 0.835 },
            net16: { normalSeen: 0.951, attackSeen: 0.2, auc: 0.8755 },
          },
        },
      },
    },
    next: 'npx zx scripts/score.mjs --run cloudtrail-20260302T0000Z-20260312T0000Z-3f9a1c',
    questions: {
      address: 'npx zx scripts/query.mjs --run r sql/explore/entities-of-address.sql --ip=',
      entity: 'npx zx scripts/query.mjs --run r sql/explore/addresses-of-entity.sql --entity-name=',
      allow: 'npx zx scripts/score.mjs --run r --alerts-per-day=10 --allow ',
    },
    ...change,
  }
}

const busiestOf = (n: number) => Array.from({ length: n }, (_, i) => ({ ip: `203.0.113.${i}`, accesses: n - i }))

function sampleBins() {
  return Array.from({ length: 60 }, (_, i) => {
    const from = -11 + i * 0.4
    const bell = (center: number, width: number) => Math.exp(-(((from - center) / width) ** 2))
    return { from, to: from + 0.4, normal: Math.round(500 * bell(6, 3)), attack: Math.round(6 * bell(-6, 2.5)) }
  })
}

function sampleTimelines(): Timelines {
  const slots = (step: number) =>
    Array.from({ length: Math.floor(240 / step) }, (_, i) => [i * step, 1 + (i % 9)] as const)
  return {
    from: '2026-03-02T00:00:00.000Z',
    to: '2026-03-12T00:00:00.000Z',
    judgedFrom: '2026-03-10T00:00:00.000Z',
    slots: 240,
    hours: 1,
    lines: Array.from({ length: 24 }, (_, i) => ({
      entity: i === 0 ? 'AIDAQX7Y2ZEXAMPLE0001' : `role-${i}`,
      usual: slots(3 + i),
      odd: [
        [200, 1],
        [239, 4],
      ],
      firstOdd: '2026-03-10T08:00:00.000Z',
    })),
    entities: 24,
  }
}

function sampleTop(): Anomaly[] {
  const random = new Random(7)
  const octet = () => random.below(250) + 1
  return Array.from({ length: 20 }, (_, i) => ({
    entity: ['AIDAQX7Y2ZEXAMPLE0001', 'AROAQEXAMPLEROLE00042', '111122223333', 'ana.okafor17'][i % 4]!,
    ip: `${octet()}.${octet()}.${octet()}.${octet()}`,
    accesses: random.below(9) + 1,
    events: random.below(900) + 20,
    anomalyScore: 10.6 - i * 0.23,
    flagged: i < 17,
    seen: { ip: false, net24: false, net16: i % 5 === 0 },
    ...(i % 9 !== 4 && i < 17 && { label: ['random-network', 'other-entity'][i % 2]! }),
    usual: [
      { network: `${octet()}.${octet()}.${octet()}.0/24`, share: 0.61 },
      { network: `${octet()}.${octet()}.${octet()}.0/24`, share: 0.22 },
    ],
  }))
}
