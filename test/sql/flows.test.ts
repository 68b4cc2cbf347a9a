import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { withRecords } from '../../scripts/lib/engines/duckdb/duckdb.ts'
import { classifiedValues, renderSql } from '../../scripts/lib/engines/render.ts'
import { vpcflow as source } from '../../scripts/lib/sources/vpcflow.ts'
import { simulatedLogs } from '../support/simulated.ts'
import { tempFolder } from '../support/temp.ts'

/** Answers of DuckDB over flow logs, as text. */
async function answers(folder: string, sql: string, entity = 'interface'): Promise<(string | null)[][]> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((key) => key.includes('vpcflowlogs_'))
    .map((key) => ({ key, path: join(folder, key), size: statSync(join(folder, key)).size }))
  const window = { from: new Date('2026-03-02'), to: new Date('2026-03-04'), cutoff: new Date('2026-03-03') }
  const values = await classifiedValues({ source, entity, ...window, includePrivate: false, dedupe: true })
  const relations = [{ name: 'classified', sql: await renderSql('classified.sql', values) }]
  const members = [...Object.keys(source.members), ...Object.keys(source.details)]
  const settings = { source, members, skipBadFiles: false, memoryLimit: '512MB', threads: 1 }
  const quiet = { signal: new AbortController().signal, onFiles: () => {}, onState: () => {} }
  return withRecords(async () => files, relations, { ...settings, ...quiet, scratch: tempFolder() }, async ({ run }, _) =>
    (await run(sql)).map((row) => row.map((cell) => (cell === null ? null : String(cell)))),
  )
}
