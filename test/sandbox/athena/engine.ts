import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance, type DuckDBResultReader } from '@duckdb/node-api'
import { messageOf } from '../../../scripts/lib/cli/errors.ts'
import { identifier, literal } from '../../../scripts/lib/engines/render.ts'
import type { Column, Table } from './catalog.ts'
import { exhausted, userError } from './errors.ts'
import { duckdbType } from './hive-types.ts'
import { checkParquetTypes, type SchemaNode } from './parquet-types.ts'
import { PREPARATION } from './trino.ts'

const SETTINGS = {
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
  // Otherwise window functions would order rows differently every time, and so would the model.
  threads: '1',
  memory_limit: '512MB',
} as const

interface ParquetFile {
  readonly uri: string
  readonly bytes: Buffer
  /** Of the partition; of a table without one, nothing. */
  readonly value: string
}

/** DuckDB that understands Trino, for one query. */
export class Engine {
  readonly #connection: DuckDBConnection
  readonly #instance: DuckDBInstance
  readonly #scratch: string
  #files = 0

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection, scratch: string) {
    this.#instance = instance
    this.#connection = connection
    this.#scratch = scratch
  }

  /** @param scratch a folder of its own */
  static async open(scratch: string): Promise<Engine> {
    const instance = await DuckDBInstance.create(':memory:', { ...SETTINGS, temp_directory: scratch })
    const connection = await instance.connect()
    await connection.run(PREPARATION)
    return new Engine(instance, connection, scratch)
  }

  close(): void {
    this.#connection.closeSync()
    this.#instance.closeSync()
  }

  /** A table of these rows. */
  async fill(database: string, name: string, columns: readonly Column[], rows: readonly object[]): Promise<void> {
    const types = columns.map((column) => [column.name, duckdbType(column.type)] as const)
    const path = this.#file()
    await writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    await this.#create(database, name, types)
    if (rows.length === 0) return
    const members = types.map(([column, type]) => `${identifier(column)}: ${literal(type)}`).join(', ')
    await this.run(
      `insert into ${qualified(database, name)} from read_json(${literal(path)}, format = 'newline_delimited',
        maximum_object_size = 67108864, columns = {${members}})`,
    )
  }

  /** A table of Parquet files, each with the value of its partition. Columns are found by their names; a file may lack some. */
  async parquet({ database, name, columns, partitions }: Table, files: readonly ParquetFile[]): Promise<void> {
    if (files.length === 0) return this.fill(database, name, [...columns, ...partitions], [])
    const declared = columns.map((column) => [identifier(column.name), duckdbType(column.type)] as const)
    const absent = declared.map(([column, type]) => `null::${type} as ${column}`).join(', ')
    const present = declared.map(([column, type]) => `${column}::${type} as ${column}`).join(', ')
    const parts: string[] = []
    for (const { bytes, uri, value } of files) {
      const path = this.#file()
      await writeFile(path, bytes)
      if (bytes.toString('latin1', 0, 4) !== 'PAR1') throw userError(`HIVE_BAD_DATA: Malformed Parquet file: ${uri}`)
      const nodes = await this.run(`select name, type, num_children from parquet_schema(${literal(path)})`)
      checkParquetTypes(columns, nodes.getRowObjectsJS() as unknown as SchemaNode[], uri)
      const rows = `select ${absent} where false union all by name select * from read_parquet(${literal(path)})`
      const partition = partitions.map((column) => `, ${literal(value)} as ${identifier(column.name)}`).join('')
      parts.push(`select ${present}${partition} from (${rows})`)
    }
    await this.run(`create schema if not exists ${identifier(database)}`)
    await this.run(`create view ${qualified(database, name)} as ${parts.join(' union all ')}`)
  }

  /** @throws QueryError */
  async run(sql: string): Promise<DuckDBResultReader> {
    try {
      // DuckDB's own type for addresses is an extension, which would be downloaded.
      const known = sql.replace(/cast\(try_cast\((.+?) as ipaddress\) as varchar\)/gi, 'canonical_ipv6($1)')
      return await this.#connection.runAndReadAll(known)
    } catch (error) {
      throw queryError(messageOf(error))
    }
  }

  /** Names without a database are those of this one. */
  async use(database: string): Promise<void> {
    await this.run(`create schema if not exists ${identifier(database)}`)
    await this.run(`set search_path = ${literal(`${identifier(database)},main`)}`)
  }

  /** The text of a Zstandard file. DuckDB unpacks it line by line; no line of JSON has this delimiter. */
  async unzstd(bytes: Buffer): Promise<string> {
    const path = this.#file()
    await writeFile(path, bytes)
    const lines = await this.#connection.runAndReadAll(
      `select line from read_csv(${literal(path)}, compression = 'zstd', header = false, auto_detect = false, delim = chr(1),
        quote = '', escape = '', max_line_size = 8388608, columns = {line: 'VARCHAR'})`,
    )
    return lines
      .getRows()
      .map(([line]) => (typeof line === 'string' ? `${line}\n` : '\n'))
      .join('')
  }

  /** A new file's path in scratch. */
  #file(): string {
    this.#files += 1
    return join(this.#scratch, `rows-${this.#files}`)
  }

  /** Rows of a query as a Parquet file. */
  async parquetOf(query: string): Promise<string> {
    const path = this.#file()
    await this.run(`copy (${query}) to ${literal(path)} (format parquet, compression snappy)`)
    return path
  }

  async #create(database: string, name: string, columns: readonly (readonly [string, string])[]): Promise<void> {
    await this.run(`create schema if not exists ${identifier(database)}`)
    const declared = columns.map(([column, type]) => `${identifier(column)} ${type}`).join(', ')
    await this.run(`create table ${qualified(database, name)} (${declared})`)
  }
}

const qualified = (database: string, name: string): string => `${identifier(database)}.${identifier(name)}`

/** What Athena says where DuckDB says this. */
function queryError(message: string): Error {
  const [, column] = /Referenced column "([^"]+)" not found/.exec(message) ?? []
  if (column !== undefined)
    return userError(
      `COLUMN_NOT_FOUND: line 1:1: Column '${column}' cannot be resolved or requester is not authorized to access requested resources`,
    )
  const [line = ''] = message.split('\n')
  if (line.startsWith('Out of Memory')) return exhausted()
  if (line.startsWith('Conversion Error')) return userError(`INVALID_CAST_ARGUMENT: ${line}`)
  if (line.startsWith('Out of Range')) return userError(`NUMERIC_VALUE_OUT_OF_RANGE: ${line}`)
  if (line.startsWith('Binder Error')) return userError(`TYPE_MISMATCH: line 1:1: ${line}`)
  if (line.startsWith('Catalog Error')) return userError(`FUNCTION_NOT_FOUND: line 1:1: ${line}`)
  return userError(`GENERIC_USER_ERROR: ${line}`)
}
