import type { Athena } from '../../lib/aws/athena/athena.ts'
import { UserError } from '../../lib/cli/errors.ts'
import { openAthena } from '../../lib/engines/athena/athena.ts'
import { notedAttempts } from '../../lib/engines/athena/attempts.ts'
import { paths } from '../../lib/runs/paths.ts'
import type { Run } from '../../lib/runs/run.ts'
import type { AthenaWish } from './athena-tables.ts'
import type { Leftover } from './leftovers.ts'

interface Talk {
  readonly signal: AbortSignal
  warn(text: string): void
}

/** Queries of an extraction that was interrupted, if they still run. */
export async function runningQueries(run: Run, wish: AthenaWish, talk: Talk): Promise<Leftover[]> {
  const extract = run.ledger.steps.extract
  const noted = notedAttempts(extract?.checkpoint)
  if (extract === undefined || extract.state === 'done' || noted === undefined) return []
  const ids = Object.values(noted.queries).map(({ id }) => id)
  if (ids.length === 0) return []
  const athena = await openAthena(wish, run.uriOf(`${paths.tmp}athena/`), { ...talk, onState: () => {} })
  const found = new Set<string>()
  for (const id of ids) if (id !== null && (await athena.isUnderWay(id))) found.add(id)
  if (ids.includes(null))
    for (const id of await unnoted(athena, run.id, noted.salt, new Date(extract.startedAt), talk)) found.add(id)
  return [...found].map((id) => ({
    what: `Athena query ${id}`,
    files: 0,
    bytes: 0,
    note: 'is running: it is stopped',
    done: 'no longer runs',
    remove: () => athena.stop(id),
  }))
}

/** Clocks differ. */
const EARLIER_MS = 5 * 60_000

/** Who is killed between the start of a query and its note leaves one that only its statement tells. */
async function unnoted(athena: Athena, run: string, salt: string, since: Date, { warn }: Talk): Promise<string[]> {
  const names = [`'${run}'`, `_${salt}_`]
  try {
    return await athena.underWay(new Date(since.getTime() - EARLIER_MS), (sql) =>
      names.some((name) => sql.includes(name)),
    )
  } catch (error) {
    if (!(error instanceof UserError) || error.exitCode !== 4) throw error
    warn(`a query that was started and not noted is not looked for, and would go on to its end: ${error.message}`)
    return []
  }
}
