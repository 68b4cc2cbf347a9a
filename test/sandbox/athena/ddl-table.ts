import type { Format, Table } from './catalog.ts'
import type { CreateTable } from './ddl.ts'
import { notHere, userError } from './errors.ts'

const TEXT_INPUT = 'org.apache.hadoop.mapred.TextInputFormat'
const CLOUDTRAIL_INPUT = 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'
const JSON_SERDES = ['org.openx.data.jsonserde.JsonSerDe', 'org.apache.hive.hcatalog.data.JsonSerDe']
const CLOUDTRAIL_SERDES = [...JSON_SERDES, 'com.amazon.emr.hive.serde.CloudTrailSerde']

/** @throws AwsError for what this sandbox does not read */
function formatOf({ serde, inputFormat }: CreateTable): Format {
  if (inputFormat === CLOUDTRAIL_INPUT && CLOUDTRAIL_SERDES.includes(serde)) return 'cloudtrail'
  if (inputFormat === TEXT_INPUT && JSON_SERDES.includes(serde)) return 'json-lines'
  throw notHere(`a table of ${inputFormat} with ${serde}`)
}

/** The table that a CREATE EXTERNAL TABLE makes. @throws QueryError */
export function tableOfDdl(statement: CreateTable, database: string, now: Date): Table {
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
