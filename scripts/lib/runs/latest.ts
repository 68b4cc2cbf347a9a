import * as v from 'valibot'
import { exitCodeOf } from '../cli/errors.ts'
import { FILES, knownIds } from '../sources/registry.ts'
import { ConditionFailed, type Store } from '../stores/store.ts'
import { LATEST } from './paths.ts'
import type { Run } from './run.ts'

/** Runs in the order in which they were named: by number, because clocks may go back. */
const noteSchema = v.array(v.object({ id: v.string(), order: v.pipe(v.number(), v.safeInteger()) }))
type Note = v.InferOutput<typeof noteSchema>

/** Runs that are kept of each source. */
const KEPT = 100
const ATTEMPTS = 20

/** One object per source, so that two sources in a workspace never write the same one. */
const keyOf = (source: string): string => `${LATEST}${source}.json`

/** Ids of the runs of these sources, or of all, the one that was named last first. Some of them may be gone. */
export async function namedRuns(root: Store, sources: readonly string[] = []): Promise<string[]> {
  const notes = await notesIn(root, sources.length === 0 ? [...knownIds(), FILES] : sources)
  return notes
    .flat()
    .sort((a, b) => b.order - a.order)
    .map(({ id }) => id)
}

/** Notes that a command has named this run. Whoever may only read the workspace leaves the note as it is. */
export async function noteNamed(root: Store, { id, request: { source } }: Pick<Run, 'id' | 'request'>): Promise<void> {
  for (let attempt = 1; ; attempt++)
    try {
      const etag = (await root.head(keyOf(source)))?.etag
      const own = await noteIn(root, source)
      const others = await notesIn(
        root,
        [...knownIds(), FILES].filter((other) => other !== source),
      )
      const newest = Math.max(0, ...[own, ...others].flat().map(({ order }) => order))
      const isNewest = own[0]?.id === id && own[0].order === newest
      if (isNewest && !others.flat().some(({ order }) => order === newest)) return
      const note = [{ id, order: newest + 1 }, ...own.filter((run) => run.id !== id)].slice(0, KEPT)
      const condition = etag === undefined ? { ifAbsent: true } : { ifMatch: etag }
      await root.write(keyOf(source), `${JSON.stringify(note)}\n`, condition)
      return
    } catch (error) {
      if (exitCodeOf(error) === 4 || isReadOnly(error)) return
      if (!(error instanceof ConditionFailed) || attempt === ATTEMPTS) throw error
    }
}

const isReadOnly = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EROFS'

const notesIn = (root: Store, sources: readonly string[]): Promise<Note[]> =>
  Promise.all(sources.map((source) => noteIn(root, source)))

/** A damaged note is none: the ledgers tell the rest. */
async function noteIn(root: Store, source: string): Promise<Note> {
  try {
    const parsed = v.safeParse(noteSchema, JSON.parse((await root.text(keyOf(source))) ?? '[]'))
    return parsed.success ? parsed.output : []
  } catch (error) {
    if (error instanceof SyntaxError) return []
    throw error
  }
}
