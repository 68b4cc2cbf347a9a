import { randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { Format, Table } from './catalog.ts'
import type { Ctas } from './ctas.ts'
import { notHere, userError } from './errors.ts'
import type { AthenaSettings, Rows } from './settings.ts'

/** How a CTAS writes. */
export interface Form {
  readonly format: Extract<Format, 'text' | 'parquet'>
  readonly delimiter: string
  readonly gzip: boolean
}

const PROPERTIES = ['format', 'field_delimiter', 'write_compression', 'external_location']
const ELSEWHERE = [
  'partitioned_by',
  'bucketed_by',
  'bucket_count',
  'orc_compression',
  'parquet_compression',
  'table_type',
]

/** @throws QueryError, or AwsError for what this sandbox does not write */
export function formOf({ properties }: Ctas, settings: AthenaSettings): Form {
  for (const name of Object.keys(properties)) {
    if (ELSEWHERE.includes(name)) throw notHere(`CTAS with ${name}`)
    if (!PROPERTIES.includes(name))
      throw userError(
        `INVALID_TABLE_PROPERTY: line 1:1: Catalog 'awsdatacatalog' table property '${name}' does not exist`,
      )
  }
  const text = (name: string, otherwise: string) => String(properties[name] ?? otherwise)
  const format = text('format', 'PARQUET').toUpperCase()
  const compression = text('write_compression', format === 'PARQUET' ? 'SNAPPY' : 'GZIP').toUpperCase()
  const delimiter = text('field_delimiter', '\u0001')
  if (delimiter.length !== 1)
    throw userError(`INVALID_TABLE_PROPERTY: field_delimiter must be a single character, but was '${delimiter}'`)
  if (format === 'PARQUET' && compression === 'SNAPPY') return { format: 'parquet', delimiter, gzip: false }
  if (format === 'TEXTFILE' && (compression === 'GZIP' || compression === 'NONE'))
    return { format: 'text', delimiter, gzip: compression === 'GZIP' || settings.compression === 'always' }
  throw notHere(`CTAS as ${format} with ${compression}`)
}

/** Lines as Hive's LazySimpleSerDe writes them: nothing is quoted or escaped. */
export function textBytes({ rows }: Rows, { delimiter, gzip }: Form): Buffer {
  const text = rows.map((row) => `${row.map((field) => field ?? '\\N').join(delimiter)}\n`).join('')
  return gzip ? gzipSync(text) : Buffer.from(text)
}

/** A new object's name: the engine's own id of the query, and a UUID. */
export function objectName(now: Date, { format, gzip }: Form): string {
  const time = now.toISOString().replace(/[-:]/g, '').replace('T', '_').slice(0, 15)
  return `${time}_00001_${randomUUID().slice(0, 5)}_${randomUUID()}${format === 'text' && gzip ? '.gz' : ''}`
}

/** What the catalog says about a table of a CTAS besides its columns. */
export const storageOf = ({ format, delimiter }: Form, location: string): Pick<Table, 'parameters' | 'location'> => ({
  location,
  parameters: {
    EXTERNAL: 'TRUE',
    location,
    'serde.serialization.lib':
      format === 'text'
        ? 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe'
        : 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
    ...(format === 'text' && { 'serde.param.field.delim': delimiter }),
  },
})
