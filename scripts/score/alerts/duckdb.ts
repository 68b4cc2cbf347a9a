import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { withRecords } from '../../lib/engines/duckdb/duckdb.ts'
import { addressSql, literal, withRelations } from '../../lib/engines/render.ts'
import { paths } from '../../lib/runs/paths.ts'
import { stagedFiles } from '../../lib/runs/staged.ts'
import { keyParser, nameParser, paddedSpan } from '../../lib/sources/layout.ts'
import type { Logs, Pair, Rows } from './lookup.ts'

const MEMORY = '512MB'

/** Asks DuckDB, over those staged files that can hold what is judged. */
export async function lookUpInDuckdb(pairs: readonly Pair[], sql: string, logs: Logs): Promise<Rows> {
  const { judged, source, context } = logs
  const files = await recentFiles(logs)
  const addresses = [...new Set(pairs.map(({ ip }) => literal(ip)))].join(', ')
  const kept = `select * from accesses where ${addressSql('duckdb')} in (${addresses}) or drop_reason = 'unreadable-record'`
  const progress = context.progress('looking up alerts', files.length, 'files')
  const rows = await withRecords(
    async () => files,
    // While the files are read: what is left is small.
    [{ name: 'kept', sql: kept, isRowByRow: true }],
    {
      source,
      members: [...Object.keys(source.members), ...Object.keys(source.details)],
      scratch: join(judged.path(paths.tmp), 'alerts'),
      memoryLimit: MEMORY,
      threads: availableParallelism(),
      skipBadFiles: new Set(judged.result('extract').skippedFiles.map(({ path }) => path)),
      signal: context.signal,
      onFiles: (more) => progress.advance(more),
      onState: (text) => progress.state(text),
    },
    (session) => session.run(withRelations({ accesses: 'select * from kept' }, sql)),
  )
  progress.end()
  return rows.map((row) => row.map((cell) => (cell === null ? null : String(cell))))
}

/** Without those whose names say that they end before what is judged begins. */
async function recentFiles({ judged, source, window }: Logs) {
  const parsers = source.layouts.map((layout) => ({
    first: paddedSpan(layout.padding, window).first,
    parse: [keyParser(layout), nameParser(layout)],
  }))
  const isEarlier = (key: string): boolean => {
    for (const { first, parse } of parsers)
      for (const timeOf of parse) {
        const time = timeOf(key)?.time
        if (time !== undefined) return time < first
      }
    return false
  }
  return (await stagedFiles(judged)).filter(({ key }) => !isEarlier(key))
}
