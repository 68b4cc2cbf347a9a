import { UserError } from '../cli/errors.ts'
import { type PairSource, type Pairs, readPairs, readPairsFrom } from '../insights/pairs.ts'
import type { Store } from '../stores/store.ts'
import { nextCommand } from './next.ts'
import { paths } from './paths.ts'
import { OF_FILES } from './request.ts'
import type { Run } from './run.ts'

export type Part = 'train' | 'holdout'

/** The objects of a part that hold rows. */
export async function pairObjects(run: Run, part: Part) {
  const found = []
  for await (const object of run.store.list({ prefix: paths[part] })) if (object.size > 0) found.push(object)
  return found
}

/** Whether the files of a part are there, all of them. In S3 they expire, perhaps one after the other, and what was made of them stays. */
export async function hasPairs(run: Run, part: Part): Promise<boolean> {
  const counted = countedBytes(run, part)
  if (run.folder !== undefined || counted === undefined) return hasAny(run, paths[part])
  const objects = await pairObjects(run, part)
  return objects.reduce((sum, { size }) => sum + size, 0) === counted
}

/** What extraction has noted of a part; undefined where it has not. */
function countedBytes(run: Run, part: Part): number | undefined {
  if (!run.isDone('extract')) return undefined
  const own = run.result('extract').files.filter(({ path }) => path.startsWith(paths[part]))
  return own.length === 0 ? undefined : own.reduce((sum, { bytes }) => sum + bytes, 0)
}

async function hasAny(run: Run, prefix: string): Promise<boolean> {
  for await (const _ of run.store.list({ prefix })) return true
  return false
}

/** How pairs that are gone are made again. In S3 what they come from may have expired with them. */
export async function toMakePairs(run: Run): Promise<string> {
  const extract = nextCommand('extract', run)
  if (run.request.keys === OF_FILES) return extract
  if (run.folder !== undefined || (await hasAny(run, paths.staged))) return `${extract} --overwrite`
  return `stage again: ${nextCommand('stage', run)}; then ${extract}`
}

/** @throws UserError when pairs that extraction has counted are not there any more, or not all of them */
export async function requirePairs(run: Run): Promise<void> {
  const { trainPairs, holdoutPairs } = run.result('extract')
  const counted = { train: trainPairs, holdout: holdoutPairs }
  for (const part of ['train', 'holdout'] as const)
    if (counted[part] !== 0 && !(await hasPairs(run, part))) {
      const left = (await hasAny(run, paths[part])) ? 'not all pairs are' : 'no pairs'
      throw new UserError(`run ${run.id}: ${left} in ${run.uriOf(paths[part])}`, { hint: await toMakePairs(run) })
    }
}

/** A part of a run's pairs or several, wherever the run lies. @throws UserError at the first row that is not well formed */
export async function pairsOf(run: Run, parts: Part | readonly Part[], signal?: AbortSignal): Promise<Pairs> {
  const keys: string[] = []
  for (const part of [parts].flat()) keys.push(...(await pairObjects(run, part)).map(({ key }) => key))
  if (run.folder === undefined) return readPairsFrom(sources(run.store, keys), signal)
  return readPairs(
    keys.map((key) => run.path(key)),
    signal,
  )
}

async function* sources(store: Store, keys: readonly string[]): AsyncGenerator<PairSource> {
  for (const key of keys) yield { name: store.uriOf(key), open: () => store.read(key) }
}
