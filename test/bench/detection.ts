import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Evaluation, evaluate } from '../../scripts/evaluate/evaluate.ts'
import { rankingsOf } from '../../scripts/evaluate/rankings.ts'
import { eventsByEntity, groupByEntity } from '../../scripts/lib/insights/accesses.ts'
import { attackerKinds } from '../../scripts/lib/insights/attackers.ts'
import type { Calibration } from '../../scripts/lib/insights/calibration.ts'
import { scoreBy } from '../../scripts/lib/insights/encoder.ts'
import { calibrate, distinctOf, holdoutOf } from '../../scripts/lib/insights/evaluation.ts'
import { EvidenceModel } from '../../scripts/lib/insights/evidence.ts'
import { validated } from '../../scripts/lib/insights/hyperparameters.ts'
import type { Weights } from '../../scripts/lib/insights/network.ts'
import type { Pairs } from '../../scripts/lib/insights/pairs.ts'
import { priorNames } from '../../scripts/lib/insights/rank.ts'
import { trainWeights } from '../../scripts/lib/insights/trainer.ts'
import { attackKinds } from '../../scripts/simulate/behaviour.ts'
import { ownDefaults } from '../../scripts/train/hyperparameters.ts'
import { simulatedWorld, tutorialWorld, type World } from '../support/worlds.ts'
import { officeWorld } from './offices.ts'

/** The tables of docs/detection.md: node --import tsx test/bench/detection.ts --world simulated --users 2000 --seeds 1-3 */
export const worlds = { simulated: simulatedWorld, tutorial: tutorialWorld, offices: officeWorld } as const

const MIN_EVENTS = 10
const BUDGETS = [5, 10, 50] as const

/** Attacks among the first alerts of a holdout: in all, and by kind. */
export type Found = readonly [all: number, ...byKind: number[]]

export interface Figures {
  /** Distinct pairs of the holdout that can be judged, the world's own attacks among them. */
  readonly pairs: number
  /** By ranking and budget. */
  readonly found: Readonly<Record<string, readonly Found[]>>
  /** By made-up attackers, on the holdout without the world's own attacks. */
  readonly evaluation: Evaluation
}

/** The trainer's defaults. */
export const trained = (train: Pairs): Promise<Weights> =>
  trainWeights(train, {
    hyperparameters: validated({ ...ownDefaults, num_entity_vectors: 2 * train.entities.length }),
    seed: 1,
  })

/** Calibrates on the holdout with its attacks, as a user would, and measures. */
export async function figuresOf(world: World, weights: Weights): Promise<Figures> {
  const { train, holdout, days, attacks } = world
  const score = scoreBy(weights)
  const settings = { alertsPerDay: 10, days, minEvents: MIN_EVENTS, seed: 1, model: '' }
  const calibration = await calibrate(score, { train, holdout }, settings)
  const rank = calibration?.rank
  const clean = without(holdout, attacks.length)
  const subject = { train, holdout: clean, days, minEvents: MIN_EVENTS, score, ...(rank && { rank }) }
  const { signal } = new AbortController()
  const evaluation = await evaluate(subject, { seed: 5, attacks: 5000, alertsPerDay: BUDGETS, listed: [] }, signal)
  if (evaluation === undefined) throw new Error('nothing can be judged')
  return { pairs: calibration?.distinctPairs ?? 0, found: foundBy(world, weights, rank), evaluation }
}

/** The attacks are the last rows. */
const without = ({ entities, entityIndex, ip }: Pairs, last: number): Pairs => ({
  entities,
  entityIndex: entityIndex.subarray(0, ip.length - last),
  ip: ip.subarray(0, ip.length - last),
})

