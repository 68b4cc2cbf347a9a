import type { DuckDBResultReader, Json } from '@duckdb/node-api'
import { notHere } from './errors.ts'
import type { HiveType } from './hive-types.ts'
import type { Rows } from './settings.ts'

/** By what DuckDB calls them: what Trino and Hive do. */
const TYPES: Readonly<Record<string, readonly [trino: string, hive: string]>> = {
  VARCHAR: ['varchar', 'string'],
  BOOLEAN: ['boolean', 'boolean'],
  TINYINT: ['tinyint', 'tinyint'],
  SMALLINT: ['smallint', 'smallint'],
  INTEGER: ['integer', 'int'],
  BIGINT: ['bigint', 'bigint'],
  // A sum of integers.
  HUGEINT: ['bigint', 'bigint'],
  FLOAT: ['float', 'float'],
  DOUBLE: ['double', 'double'],
  DATE: ['date', 'date'],
  TIMESTAMP: ['timestamp', 'timestamp'],
  'TIMESTAMP WITH TIME ZONE': ['timestamp with time zone', 'timestamp'],
}

function trinoType(type: string): string {
  if (type.endsWith(']')) return 'array'
  if (type.startsWith('STRUCT')) return 'row'
  if (type.startsWith('MAP')) return 'map'
  if (type.startsWith('DECIMAL')) return 'decimal'
  return TYPES[type]?.[0] ?? type.toLowerCase()
}

/** Type of a column that CTAS writes. @throws AwsError for those of this sandbox that only DuckDB has */
export function writtenType(type: string): HiveType {
  const name = TYPES[type]?.[1]
  if (name === undefined) throw notHere(`a CTAS of ${type}`)
  return { kind: 'simple', name }
}

/** What GetQueryResults says of the rows of a query. @param names of its columns; those without one are counted */
export function textRows(result: DuckDBResultReader, names: readonly (string | undefined)[]): Rows {
  const types = result.columnTypes().map(String)
  const columns = result.columnNames().map((name, i) => ({
    name: names.length === types.length ? (names[i] ?? `_col${i}`) : name.toLowerCase(),
    type: trinoType(types[i] ?? ''),
  }))
  const rows = result
    .getRowsJson()
    .map((row) => row.map((value, i) => (value === null ? null : textOf(value, types[i] ?? ''))))
  return { columns, rows }
}

/** A value as Trino writes it. */
function textOf(value: Json, type: string): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return `[${value.map((one) => textOf(one, type.slice(0, -2))).join(', ')}]`
  if (typeof value === 'object')
    return `{${Object.entries(value)
      .map(([name, one]) => `${name}=${textOf(one, '')}`)
      .join(', ')}}`
  if (typeof value === 'number' && (type === 'DOUBLE' || type === 'FLOAT')) return javaDouble(value)
  if (type.startsWith('TIMESTAMP')) return timestamp(String(value))
  return String(value)
}

/** As Java's Double.toString does. */
function javaDouble(value: number): string {
  const size = Math.abs(value)
  if (Number.isInteger(value) && size < 1e7) return value.toFixed(1)
  if (size >= 1e-3 && size < 1e7) return String(value)
  const [digits = '', exponent] = value.toExponential().split('e')
  return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`
}

/** Milliseconds always, the zone by name. */
function timestamp(text: string): string {
  const [, time = text, fraction = '', zone] = /^([^.+]*)(?:[.](\d+))?(\+00)?$/.exec(text) ?? []
  return `${time}.${fraction.padEnd(3, '0').slice(0, 3)}${zone === undefined ? '' : ' UTC'}`
}

/** The object of a SELECT's rows: everything in quotes, except nulls. */
export const csvText = ({ columns, rows }: Rows): string =>
  [columns.map(({ name }) => name), ...rows].map((row) => `${row.map(quoted).join(',')}\n`).join('')

const quoted = (field: string | null): string => (field === null ? '' : `"${field.replaceAll('"', '""')}"`)
