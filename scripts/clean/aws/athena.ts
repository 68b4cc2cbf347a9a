import { randomUUID } from 'node:crypto'
import type { Athena } from '../../lib/aws/athena/athena.ts'
import type { Leftover } from '../../lib/aws/leftover.ts'
import { UserError } from '../../lib/cli/errors.ts'
import type { Waiting } from '../../lib/cli/host.ts'
import { openAthena } from '../../lib/engines/athena/athena.ts'
import { notedAttempts } from '../../lib/engines/athena/attempts.ts'
import { dropTable } from '../../lib/engines/athena/sql.ts'
import { paths } from '../../lib/runs/paths.ts'
import type { Run } from '../../lib/runs/run.ts'
import type { AwsSettings } from '../../lib/stores/open.ts'

export interface AthenaOptions extends AwsSettings {
  readonly workgroup: string
  readonly database: string
  readonly queryTimeout: number
}

interface Host extends Waiting {
  warn(text: string): void
}

/** What an unfinished extraction has noted; one that was finished has dropped its tables itself. */
function unfinishedExtraction(run: Run) {
  const { extract } = run.ledger.steps
  const noted = notedAttempts(extract?.checkpoint)
  if (extract === undefined || extract.state === 'done' || noted === undefined) return undefined
  return { ...noted, startedAt: new Date(extract.startedAt) }
}

const open = (run: Run, options: AthenaOptions, host: Host): Promise<Athena> =>
  openAthena(options, run.uriOf(`${paths.tmp}athena/`), { ...host, onState: () => {} })

const isScore = (name: string): name is 'score' | `score/${string}` => /^score(\/|$)/.test(name)

/** Ids of the queries by which unfinished scorings look up their alerts. */
const lookupsOf = ({ ledger: { steps } }: Run): (string | null)[] =>
  Object.keys(steps)
    .filter(isScore)
    .map((name) => steps[name])
    .filter((record) => record?.state !== 'done')
    .flatMap((record) => Object.values(notedAttempts(record?.checkpoint)?.queries ?? {}).map(({ id }) => id))

/** Queries of an interrupted extraction or scoring that still run. */
export async function queryLeftovers(run: Run, options: AthenaOptions, host: Host): Promise<Leftover[]> {
  const noted = unfinishedExtraction(run)
  const ids = Object.values(noted?.queries ?? {}).map(({ id }) => id)
  const known = [...ids, ...lookupsOf(run)]
  if (known.length === 0) return []
  const athena = await open(run, options, host)
  const running = new Set<string>()
  for (const id of known) if (id !== null && (await athena.isUnderWay(id))) running.add(id)
  if (noted !== undefined && ids.includes(null))
    for (const id of await unnotedQueries(athena, [`'${run.id}'`, `_${noted.salt}_`], noted.startedAt, host))
      running.add(id)
  return [...running].map((id) => ({
    what: `Athena query ${id}`,
    files: 0,
    bytes: 0,
    note: 'is running and will be stopped',
    done: 'no longer runs',
    remove: () => athena.stop(id),
  }))
}

/** Clocks differ. */
const EARLIER_MS = 5 * 60_000

/** A process that is killed between the start of a query and its note leaves one that only its statement identifies. */
async function unnotedQueries(athena: Athena, names: readonly string[], since: Date, { warn }: Host) {
  const isMeant = (sql: string) => names.some((name) => sql.includes(name))
  try {
    return await athena.underWay(new Date(since.getTime() - EARLIER_MS), isMeant)
  } catch (error) {
    if (!(error instanceof UserError) || error.exitCode !== 4) throw error
    warn(`cannot look for a query that was started but not noted, which would run to its end: ${error.message}`)
    return []
  }
}

/** Statements of extraction that make a table. */
const TABLES = ['classified', 'train', 'holdout', 'times', 'entities']

/** Tables that an interrupted extraction has left in the catalog, as one leftover. Undefined when there are none. */
export function tableLeftovers(run: Run, options: AthenaOptions, host: Host): Leftover | undefined {
  const noted = unfinishedExtraction(run)
  const tables = TABLES.flatMap((table) =>
    Array.from({ length: noted?.queries[table]?.attempt ?? 0 }, (_, i) => `${table}_${noted?.salt}_${i + 1}`),
  )
  if (tables.length === 0) return undefined
  return {
    what: 'Athena tables',
    files: tables.length,
    bytes: 0,
    note: `of interrupted extractions: ${tables.join(', ')}`,
    done: 'dropped',
    remove: async () => {
      const athena = await open(run, options, host)
      for (const table of tables) {
        // A new token each time: dropping a table again costs nothing, and an earlier failure must not be remembered.
        const id = await athena.start(await dropTable(options.database, table), randomUUID())
        await athena.finish(id)
      }
    },
  }
}
