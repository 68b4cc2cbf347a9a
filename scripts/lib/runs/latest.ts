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
  const notes = await notesIn(root)
  return [...notes]
    .flatMap(([source, { note }]) => (sources.length === 0 || sources.includes(source) ? note : []))
    .sort((a, b) => b.order - a.order)
    .map(({ id }) => id)
}

/** Notes that a command has named this run. Whoever may only read the workspace leaves the note as it is. */
export async function noteNamed(root: Store, { id, request: { source } }: Pick<Run, 'id' | 'request'>): Promise<void> {
  for (let attempt = 1; ; attempt++)
    try {
      const notes = await notesIn(root)
      const { etag, note: own } = notes.get(source) ?? { etag: undefined, note: [] }
      const named = [...notes.values()].flatMap(({ note }) => note)
      const newest = Math.max(0, ...named.map(({ order }) => order))
      if (own[0]?.id === id && named.every((run) => run === own[0] || run.order < newest)) return
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

interface Stored {
  /** Of the version that was listed, which is not younger than what is read. */
  readonly etag: string | undefined
  readonly note: Note
}

/** The notes that there are, by source. One listing finds them: most workspaces have those of one or two sources. */
async function notesIn(root: Store): Promise<Map<string, Stored>> {
  const listed = new Map<string, string | undefined>()
  for await (const { key, etag } of root.within(LATEST).list()) listed.set(`${LATEST}${key}`, etag)
  const sources = [...knownIds(), FILES].filter((source) => listed.has(keyOf(source)))
  const stored = sources.map(
    async (source) => [source, { etag: listed.get(keyOf(source)), note: await noteIn(root, source) }] as const,
  )
  return new Map(await Promise.all(stored))
}

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
