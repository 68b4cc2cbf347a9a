import * as v from 'valibot'
import { record } from '../cli/shapes.ts'
import { openAthena } from '../engines/athena.ts'
import { paths } from '../runs/paths.ts'
import type { Run } from '../runs/run.ts'
import type { AthenaWish } from './athena-tables.ts'
import type { Leftover } from './leftovers.ts'

/** What extraction notes of its queries. */
const memorySchema = v.object({ queries: record(v.string(), v.object({ id: v.nullable(v.string()) })) })

interface Talk {
  readonly signal: AbortSignal
  warn(text: string): void
}

/** Queries of an extraction that was interrupted, if they still run. */
export async function runningQueries(run: Run, wish: AthenaWish, talk: Talk): Promise<Leftover[]> {
  const extract = run.ledger.steps.extract
  const memory = v.safeParse(memorySchema, extract?.memory)
  if (extract?.state === 'done' || !memory.success) return []
  const ids = Object.values(memory.output.queries).flatMap(({ id }) => id ?? [])
  if (ids.length === 0) return []
  const athena = await openAthena(wish, run.uriOf(`${paths.tmp}athena/`), { ...talk, onState: () => {} })
  const found: Leftover[] = []
  for (const id of ids)
    if (await athena.isUnderWay(id))
      found.push({
        what: `Athena query ${id}`,
        files: 0,
        bytes: 0,
        note: 'is running: it is stopped',
        done: 'no longer runs',
        remove: () => athena.stop(id),
      })
  return found
}
