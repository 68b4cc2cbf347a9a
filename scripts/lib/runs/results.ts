import * as v from 'valibot'
import { listOf, number, optionalMembers, record, time, whole } from '../cli/shapes.ts'
import { priorNames, rankNames } from '../insights/rank.ts'

// What each step writes into the ledger, and what later steps, reports and people read there. Members stand in the order in which
// they are written. Times are ISO 8601 in UTC, sizes are bytes, costs are US dollars.

const stage = v.strictObject({
  objects: whole,
  bytes: whole,
  copied: whole,
  /** Objects that an earlier attempt had copied. */
  skipped: whole,
  failed: whole,
  /** Set where nothing is copied: the objects are read where the logs lie, and `staged` holds their URIs. */
  inPlace: v.exactOptional(v.literal(true)),
  /** Copies whose SHA-256 was checked; only with `--verify full`. */
  verified: v.exactOptional(whole),
  listRequests: whole,
  estimatedUsd: number,
  /** URI of the copies. */
  staged: v.string(),
  /** URI of the manifest. */
  manifest: v.string(),
  selectedAt: time,
  /** Whether even late files had been delivered when the keys were listed. */
  final: v.boolean(),
  /** When late files stop coming. */
  completeAfter: time,
  digest: v.string(),
})

/** A file, or a folder of part files, with pairs or entities. Keys are relative to the run. */
export const outputFile = v.strictObject({ path: v.string(), rows: whole, bytes: whole })

const extract = v.strictObject({
  events: whole,
  pairs: whole,
  trainPairs: whole,
  holdoutPairs: whole,
  entities: whole,
  /** Which field the entity is, for example `principal`. */
  entity: v.string(),
  includePrivate: v.boolean(),
  /** Events that did not become pairs, by reason. */
  dropped: record(v.string(), whole),
  /** IPv6 pairs, which IP Insights cannot take: accesses of either part, and different pairs. Absent where they are not kept. */
  ipv6: v.exactOptional(v.strictObject({ trainPairs: whole, holdoutPairs: whole, distinct: whole })),
  files: listOf(outputFile),
  skippedFiles: listOf(v.strictObject({ path: v.string(), reason: v.string() })),
  /** Where the holdout begins. */
  cutoff: time,
  digest: v.string(),
  /** Bytes that Athena scanned, and their price. */
  scannedBytes: v.exactOptional(whole),
  usd: v.exactOptional(number),
})

/** What every training reports, wherever it ran. */
const training = {
  /** URI of model.tar.gz. */
  model: v.string(),
  modelBytes: whole,
  /** URI of calibration.json; null when the holdout is empty, or the model is calibrated later by deploy or score. */
  calibration: v.nullable(v.string()),
  pairs: whole,
  holdoutPairs: whole,
  entities: whole,
  /** Entities that share their vector with another one. */
  sharingEntities: whole,
  epochs: whole,
  vectorDim: whole,
  numEntityVectors: whole,
  trainSeconds: number,
  /** Of the holdout against random addresses; null without a holdout. */
  auc: v.nullable(number),
  /** AUC of the rules "address, /24, /16 seen before"; empty without a calibration. */
  baselines: optionalMembers({
    ip: v.exactOptional(number),
    net24: v.exactOptional(number),
    net16: v.exactOptional(number),
  }),
  threshold: v.nullable(number),
  alertsPerDay: number,
  /** SHA-256 of the model's file; in SageMaker, of its URI, ETag and size. */
  digest: v.string(),
}

const train = v.variant('backend', [
  v.strictObject({ backend: v.literal('local'), ...training, seed: whole }),
  v.strictObject({
    backend: v.literal('sagemaker'),
    ...training,
    /** Name of the training job. */
    job: v.string(),
    image: v.string(),
    region: v.string(),
    instanceType: v.string(),
    billedSeconds: number,
    /** Null for an instance type without a known price. */
    usd: v.nullable(number),
  }),
])

/** How a model does on a holdout. */
export const holdoutMetrics = v.strictObject({
  /** Holdout pairs against the same entities with random public addresses. */
  auc: number,
  /** Share of those attacks that the model flags within the alert budget. */
  found: number,
  /** Share of the distinct holdout pairs that it then flags. */
  flagged: number,
})

const deploy = v.variant('backend', [
  v.strictObject({
    backend: v.literal('local'),
    /** URL. */
    endpoint: v.string(),
    status: v.literal('InService'),
    pid: whole,
    port: whole,
    /** Whoever knows it may stop the endpoint. */
    token: v.string(),
    digest: v.string(),
  }),
  v.strictObject({
    backend: v.literal('sagemaker'),
    /** Name. */
    endpoint: v.string(),
    region: v.string(),
    status: v.literal('InService'),
    /** Name of the endpoint configuration in service. */
    config: v.string(),
    /** The configuration that it replaced; null for a new endpoint. */
    previous: v.nullable(v.string()),
    threshold: v.nullable(number),
    auc: v.nullable(number),
    challenger: v.nullable(holdoutMetrics),
    champion: v.nullable(holdoutMetrics),
    hourlyUsd: v.nullable(number),
    digest: v.string(),
  }),
])

