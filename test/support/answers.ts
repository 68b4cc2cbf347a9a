import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { withRecords } from '../../scripts/lib/engines/duckdb/duckdb.ts'
import { classifiedValues, renderSql } from '../../scripts/lib/engines/render.ts'
import { keyParser, nameParser } from '../../scripts/lib/sources/layout.ts'
import { type Source, sourceParser } from '../../scripts/lib/sources/source.ts'
import { tempFolder } from './temp.ts'

/** Answers of DuckDB over the logs of a source in a folder, as text. The relation `classified` is by its default entity. */
export async function answersOver(source: Source, folder: string, sql: string): Promise<(string | null)[][]> {
  const parsers = [sourceParser(source, keyParser), sourceParser(source, nameParser)]
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((key) => parsers.some((parse) => parse(key) !== undefined))
    .map((key) => ({ key, path: join(folder, key), size: statSync(join(folder, key)).size }))
  const window = { from: new Date('2026-03-02'), to: new Date('2026-03-04'), cutoff: new Date('2026-03-03') }
  const entity = source.defaultEntity
  const values = await classifiedValues(
    { source, entity, ...window, includePrivate: false, dedupe: true, ipv6: true },
    'duckdb',
  )
  const relations = [{ name: 'classified', sql: await renderSql('classified.sql', values) }]
  const members = [...Object.keys(source.members), ...Object.keys(source.details)]
  const settings = { source, members, skipBadFiles: false, memoryLimit: '512MB', threads: 1 }
  const quiet = { signal: new AbortController().signal, onFiles: () => {}, onState: () => {} }
  return withRecords(
    async () => files,
    relations,
    { ...settings, ...quiet, scratch: tempFolder() },
    async (session) => (await session.run(sql)).map((row) => row.map((cell) => (cell === null ? null : String(cell)))),
  )
}
