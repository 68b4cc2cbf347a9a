import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Context } from '../lib/cli/context.ts'
import { messageOf, UserError } from '../lib/cli/errors.ts'
import { plural } from '../lib/cli/format.ts'
import type { Session } from '../lib/engines/duckdb/database.ts'
import type { Relation } from '../lib/engines/duckdb/duckdb.ts'
import { classifiedValues, type ExtractSettings, render } from '../lib/engines/render.ts'
import { paths } from '../lib/runs/paths.ts'
import type { Run } from '../lib/runs/run.ts'
import { stagedFiles, stagedObjects } from '../lib/runs/staged.ts'
import type { Answer } from './answer.ts'
import type { Asked } from './question.ts'

const MEMORY = '512MB'

/** Asks DuckDB over the staged files of a run on this machine. */
export async function askDuckdb(
  context: Context,
  run: Run,
  settings: ExtractSettings,
  asked: Asked,
  limit: number,
): Promise<Answer> {
  const objects = stagedObjects(run)
  const { withRecords } = await import('../lib/engines/duckdb/duckdb.ts')
  const progress = context.progress('reading logs', objects, 'files')
  const { source } = settings
  const answer = await withRecords(
    () => stagedFiles(run),
    await relationsOf(settings, asked),
    {
      source,
      members: [...Object.keys(source.members), ...Object.keys(source.details)],
      // Beside a step that may run at the same time.
      scratch: join(run.path(paths.tmp), 'query'),
      memoryLimit: MEMORY,
      threads: availableParallelism(),
      skipBadFiles: false,
      signal: context.signal,
      onFiles: (more) => progress.advance(more),
      onState: (text) => progress.state(text),
    },
    (session) => firstRows(session, asked.sql, limit),
  )
  progress.end(plural(objects, 'file'))
  return answer
}

async function firstRows(session: Session, sql: string, limit: number): Promise<Answer> {
  const rows: (string | null)[][] = []
  try {
    const { columns, batches } = await session.stream(sql)
    for await (const batch of batches)
      for (const row of batch) {
        if (rows.length === limit) return { columns, rows, more: true }
        rows.push(row.map((cell) => (cell === null ? null : String(cell))))
      }
    return { columns, rows, more: false }
  } catch (error) {
    throw new UserError(`the question cannot be asked: ${messageOf(error)}`, {
      hint: 'the columns of accesses are in sql/<source>/accesses.duckdb.sql, those of classified in sql/classified.sql',
      cause: error,
    })
  }
}

async function relationsOf(settings: ExtractSettings, { classified }: Asked): Promise<Relation[]> {
  if (!classified) return []
  return [{ name: 'classified', sql: await render('classified.sql', await classifiedValues(settings)) }]
}
