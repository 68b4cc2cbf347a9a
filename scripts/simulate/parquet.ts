import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Database, type Session } from '../lib/engines/duckdb/database.ts'
import { identifier, literal } from '../lib/engines/render.ts'

interface Open {
  readonly folder: string
  readonly database: Database
  readonly session: Session
}

/** Makes Parquet of lines of JSON: the same bytes of the same lines. DuckDB is opened with the first of them. */
export class ParquetMaker {
  #open: Promise<Open> | undefined

  /** @param columns with their DuckDB types; what a line does not have is null */
  async of(lines: Buffer, columns: Readonly<Record<string, string>>): Promise<Buffer> {
    this.#open ??= opened()
    const { folder, session } = await this.#open
    const [from, to] = [join(folder, 'rows.json'), join(folder, 'rows.parquet')]
    writeFileSync(from, lines)
    const types = Object.entries(columns).map(([name, type]) => `${identifier(name)}: ${literal(type)}`)
    await session.run(
      `copy (from read_json(${literal(from)}, format = 'newline_delimited', columns = {${types.join(', ')}}))
        to ${literal(to)} (format parquet, compression gzip)`,
    )
    return readFileSync(to)
  }

  async close(): Promise<void> {
    if (this.#open === undefined) return
    const { folder, database } = await this.#open
    await database.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function opened(): Promise<Open> {
  const folder = mkdtempSync(join(tmpdir(), 'prestage-parquet-'))
  // Of several threads each would write row groups of its own.
  const database = await Database.open({ options: { threads: '1' }, signal: new AbortController().signal })
  return { folder, database, session: await database.connect() }
}
