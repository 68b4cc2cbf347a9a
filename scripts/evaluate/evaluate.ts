import { Accesses, eventsByEntity, groupByEntity } from '../lib/insights/accesses.ts'
import { type AttackerKind, Attackers, attackerKinds } from '../lib/insights/attackers.ts'
import type { Calibration } from '../lib/insights/calibration.ts'
import { distinctOf, type Holdout, holdoutOf, type Score } from '../lib/insights/evaluation.ts'
import { EvidenceModel } from '../lib/insights/evidence.ts'
import type { Cidr } from '../lib/insights/ipv4.ts'
import { auc } from '../lib/insights/metrics.ts'
import type { Pairs } from '../lib/insights/pairs.ts'
import { Random } from '../lib/insights/random.ts'
import { type Prior, priorNames } from '../lib/insights/rank.ts'
import { ProviderHistory } from '../lib/runs/providers/history.ts'
import type { Providers } from '../lib/runs/providers/providers.ts'
import { type Case, type Ranking, rankingsOf } from './rankings.ts'
import { type Alarms, alarmsOf, type Recall, recallAt } from './recall.ts'

/** What is evaluated. */
export interface Subject {
  readonly train: Pairs
  readonly holdout: Pairs
  readonly days: number
  readonly minEvents: number
  /** Absent where no model can be asked: then only what needs none is measured. */
  readonly score?: Score
  readonly rank?: Calibration['rank']
}

export interface EvaluateSettings {
  readonly seed: number
  /** Attacks of each kind and prior. */
  readonly attacks: number
  readonly alertsPerDay: readonly number[]
  /** Networks that attackers of the kind listed come from. */
  readonly listed: readonly Cidr[]
  /** Where files of networks are given. */
  readonly providers?: Providers | undefined
}

/** One ranking against one kind of attackers. */
export interface Line {
  readonly attackers: AttackerKind
  /** How entities were drawn. */
  readonly prior: Prior
  readonly ranking: string
  readonly auc: number
  /** Recall by share of false alarms, and by alerts a day. */
  readonly falseAlarms: Readonly<Record<string, Recall>>
  readonly budget: Readonly<Record<string, Recall>>
  /** At the last budget, by the accesses of the entity in training. */
  readonly sizes: Readonly<Record<string, number>>
}

export interface Evaluation {
  /** Distinct pairs of the holdout that can be judged. */
  readonly pairs: number
  readonly days: number
  readonly lines: readonly Line[]
}

/** Shares of normal accesses that are flagged. */
export const FALSE_ALARMS = [0.01, 0.001, 0.0001] as const

export const sizeNames = ['below 100', '100 to 999', '1000 or more'] as const

/** Undefined when no pair of the holdout can be judged. */
export async function evaluate(
  subject: Subject,
  settings: EvaluateSettings,
  signal: AbortSignal,
): Promise<Evaluation | undefined> {
  const { train, days, minEvents, score, rank } = subject
  const grouped = groupByEntity(train)
  const known = eventsByEntity(train)
  const holdout = holdoutOf(subject.holdout, known, minEvents)
  if (holdout.scorable.length === 0) return undefined
  const evidence = new EvidenceModel(train, grouped)
  const attackers = new Attackers(grouped, settings.listed)
  const history = settings.providers && new ProviderHistory(settings.providers, new Accesses(train))
  const rankings = rankingsOf({ score: score !== undefined, providers: history !== undefined }, rank)
  const about = { evidence, score, history }
  const normal = await casesOf(distinctOf(holdout), about)
  const sorted = sortedBy(rankings, normal)
  const points = pointsOf(normal.length, days, settings)
  const lines: Line[] = []
  for (const prior of priorNames)
    for (const kind of attackerKinds) {
      if (kind === 'listed' && settings.listed.length === 0) continue
      await new Promise(setImmediate)
      signal.throwIfAborted()
      const random = new Random(settings.seed, 20, attackerKinds.indexOf(kind), priorNames.indexOf(prior))
      const targets = { train, holdout, known, minEvents, prior }
      const attacks = await casesOf(drawn(targets, attackers, { kind, many: settings.attacks, random }), about)
      for (const [name, ranking] of Object.entries(rankings))
        lines.push({
          attackers: kind,
          prior,
          ranking: name,
          ...measured(sorted.get(name) ?? new Float64Array(), { attacks, ranking }, points),
        })
    }
  return { pairs: normal.length, days, lines }
}