function foundBy({ train, holdout, days, attacks }: World, weights: Weights, rank: Calibration['rank']) {
  const grouped = groupByEntity(train)
  const { entities, entityIndex, ip } = distinctOf(holdoutOf(holdout, eventsByEntity(train), MIN_EVENTS))
  const evidence = new EvidenceModel(train, grouped)
  const scores = scoreBy(weights)(entities, entityIndex, ip)
  const cases = Array.from(ip, (address, i) => {
    const entity = entities[entityIndex[i] ?? 0] ?? ''
    return { entity, evidence: evidence.of(entity, address), provider: Number.NaN, dotProduct: scores[i] ?? Number.NaN }
  })
  const kindOf = new Map(attacks.map(({ kind, entity, ip: address }) => [`user_${entity} ${address}`, kind]))
  const found = Object.entries(rankingsOf({ score: true, providers: false }, rank)).map(([name, ranking]) => {
    const suspicion = Float64Array.from(cases, ranking)
    const sequence = [...suspicion.keys()].sort((a, b) => (suspicion[b] ?? 0) - (suspicion[a] ?? 0))
    const at = (alerts: number): Found => {
      const kinds = sequence
        .slice(0, alerts * days)
        .map((i) => kindOf.get(`${cases[i]?.entity} ${ip[i]}`))
        .filter((kind) => kind !== undefined)
      return [kinds.length, ...attackKinds.map((kind) => kinds.filter((of) => of === kind).length)]
    }
    return [name, BUDGETS.map(at)] as const
  })
  return Object.fromEntries(found)
}

/** Both tables as Markdown: alerts that are attacks, summed over the seeds; and recall, in the mean. */
export function describeDetection(all: readonly Figures[], days: number): string {
  const names = Object.keys(all[0]?.found ?? {})
  const alerts = names.map((name) => {
    const cells = BUDGETS.map((_, b) => {
      const sum = (part: number) => all.reduce((total, { found }) => total + (found[name]?.[b]?.[part] ?? 0), 0)
      return `${sum(0)} (${attackKinds.map((_, k) => sum(k + 1)).join(', ')})`
    })
    return `| ${name} | ${cells.join(' | ')} |`
  })
  const of = BUDGETS.map((budget) => `${budget} a day, of ${budget * days * all.length}`)
  return [
    `| ranking | ${of.join(' | ')} |`,
    `| --- |${' --- |'.repeat(BUDGETS.length)}`,
    ...alerts,
    '',
    ...priorNames.flatMap((prior) => recallTable(all, prior, names)),
  ].join('\n')
}

function recallTable(all: readonly Figures[], prior: string, names: readonly string[]): string[] {
  const kinds = attackerKinds.filter((kind) => kind !== 'listed')
  const rows = names.map((name) => {
    const cells = kinds.map((kind) => {
      const lines = all.flatMap(({ evaluation }) =>
        evaluation.lines.filter((line) => line.attackers === kind && line.prior === prior && line.ranking === name),
      )
      const mean = (value: (line: (typeof lines)[number]) => number | undefined) =>
        ((100 * lines.reduce((sum, line) => sum + (value(line) ?? 0), 0)) / lines.length).toFixed(1)
      return `${['0.01', '0.001', '0.0001'].map((share) => mean((line) => line.falseAlarms[share]?.recall)).join(' / ')}, ${mean((line) => line.budget['10']?.recall)}`
    })
    return `| ${name} | ${cells.join(' | ')} |`
  })
  return [`| ${prior} | ${kinds.join(' | ')} |`, `| --- |${' --- |'.repeat(kinds.length)}`, ...rows, '']
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      world: { type: 'string', default: 'simulated' },
      users: { type: 'string', default: '2000' },
      seeds: { type: 'string', default: '1-3' },
    },
  })
  const make = Object.entries(worlds).find(([name]) => name === values.world)?.[1]
  if (make === undefined) throw new Error(`--world must be one of ${Object.keys(worlds).join(', ')}`)
  const [first = 1, last = first] = values.seeds.split('-').map(Number)
  const all: Figures[] = []
  let days = 0
  for (let seed = first; seed <= last; seed++) {
    const world = make({ seed, users: Number(values.users) })
    days = world.days
    all.push(await figuresOf(world, await trained(world.train)))
  }
  process.stdout.write(`${describeDetection(all, days)}\n`)
}
