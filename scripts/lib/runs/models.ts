import * as v from 'valibot'
import { messageOf, UsageError, UserError } from '../cli/errors.ts'
import { fitted, listOf, time } from '../cli/shapes.ts'
import { knownIds } from '../sources/registry.ts'
import { ConditionFailed, type Store } from '../stores/store.ts'
import { MODELS } from './paths.ts'
import { holdoutMetrics } from './results.ts'

/** Why a model came into service, or a new one was trained. */
export const trainReasons = ['none', 'age', 'drift'] as const

const inService = v.strictObject({
  /** The run that trained it. */
  run: v.string(),
  since: time,
  why: v.picklist([...trainReasons, 'rollback']),
})

/** The last attempt to find a better one. */
const candidate = v.strictObject({
  run: v.string(),
  why: v.picklist(trainReasons),
  /** End of what it was trained on. */
  to: time,
  isBetter: v.boolean(),
  /** How both did on the same holdout; null where there was nothing to compare. */
  challenger: v.nullable(holdoutMetrics),
  champion: v.nullable(holdoutMetrics),
})

const modelSchema = v.strictObject({
  version: v.literal(1),
  ...inService.entries,
  /** What was in service before; null where nothing was. */
  replaced: v.nullable(inService),
  /** Null where nobody has trained by night. */
  tried: v.nullable(candidate),
  /** Runs that nights have trained and that are still there, oldest first. */
  trained: listOf(v.string()),
})

/** The model in service of a source: `models/<source>.json` in the workspace. */
export type ModelInService = v.InferOutput<typeof modelSchema>
export type Candidate = v.InferOutput<typeof candidate>
export type TrainReason = (typeof trainReasons)[number]

/** What a workspace notes, and the version of the note, for who changes it. */
export interface ModelNote {
  readonly model: ModelInService | undefined
  readonly etag: string | undefined
}

const keyOf = (source: string): string => `${MODELS}${source}.json`

/** @throws UserError when the note is damaged */
export async function modelNote(root: Store, source: string): Promise<ModelNote> {
  const key = keyOf(source)
  const etag = (await root.head(key))?.etag
  const text = etag === undefined ? undefined : await root.text(key)
  if (text === undefined) return { model: undefined, etag: undefined }
  try {
    return { model: fitted(modelSchema, JSON.parse(text)), etag }
  } catch (error) {
    throw new UserError(`${root.uriOf(key)} cannot be read: ${messageOf(error)}`, {
      hint: 'remove it: the next night trains a new model and brings it into service',
    })
  }
}

/** @throws UserError when somebody else has changed the note meanwhile */
export async function noteModel(
  root: Store,
  source: string,
  model: ModelInService,
  { etag }: ModelNote,
): Promise<void> {
  const condition = etag === undefined ? { ifAbsent: true } : { ifMatch: etag }
  try {
    await root.write(keyOf(source), `${JSON.stringify(model, null, 2)}\n`, condition)
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error
    throw new UserError(`${root.uriOf(keyOf(source))} was changed by another process`, {
      hint: 'give the command again',
    })
  }
}

/**
 * Id of the run whose model is in service.
 * @param sources empty: the only source that has one
 * @throws UsageError when there is none, or several sources have one
 */
export async function runInService(root: Store, sources: readonly string[]): Promise<string> {
  const named = sources.length === 0 ? knownIds() : sources
  const found: [source: string, run: string][] = []
  for (const source of named) {
    const { model } = await modelNote(root, source)
    if (model !== undefined) found.push([source, model.run])
  }
  const [first, ...others] = found
  if (first === undefined)
    throw new UsageError(
      `no model ${named.length === 1 ? `of ${named[0]} ` : ''}is in service in ${root.uri}`,
      `npx zx scripts/nightly.mjs --source ${named[0]} brings one into service`,
    )
  if (others.length > 0)
    throw new UsageError(
      `models of ${found.map(([source]) => source).join(' and ')} are in service`,
      'name one: --source',
    )
  return first[1]
}
