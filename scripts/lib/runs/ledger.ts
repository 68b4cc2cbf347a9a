import * as v from 'valibot'
import { messageOf, UserError } from '../cli/errors.ts'
import { fitted, json, record, time } from '../cli/shapes.ts'
import type { Store, WriteOptions } from '../stores/store.ts'
import { paths } from './paths.ts'
import { requestSchema } from './request.ts'

const VERSION = 1

const stepSchema = v.strictObject({
  state: v.picklist(['running', 'done', 'failed']),
  /** The options that shape the result. */
  settings: record(v.string(), json),
  /** Stamps of the earlier steps that this one read. */
  inputs: record(v.string(), v.string()),
  /** Names the result: equal stamps, equal bytes. Only a done step has one. */
  stamp: v.optional(v.string()),
  startedAt: time,
  finishedAt: v.optional(time),
  /** Ids of remote jobs and whatever else a resumed step needs to know. */
  memory: record(v.string(), json),
  result: v.optional(record(v.string(), json)),
  error: v.optional(v.string()),
})

const ledgerSchema = v.strictObject({
  version: v.literal(VERSION),
  id: v.string(),
  createdAt: time,
  touchedAt: time,
  request: requestSchema,
  steps: record(v.string(), stepSchema),
})

/** What run.json holds: the request, and the state of every step. */
export type Ledger = v.InferOutput<typeof ledgerSchema>
export type StepRecord = v.InferOutput<typeof stepSchema>
export type { Json } from '../cli/shapes.ts'

/** Undefined when the run has none. @throws UserError when it is damaged */
export async function readLedger(store: Store): Promise<Ledger | undefined> {
  const text = await store.text(paths.ledger)
  if (text === undefined) return undefined
  try {
    const ledger: unknown = JSON.parse(text)
    refuseOtherVersion(ledger)
    return fitted(ledgerSchema, ledger)
  } catch (error) {
    throw new UserError(`${store.uriOf(paths.ledger)} cannot be read: ${messageOf(error)}`, {
      hint: 'move the run folder away and stage again; what is copied already lies in its staged/ folder',
    })
  }
}

function refuseOtherVersion(ledger: unknown): void {
  const version = typeof ledger === 'object' && ledger !== null && 'version' in ledger ? ledger.version : VERSION
  if (version !== VERSION)
    throw new Error(`another version of prestage wrote it (form ${JSON.stringify(version)}, this one knows ${VERSION})`)
}

/** Written whole: a reader sees the old ledger or the new one. */
export async function writeLedger(store: Store, ledger: Ledger, condition?: WriteOptions): Promise<void> {
  await store.write(paths.ledger, `${JSON.stringify(ledger, null, 2)}\n`, condition)
}