/** How a rule "not seen before for this entity" does with as many alerts as the model. */
const ruleResult = v.strictObject({
  /** Expected number of attacks among as many of its alarms as the model flags. */
  found: number,
  recall: number,
  precision: number,
  /** What it would flag without a limit. */
  alarms: whole,
})

/** How well one kind of labelled attack was found. */
const attackResult = v.strictObject({
  kind: v.string(),
  /** Distinct labelled pairs; of these judged, and flagged. */
  attacks: whole,
  judged: whole,
  flagged: whole,
  /** Of all of this kind, judged or not. */
  recall: number,
  /** Attacks of this kind among them and the false alerts. */
  precision: number,
  rules: v.exactOptional(v.strictObject({ ip: ruleResult, net24: ruleResult, net16: ruleResult })),
})

const score = v.strictObject({
  /** What ranks pairs, and which entities attackers are thought to take; null where only the score ranks. */
  rank: v.picklist(rankNames),
  prior: v.nullable(v.picklist(priorNames)),
  /** What was judged: `holdout`, the id of another run, or `files`. */
  of: v.string(),
  /** Distinct pairs by verdict. */
  scored: whole,
  /** IPv6 pairs, judged by evidence alone. Absent where there are none. */
  evidence: v.exactOptional(whole),
  unseen: whole,
  sparse: whole,
  flagged: whole,
  /** Pairs below the threshold that lie in an allowed network. */
  allowed: whole,
  /**
   * Pairs, those in allowed networks not counted, below the threshold that leaves just the budget on the holdout. The
   * budget a day is expected; many more say that the model no longer fits. Null when the threshold was set by hand.
   */
  unfit: v.exactOptional(v.nullable(v.strictObject({ pairs: whole, threshold: number }))),
  /** Flagged is what lies below: a score, or with evidence the negative anomaly score. */
  threshold: number,
  /** Null when the threshold was set by hand. */
  alertsPerDay: v.nullable(number),
  minEvents: whole,
  allow: listOf(v.string()),
  /** URIs of the verdicts and of the anomalies. */
  output: v.string(),
  anomalies: v.string(),
  /** Null without labels. */
  attacks: v.nullable(listOf(attackResult)),
  digest: v.string(),
  /** Only when SageMaker scored. */
  by: v.exactOptional(
    v.variant('via', [
      v.strictObject({ via: v.literal('endpoint'), endpoint: v.string(), region: v.string() }),
      v.strictObject({ via: v.literal('transform'), job: v.string(), region: v.string(), instanceType: v.string() }),
    ]),
  ),
  estimatedUsd: v.exactOptional(number),
})

const report = v.strictObject({ report: v.string(), bytes: whole, digest: v.string() })

/** One thing that was removed. */
const removal = v.strictObject({
  what: v.string(),
  files: whole,
  bytes: number,
  /** In place of "removed", for what does not lie anywhere, such as a query that was stopped. */
  done: v.exactOptional(v.string()),
})

const clean = v.strictObject({ removed: listOf(removal) })

/** The form of each step's result. */
export const resultSchemas = { stage, extract, train, deploy, score, report, clean }

export type PlainStep = keyof typeof resultSchemas

/** Judges another run with this run's model, and shows its verdicts. */
export type StepOnOther = `score/${string}` | `report/${string}`

export type StepName = PlainStep | StepOnOther

/** The kind of a step: `score` of `score/<id>`. */
export type Kind<S extends StepName> = S extends `score/${string}`
  ? 'score'
  : S extends `report/${string}`
    ? 'report'
    : S & PlainStep

const OF_ANOTHER_RUN = /^(score|report)\/[\w.-]+$/

export const stepKind = <S extends StepName>(name: S): Kind<S> => name.replace(/\/.*/, '') as Kind<S>

export const isStepName = (name: string): name is StepName =>
  Object.hasOwn(resultSchemas, name) || OF_ANOTHER_RUN.test(name)

export type Results = { [S in StepName]: v.InferOutput<(typeof resultSchemas)[Kind<S>]> }

export type TrainResult = Results['train']
export type ScoreResult = Results['score']
export type AttackResult = v.InferOutput<typeof attackResult>
export type ScoredBy = NonNullable<ScoreResult['by']>
export type HoldoutMetrics = v.InferOutput<typeof holdoutMetrics>
export type Removal = v.InferOutput<typeof removal>

/** Where a step was done. */
export type Backend = TrainResult['backend']
export type DoneBy<R extends { readonly backend: Backend }, B extends Backend> = Extract<R, { readonly backend: B }>
