import * as v from 'valibot'
import { listOf, number, optionalMembers, record, time, whole } from '../cli/shapes.ts'
import { holdoutMetrics, type Kind, outputFile, type StepName } from './results.ts'

// What a step saves in the ledger while it works, so that an interrupted step continues instead of starting over or paying twice.

const load = v.strictObject({ objects: whole, bytes: whole })

const keyed = v.strictObject({ key: v.string(), reason: v.string() })

/** A selection of keys, and what is known about it. */
const plan = v.strictObject({
  objects: whole,
  bytes: whole,
  /** Of these, what lies in storage classes that charge for reading. */
  cold: v.exactOptional(record(v.string(), load)),
  /** How the objects are encrypted with KMS, by one of them. */
  kms: v.exactOptional(v.picklist(['object', 'bucket'])),
  digest: v.string(),
  listRequests: whole,
  selectedAt: time,
  final: v.boolean(),
  /** Named by an index, but missing in the logs. */
  lost: listOf(keyed),
  /** When the youngest selected object was written: a younger one was overwritten since. */
  newest: v.nullable(time),
  /** What finding the keys has cost, besides LIST requests. */
  costs: listOf(v.strictObject({ what: v.string(), count: number, each: number })),
})

/** A job of S3 Batch Operations; it has no id while it is being created. */
const batchJob = v.strictObject({
  manifest: v.strictObject({ key: v.string(), etag: v.string(), rows: whole }),
  id: v.exactOptional(v.string()),
})

const stage = optionalMembers({
  plan: v.exactOptional(plan),
  /** Null once the job has ended. */
  job: v.exactOptional(v.nullable(batchJob)),
  endedJobs: v.exactOptional(whole),
  /** Keys whose copies are not what a digest says: they are outstanding until they were copied again and have passed. */
  mismatched: v.exactOptional(listOf(v.string())),
  /** Keys that the logs did not hold any more as planned. */
  outdated: v.exactOptional(listOf(v.string())),
  /** What a source of the configuration file said about keys when the plan was made. */
  definition: v.exactOptional(v.string()),
  /** Options of the last attempt that a command must repeat to stage in the same way. */
  options: v.exactOptional(listOf(v.string())),
})

/** The last attempt at a statement in Athena; its id is null before it is started. */
const athenaQuery = v.strictObject({ attempt: whole, id: v.nullable(v.string()) })

/** What a step that asks Athena saves about its statements. */
const statements = {
  /** Part of the names of all attempts at statements. */
  salt: v.exactOptional(v.string()),
  queries: v.exactOptional(record(v.string(), athenaQuery)),
}

const extract = optionalMembers({
  ...statements,
  /** What Athena extracted; saved before the tables are dropped. */
  extracted: v.exactOptional(
    v.strictObject({
      events: whole,
      trainPairs: whole,
      holdoutPairs: whole,
      dropped: record(v.string(), whole),
      /** First and last event, in milliseconds since 1970. */
      span: v.exactOptional(v.pipe(v.tuple([number, number]), v.readonly())),
      bad: listOf(keyed),
      /** Absent from what an older version saved. */
      ipv6: v.optional(v.strictObject({ trainPairs: whole, holdoutPairs: whole }), { trainPairs: 0, holdoutPairs: 0 }),
      ipv6Pairs: v.optional(whole, 0),
      entities: whole,
      written: v.exactOptional(v.strictObject({ files: listOf(outputFile), digest: v.string() })),
      scannedBytes: whole,
    }),
  ),
})

const train = optionalMembers({
  /** Name of the first job of this training; `job` is that of the last attempt. */
  jobOf: v.exactOptional(v.string()),
  attempt: v.exactOptional(whole),
  job: v.exactOptional(v.string()),
})

const deploy = optionalMembers({
  /** Configuration with which a new endpoint was created. */
  created: v.exactOptional(v.string()),
  /** Configurations before and after an update. */
  previous: v.exactOptional(v.string()),
  config: v.exactOptional(v.string()),
  champion: v.exactOptional(v.nullable(holdoutMetrics)),
  /** Result of the endpoint on which the new model was tried. */
  trial: v.exactOptional(v.strictObject({ name: v.string(), challenger: holdoutMetrics })),
})

const score = optionalMembers({
  ...statements,
  usd: v.exactOptional(number),
  /** Names of transform jobs. */
  scoringJob: v.exactOptional(v.string()),
  calibratingJob: v.exactOptional(v.string()),
})

const none = optionalMembers({})

/** The form of what each step saves. All members are optional: nothing is saved at first. */
export const checkpointSchemas = { stage, extract, train, deploy, score, report: none, clean: none }

type Checkpoints = { [S in StepName]: v.InferOutput<(typeof checkpointSchemas)[Kind<S>]> }
/** What an attempt at a step has saved. */
export type Saved<S extends StepName> = Checkpoints[S]

export type StagePlan = v.InferOutput<typeof plan>
export type BatchJob = v.InferOutput<typeof batchJob>
export type AthenaQuery = v.InferOutput<typeof athenaQuery>

/** What a step saves while it works. */
export interface Checkpoint<T> {
  /** What an earlier, unfinished attempt with the same settings has saved. */
  readonly saved: Readonly<T>
  /** Adds to what is saved; the ledger is written at once. */
  save(more: T): Promise<void>
}
