import { Accesses } from '../../scripts/lib/insights/accesses.ts'
import { scoreBy } from '../../scripts/lib/insights/encoder.ts'
import { calibrate } from '../../scripts/lib/insights/evaluation.ts'
import { EvidenceModel } from '../../scripts/lib/insights/evidence.ts'
import { validated } from '../../scripts/lib/insights/hyperparameters.ts'
import { initialWeights } from '../../scripts/lib/insights/network.ts'
import { Rank } from '../../scripts/lib/insights/rank.ts'
import { shapeOf } from '../../scripts/lib/insights/trainer.ts'
import { simulatedWorld, tutorialWorld } from '../support/worlds.ts'
import { CHOICE } from './train.ts'

const WORLDS = { simulated: simulatedWorld, tutorial: tutorialWorld } as const
const USERS = 3000
/** Rows of each table of prefixes, as the trainer takes for so many networks. */
const PREFIX_ROWS = 1 << 16

interface ScoreFigures {
  readonly world: string
  readonly pairs: number
  /** Pairs a second of processor time: IP Insights alone, and the rank by score and evidence without it. */
  readonly scored: number
  readonly ranked: number
}

/** Scores and ranks the distinct pairs of a holdout in this process. Weights are as they begin: that takes the same time. */
export async function benchScore(): Promise<ScoreFigures[]> {
  const figures: ScoreFigures[] = []
  for (const [world, make] of Object.entries(WORLDS)) {
    const { train, holdout, days } = make({ seed: 1, users: USERS })
    const set = validated({ vector_dim: CHOICE['vector-dim'], num_entity_vectors: 2 * USERS })
    const score = scoreBy(initialWeights(shapeOf(set, PREFIX_ROWS), 1))
    const settings = { alertsPerDay: 10, days, minEvents: 10, seed: 1, model: '' }
    const calibration = await calibrate(score, { train, holdout }, settings)
    const rank = new Rank(calibration?.rank?.folds ?? [], 'even')
    const before = new Accesses(train)
    const evidence = new EvidenceModel(train, before.grouped)
    const pairs = [...new Accesses(holdout).distinct()].filter(({ entity }) => before.events(entity) > 0)
    const ips = Uint32Array.from(pairs, ({ ip }) => ip)
    const rows = Uint32Array.from(pairs, (_, i) => i)
    const entities = pairs.map(({ entity }) => entity)
    const [scores, scoring] = timed(() => score(entities, rows, ips))
    const [, ranking] = timed(() =>
      ips.map((ip, i) => rank.value(entities[i]!, evidence.of(entities[i]!, ip), scores[i]!)),
    )
    figures.push({ world, pairs: ips.length, scored: ips.length / scoring, ranked: ips.length / ranking })
  }
  return figures
}

function timed<T>(run: () => T): [T, number] {
  const before = process.cpuUsage()
  const result = run()
  return [result, process.cpuUsage(before).user / 1e6]
}

const millions = (n: number): string => (n / 1e6).toFixed(2)

export const describeScore = (all: readonly ScoreFigures[]): string =>
  [
    'scoring in process, pairs a second of processor time (wanted: a million)',
    ...all.map(
      ({ world, pairs, scored, ranked }) =>
        `  ${world}, ${pairs.toLocaleString('en-US')} pairs: IP Insights ${millions(scored)} million, evidence ${millions(ranked)} million`,
    ),
  ].join('\n')
