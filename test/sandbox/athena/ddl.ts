import type { Column } from './catalog.ts'
import { invalid, notHere } from './errors.ts'
import { readType } from './hive-types.ts'
import { ended, readTableName, type TableName, type Words } from './words.ts'

/** CREATE EXTERNAL TABLE, as Hive has it. */
export interface CreateTable {
  readonly kind: 'create-table'
  readonly table: TableName
  readonly ifNotExists: boolean
  readonly columns: readonly Column[]
  readonly partitions: readonly Column[]
  readonly serde: string
  readonly serdeProperties: Readonly<Record<string, string>>
  readonly inputFormat: string
  readonly outputFormat: string
  /** `s3://bucket/prefix/` */
  readonly location: string
  readonly parameters: Readonly<Record<string, string>>
}

/** What follows CREATE EXTERNAL TABLE. @throws AwsError */
export function readCreateTable(words: Words): CreateTable {
  const ifNotExists = words.has('if', 'not', 'exists')
  const table = readTableName(words)
  const columns = readColumns(words)
  const partitions = words.has('partitioned', 'by') ? readColumns(words) : []
  refuseElsewhere(words, ['comment', 'clustered', 'stored', 'with', 'location'])
  words.expect('row', 'format')
  refuseElsewhere(words, ['delimited'])
  words.expect('serde')
  const serde = words.string()
  const serdeProperties = words.has('with', 'serdeproperties') ? readProperties(words) : {}
  refuseElsewhere(words, ['location'])
  words.expect('stored', 'as')
  refuseElsewhere(words, ['textfile', 'parquet', 'orc', 'avro', 'sequencefile', 'rcfile', 'ion', 'jsonfile'])
  words.expect('inputformat')
  const inputFormat = words.string()
  words.expect('outputformat')
  const outputFormat = words.string()
  words.expect('location')
  const location = readLocation(words)
  const parameters = words.has('tblproperties') ? readProperties(words) : {}
  ended(words)
  const storage = { serde, serdeProperties, inputFormat, outputFormat, location }
  return { kind: 'create-table', table, ifNotExists, columns, partitions, ...storage, parameters }
}

/** @throws AwsError when one of these clauses of Hive comes next: none of them is in this sandbox */
function refuseElsewhere(words: Words, clauses: readonly string[]): void {
  const { kind, text } = words.next
  if (kind === 'word' && clauses.includes(text)) throw notHere(`CREATE EXTERNAL TABLE with ${text.toUpperCase()} here`)
}

function readColumns(words: Words): Column[] {
  const columns: Column[] = []
  words.expect('(')
  do {
    columns.push({ name: words.name(), type: readType(words) })
    refuseElsewhere(words, ['comment'])
  } while (words.has(','))
  words.expect(')')
  return columns
}

function readProperties(words: Words): Record<string, string> {
  const properties: Record<string, string> = {}
  words.expect('(')
  do {
    const name = words.string()
    words.expect('=')
    properties[name] = words.string()
  } while (words.has(','))
  words.expect(')')
  return properties
}

function readLocation(words: Words): string {
  const location = words.string()
  if (!/^s3:\/\/[^/]+\//.test(location)) throw invalid(`FAILED: the location ${location} is no place in S3`)
  return location.endsWith('/') ? location : `${location}/`
}
