import * as z from 'zod'
import { openAthena } from '../engines/athena.ts'
import { paths } from '../runs/paths.ts'
import type { Run } from '../runs/run.ts'
import type { AthenaWish } from './athena-tables.ts'
import type { Leftover } from './leftovers.ts'

/** What extraction notes of its queries. */
const memorySchema = z.object({ queries: z.record(z.string(), z.object({ id: z.string().nullable() })) })

interface Talk {
  readonly signal: AbortSignal
  warn(text: string): void
}

/** Queries of an extraction that was interrupted, if they still run. */
export async function runningQueries(run: Run, wish: AthenaWish, talk: Talk): Promise<Leftover[]> {
  const extract = run.ledger.steps.extract
  const memory = memorySchema.safeParse(extract?.memory)
  if (extract?.state === 'done' || !memory.success) return []
  const ids = Object.values(memory.data.queries).flatMap(({ id }) => id ?? [])
  if (ids.length === 0) return []
  const athena = await openAthena(wish, `${run.uri}/${paths.tmp}athena/`, { ...talk, onState: () => {} })
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
