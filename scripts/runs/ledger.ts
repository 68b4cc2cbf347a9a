import * as z from 'zod'
import { messageOf, UserError } from '../cli/errors.ts'
import type { Store, WriteOptions } from '../stores/store.ts'
import { paths } from './paths.ts'
import { requestSchema } from './request.ts'

const VERSION = 1

const json = z.json()

const stepSchema = z.strictObject({
  state: z.enum(['running', 'done', 'failed']),
  /** The options that shape the result. */
  settings: z.record(z.string(), json),
  /** Stamps of the earlier steps that this one read. */
  inputs: z.record(z.string(), z.string()),
  /** Names the result: equal stamps, equal bytes. Only a done step has one. */
  stamp: z.string().optional(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().optional(),
  /** Ids of remote jobs and whatever else a resumed step needs to know. */
  memory: z.record(z.string(), json),
  result: z.record(z.string(), json).optional(),
  error: z.string().optional(),
})

const ledgerSchema = z.strictObject({
  version: z.literal(VERSION),
  id: z.string(),
  createdAt: z.iso.datetime(),
  touchedAt: z.iso.datetime(),
  request: requestSchema,
  steps: z.record(z.string(), stepSchema),
})

/** What run.json holds: the request, and the state of every step. */
export type Ledger = z.infer<typeof ledgerSchema>
export type StepRecord = z.infer<typeof stepSchema>
export type Json = z.infer<typeof json>

/** Undefined when the run has none. @throws UserError when it is damaged */
export async function readLedger(store: Store): Promise<Ledger | undefined> {
  const text = await store.text(paths.ledger)
  if (text === undefined) return undefined
  try {
    const ledger: unknown = JSON.parse(text)
    refuseOtherVersion(ledger)
    return ledgerSchema.parse(ledger)
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error)
    throw new UserError(`${store.uri}/${paths.ledger} cannot be read: ${reason}`, {
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