interface Targets {
  readonly train: Pairs
  readonly holdout: Holdout
  readonly known: ReadonlyMap<string, number>
  readonly minEvents: number
  readonly prior: Prior
}

/** Attacks on entities that can be judged: each alike, or as often as they are in the holdout. */
function drawn(
  { train, holdout, known, minEvents, prior }: Targets,
  attackers: Attackers,
  { kind, many, random }: { readonly kind: AttackerKind; readonly many: number; readonly random: Random },
): Pairs {
  const indexOf = new Map(train.entities.map((entity, e) => [entity, e]))
  const judged = train.entities.flatMap((entity, e) => ((known.get(entity) ?? 0) >= minEvents ? [e] : []))
  const ofHoldout = () => {
    const row = holdout.scorable[random.below(holdout.scorable.length)] ?? 0
    return indexOf.get(holdout.pairs.entities[holdout.pairs.entityIndex[row] ?? 0] ?? '') ?? 0
  }
  const entityIndex = Uint32Array.from({ length: many }, () =>
    prior === 'even' ? (judged[random.below(judged.length)] ?? 0) : ofHoldout(),
  )
  return { entities: train.entities, entityIndex, ip: entityIndex.map((e) => attackers.draw(kind, e, random)) }
}

/** What is known about accesses. */
interface About {
  readonly evidence: EvidenceModel
  readonly score: Score | undefined
  readonly history: ProviderHistory | undefined
}

async function casesOf(pairs: Pairs, { evidence, score, history }: About): Promise<Case[]> {
  const scores = await score?.(pairs.entities, pairs.entityIndex, pairs.ip)
  return Array.from(pairs.ip, (ip, i) => {
    const entity = pairs.entities[pairs.entityIndex[i] ?? 0] ?? ''
    const provider = history?.before(entity, ip) ?? Number.NaN
    return { entity, evidence: evidence.of(entity, ip), provider, dotProduct: scores?.[i] ?? Number.NaN }
  })
}

const sortedBy = (rankings: Readonly<Record<string, Ranking>>, cases: readonly Case[]): Map<string, Float64Array> =>
  new Map(Object.entries(rankings).map(([name, ranking]) => [name, descending(cases, ranking)]))

const descending = (cases: readonly Case[], ranking: Ranking): Float64Array =>
  Float64Array.from(cases, ranking).sort().reverse()

/** Where recall is measured. */
interface Points {
  readonly falseAlarms: Readonly<Record<string, Alarms>>
  readonly budget: Readonly<Record<string, Alarms>>
}

function pointsOf(normal: number, days: number, { seed, alertsPerDay }: EvaluateSettings): Points {
  const budgets = alertsPerDay.toSorted((a, b) => a - b)
  const at = (alarms: number) => alarmsOf(alarms, normal, seed)
  return {
    falseAlarms: Object.fromEntries(FALSE_ALARMS.map((share) => [share, at(share * normal)])),
    budget: Object.fromEntries(budgets.map((alerts) => [alerts, at(Math.floor(alerts * days))])),
  }
}

function measured(
  normal: Float64Array,
  { attacks, ranking }: { readonly attacks: readonly Case[]; readonly ranking: Ranking },
  points: Points,
): Omit<Line, 'attackers' | 'prior' | 'ranking'> {
  const suspicion = descending(attacks, ranking)
  const at = (all: Readonly<Record<string, Alarms>>) =>
    Object.fromEntries(Object.entries(all).map(([name, alarms]) => [name, recallAt(normal, suspicion, alarms)]))
  const last = Object.values(points.budget).at(-1)?.alarms ?? 0
  const threshold = normal[last] ?? Number.NEGATIVE_INFINITY
  return {
    auc: auc(suspicion, normal),
    falseAlarms: at(points.falseAlarms),
    budget: at(points.budget),
    sizes: Object.fromEntries(
      sizeNames.map((name) => {
        const own = attacks.filter(({ evidence }) => sizeName(evidence.accesses) === name)
        return [name, own.filter((of) => ranking(of) > threshold).length / Math.max(1, own.length)]
      }),
    ),
  }
}

const sizeName = (accesses: number): (typeof sizeNames)[number] =>
  accesses < 100 ? 'below 100' : accesses < 1000 ? '100 to 999' : '1000 or more'
