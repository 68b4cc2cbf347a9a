import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { messageOf, UserError } from '../lib/cli/errors.ts'
import { plural } from '../lib/cli/format.ts'
import type { Session } from '../lib/engines/duckdb/database.ts'
import type { Relation } from '../lib/engines/duckdb/duckdb.ts'
import { classifiedValues, type ExtractSettings, renderSql } from '../lib/engines/render.ts'
import { paths } from '../lib/runs/paths.ts'
import { stagedFiles, stagedObjects } from '../lib/runs/staged.ts'
import type { Answer } from './answer.ts'
import type { Query, Statement } from './question.ts'

const MEMORY = '512MB'

/** Asks DuckDB about the staged files of a run on this machine. Files that extraction left out are left out here, too. */
export async function askDuckdb({ context, run, settings, statement }: Query, limit: number): Promise<Answer> {
  const objects = stagedObjects(run)
  const skipped = run.isDone('extract') ? run.result('extract').skippedFiles.map(({ path }) => path) : []
  const { withRecords } = await import('../lib/engines/duckdb/duckdb.ts')
  const progress = context.progress('reading logs', objects, 'files')
  const { source } = settings
  const answer = await withRecords(
    () => stagedFiles(run),
    await relationsOf(settings, statement),
    {
      source,
      members: [...Object.keys(source.members), ...Object.keys(source.details)],
      // A step may use its own folder at the same time.
      scratch: join(run.path(paths.tmp), 'query'),
      memoryLimit: MEMORY,
      threads: availableParallelism(),
      skipBadFiles: skipped.length > 0 && new Set(skipped),
      signal: context.signal,
      onFiles: (more) => progress.advance(more),
      onState: (text) => progress.state(text),
    },
    (session, { bad }) => {
      if (bad.length > 0) context.talk.warn(`left out ${plural(bad.length, 'file')}, as extract did`)
      return firstRows(session, statement.sql, limit)
    },
  )
  progress.end(plural(objects, 'file'))
  return answer
}

const NUMBERS = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$|BIGNUM|FLOAT|DOUBLE|DECIMAL)/

async function firstRows(session: Session, sql: string, limit: number): Promise<Answer> {
  const rows: (string | null)[][] = []
  try {
    const { columns: found, batches } = await session.stream(sql)
    const columns = found.map(({ name, type }) => ({ name, isNumber: NUMBERS.test(type) }))
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

async function relationsOf(settings: ExtractSettings, { classified }: Statement): Promise<Relation[]> {
  if (!classified) return []
  return [{ name: 'classified', sql: await renderSql('classified.sql', await classifiedValues(settings, 'duckdb')) }]
}
