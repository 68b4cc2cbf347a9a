import type { Format, Table } from './catalog.ts'
import type { CreateTable } from './ddl.ts'
import { notHere, userError } from './errors.ts'
import type { Objects } from './objects.ts'
import type { Query } from './query.ts'
import type { Shared } from './shared.ts'
import type { Ddl } from './statement.ts'

const TEXT_INPUT = 'org.apache.hadoop.mapred.TextInputFormat'
const CLOUDTRAIL_INPUT = 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'
const PARQUET_INPUT = 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat'
const PARQUET_SERDE = 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe'
/** Objects hold the URIs of others, one a line: "Querying Amazon S3 Inventory with Amazon Athena", S3 user guide, which has it for Parquet. */
const SYMLINK_INPUT = 'org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat'
const JSON_SERDES = ['org.openx.data.jsonserde.JsonSerDe', 'org.apache.hive.hcatalog.data.JsonSerDe']
const REGEX_SERDE = 'org.apache.hadoop.hive.serde2.RegexSerDe'
const CLOUDTRAIL_SERDES = [...JSON_SERDES, 'com.amazon.emr.hive.serde.CloudTrailSerde']

/** @throws AwsError for what this sandbox does not read */
function formatOf({ serde, inputFormat }: CreateTable): Format {
  if (inputFormat === CLOUDTRAIL_INPUT && CLOUDTRAIL_SERDES.includes(serde)) return 'cloudtrail'
  if (inputFormat === TEXT_INPUT && JSON_SERDES.includes(serde)) return 'json-lines'
  if (inputFormat === TEXT_INPUT && serde === REGEX_SERDE) return 'regex'
  if ([PARQUET_INPUT, SYMLINK_INPUT].includes(inputFormat) && serde === PARQUET_SERDE) return 'parquet'
  throw notHere(`a table of ${inputFormat} with ${serde}`)
}

/** The table that a CREATE EXTERNAL TABLE makes. @throws QueryError */
function tableOfDdl(statement: CreateTable, database: string, now: Date): Table {
  const { table, columns, partitions, location, parameters, serdeProperties } = statement
  const names = [...columns, ...partitions].map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw userError(`FAILED: SemanticException [Error 10036]: Duplicate column name: ${twice}`)
  checkProjection(statement)
  return {
    database,
    name: table.name,
    columns,
    partitions,
    format: formatOf(statement),
    delimiter: '',
    ...(statement.inputFormat === SYMLINK_INPUT && { linked: true as const }),
    location,
    parameters: {
      EXTERNAL: 'TRUE',
      ...parameters,
      location,
      inputformat: statement.inputFormat,
      outputformat: statement.outputFormat,
      'serde.serialization.lib': statement.serde,
      ...prefixed('serde.param.', { 'serialization.format': '1', ...serdeProperties }),
      transient_lastDdlTime: String(Math.floor(now.getTime() / 1000)),
    },
    created: now,
  }
}

const prefixed = (prefix: string, values: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]))

/** Of partitions, only one that is injected is here. @throws QueryError, AwsError */
function checkProjection({ partitions, parameters }: CreateTable): void {
  const [partition, ...more] = partitions
  if (partition === undefined) return
  if (more.length > 0) throw notHere('a table of several partition columns')
  const { name } = partition
  if (parameters['projection.enabled'] !== 'true' || parameters[`projection.${name}.type`] !== 'injected')
    throw notHere('a partition that is not injected')
  const template = parameters['storage.location.template']
  if (template !== undefined && !template.includes(`\${${name}}`))
    throw userError(
      `INVALID_TABLE_PROPERTY: storage.location.template must contain the partition column ${name}: ${template}`,
    )
}

/** Does what DDL says to the catalog. @throws QueryError */
export function define({ catalog, s3 }: Shared, { database }: Query, statement: Ddl, objects: Objects): void {
  if (statement.kind === 'create-database') {
    objects.allow('glue:CreateDatabase', statement.name)
    if (!catalog.hasDatabase(database))
      throw userError(`FAILED: SemanticException [Error 10072]: Database does not exist: ${database}`)
    catalog.createDatabase(statement.name, statement.ifNotExists)
    return
  }
  const { table } = statement
  const [at, name] = [table.database ?? database, table.name]
  if (statement.kind === 'drop-table') {
    const partitioned = (catalog.find(at, name)?.partitions.length ?? 0) > 0
    const rights = partitioned ? ['GetPartitions', 'GetPartition', 'DeletePartition'] : []
    for (const right of ['GetTable', 'DeleteTable', ...rights]) objects.allow(`glue:${right}`, `${at}/${name}`)
    if (catalog.drop(at, name) || statement.ifExists) return
    throw userError(`FAILED: SemanticException [Error 10001]: Table not found ${at}.${name}`)
  }
  for (const right of ['GetTable', 'CreateTable']) objects.allow(`glue:${right}`, `${at}/${name}`)
  if (!catalog.hasDatabase(at))
    throw userError(`FAILED: SemanticException [Error 10072]: Database does not exist: ${at}`)
  const exists = catalog.find(at, name) !== undefined
  if (!exists) catalog.add(tableOfDdl(statement, at, s3.now()))
  if (!exists || statement.ifNotExists) return
  throw userError(
    `FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. AlreadyExistsException(message:Table ${name} already exists.)`,
  )
}
