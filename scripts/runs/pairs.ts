import { type PairSource, type Pairs, readPairs, readPairsFrom } from '../insights/pairs.ts'
import type { Store } from '../stores/store.ts'
import { paths } from './paths.ts'
import type { Run } from './run.ts'

export type Part = 'train' | 'holdout'

/** The objects of a part that hold rows. */
export async function pairObjects(run: Run, part: Part) {
  const found = []
  for await (const object of run.store.list({ prefix: paths[part] })) if (object.size > 0) found.push(object)
  return found
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
  for (const key of keys) yield { name: `${store.uri}/${key}`, open: () => store.read(key) }
}
