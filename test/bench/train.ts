import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatIpv4 } from '../../scripts/lib/insights/ipv4.ts'
import { auc } from '../../scripts/lib/insights/metrics.ts'
import { loadModel } from '../../scripts/lib/insights/model.ts'
import { Random } from '../../scripts/lib/insights/random.ts'
import { type AttackKind, attackKinds, type Behaviour, behaviour } from '../../scripts/simulate/behaviour.ts'
import { scriptPath } from '../support/run-script.ts'
import { measured } from './measured.ts'

/** The tutorial's data set: 10,000 users, ten days, seven to train on and three held out. */
const [SEED, USERS, TRAIN_SHARE, DAYS] = [7, 10_000, 0.7, 10] as const
/** This trainer's choice for it. */
export const CHOICE = {
  'vector-dim': 48,
  'mini-batch-size': 500,
  epochs: 1,
  'weight-decay': 0,
  'num-entity-vectors': 100_000,
} as const
const SAMPLE = 100_000

export interface TrainFigures {
  readonly users: number
  readonly trainPairs: number
  readonly holdoutPairs: number
  readonly choice: typeof CHOICE
  /** Of the whole process: reading, training, calibrating, writing. */
  readonly seconds: number
  readonly trainSeconds: number
  readonly cpuSeconds: number | undefined
  /** Largest resident set; undefined where the system does not say. */
  readonly peakBytes: number | undefined
  /** AUC of holdout pairs against attackers on the same entities, by kind; the tutorial's is random-network. */
  readonly auc: Readonly<Record<AttackKind, number>>
  /** What the script itself measures: against random public addresses, and the rule "/16 seen before" on the same. */
  readonly ownAuc: number
  readonly net16Auc: number
}

/** Trains on the tutorial's data set, as a user would, in a process of its own. */
export async function benchTrain(): Promise<TrainFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'prestage-bench-'))
  try {
    const users = behaviour({ seed: SEED, users: USERS })
    const rows = await writePairs(users, folder)
    const choice = Object.entries(CHOICE).flatMap(([name, value]) => [`--${name}`, String(value)])
    const inputs = ['--pairs', join(folder, 'train.csv'), '--holdout', join(folder, 'holdout.csv')]
    const span = ['--holdout-days', String(DAYS * (1 - TRAIN_SHARE)), '--model', join(folder, 'model')]
    const trained = await measured(process.execPath, [
      scriptPath('train'),
      ...inputs,
      ...span,
      ...choice,
      '--output',
      'json',
    ])
    const result = JSON.parse(trained.stdout) as Record<string, number> & { baselines: { net16: number } }
    return {
      users: USERS,
      ...rows,
      choice: CHOICE,
      seconds: trained.seconds,
      trainSeconds: result.trainSeconds ?? Number.NaN,
      cpuSeconds: trained.cpuSeconds,
      peakBytes: trained.peakBytes,
      auc: await attackAuc(users, folder),
      ownAuc: result.auc ?? Number.NaN,
      net16Auc: result.baselines.net16,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const nameOf = (user: number): string => `user_${user}`

async function writePairs(users: Behaviour, folder: string) {
  const train = await open(join(folder, 'train.csv'), 'w')
  const holdout = await open(join(folder, 'holdout.csv'), 'w')
  const counts = { trainPairs: 0, holdoutPairs: 0 }
  for (let user = 0; user < users.users; user++) {
    const [trainRows, holdoutRows]: [string[], string[]] = [[], []]
    for (let event = 0; event < users.eventsOf(user); event++) {
      const rows = users.momentOf(user, event) < TRAIN_SHARE ? trainRows : holdoutRows
      rows.push(`${nameOf(user)},${formatIpv4(users.addressOf(user, event))}\n`)
    }
    counts.trainPairs += trainRows.length
    counts.holdoutPairs += holdoutRows.length
    await train.appendFile(trainRows.join(''))
    await holdout.appendFile(holdoutRows.join(''))
  }
  await train.close()
  await holdout.close()
  return counts
}

async function attackAuc(users: Behaviour, folder: string): Promise<Record<AttackKind, number>> {
  const model = await loadModel(join(folder, 'model', 'model.tar.gz'))
  const random = new Random(SEED, 99)
  const events: [user: number, event: number][] = []
  const total = Array.from({ length: users.users }, (_, user) => users.eventsOf(user))
  const starts = Float64Array.from(total)
  for (let user = 1; user < starts.length; user++) starts[user]! += starts[user - 1]!
  while (events.length < SAMPLE) {
    // Weighted by activity, like the events themselves, so that no entity is more often attacked than it is used.
    const at = random.below(starts.at(-1)!)
    const user = starts.findIndex((end) => at < end)
    const event = starts[user]! - at - 1
    if (users.momentOf(user, event) >= TRAIN_SHARE) events.push([user, event])
  }
  const score = ([user]: [number, number], ip: number) => model.score(nameOf(user), ip)
  const normal = Float64Array.from(events, (pair) => score(pair, users.addressOf(...pair)))
  const against = (kind: AttackKind) =>
    auc(
      normal,
      Float64Array.from(events, (pair, n) => score(pair, users.attackOn(pair[0], kind, n))),
    )
  return Object.fromEntries(attackKinds.map((kind) => [kind, against(kind)])) as Record<AttackKind, number>
}

export function describeTrain(figures: TrainFigures): string {
  const { auc: attack, choice, peakBytes } = figures
  return [
    `training on the tutorial's data set: ${figures.users} users, ${figures.trainPairs} pairs, ${figures.holdoutPairs} held out`,
    `  choice: ${Object.entries(choice)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')}`,
    `  whole process ${figures.seconds.toFixed(1)} s (wanted: at most 15), ${figures.cpuSeconds?.toFixed(1) ?? '?'} s of processor time, training ${figures.trainSeconds.toFixed(1)} s (wanted: at most 8), peak ${
      peakBytes === undefined ? 'not known' : `${Math.round(peakBytes / 1e6)} MB`
    }`,
    `  AUC against random-network attackers ${attack['random-network'].toFixed(4)} (wanted: at least 0.987), other-entity ${attack['other-entity'].toFixed(4)}, near-network ${attack['near-network'].toFixed(4)}`,
    `  AUC against random public addresses ${figures.ownAuc.toFixed(4)}, of the rule "/16 seen before" ${figures.net16Auc.toFixed(4)}`,
  ].join('\n')
}
