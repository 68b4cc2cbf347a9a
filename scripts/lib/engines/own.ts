// The texts of a source. Those of a mapping of the configuration file differ in nothing but names, so they are made here.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, UserError } from '../cli/errors.ts'
import { groupOf, type Mapping, pathsOf, type TimeFormat } from '../sources/own/mapping.ts'
import type { Source } from '../sources/source.ts'
import { type Engine, fill, identifier, literal, placeholdersOf, renderSql } from './render.ts'

/** A value of a record as text, null where it is absent; `-` is how web servers and API Gateway write that. */
function valueSql({ format, columns, types }: Mapping, path: string, engine: Engine): string {
  const names = format === 'csv' ? [groupOf(columns, path)] : path.split('.')
  const member = names.map((name) => identifier(engine === 'athena' ? name.toLowerCase() : name)).join('.')
  const text =
    format === 'csv'
      ? `case when ${member} like '"%' then replace(substr(${member}, 2, length(${member}) - 2), '""', '"') else ${member} end`
      : engine === 'athena' && (types?.[path] ?? 'string') !== 'string'
        ? `cast(${member} as varchar)`
        : member
  return `nullif(nullif(${text}, '-'), '')`
}

const CLF = '^[0-3][0-9]/[A-Z][a-z]{2}/[0-9]{4}:[0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4}\\z'
const ISO = '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?\\z'

/** Milliseconds since 1970 of a text; null where it is no time. */
function timeSql(text: string, format: TimeFormat, engine: Engine): string {
  const number = `try_cast(round(try_cast(${text} as double) * ${format === 'seconds' ? 1000 : 1}) as bigint)`
  if (format === 'seconds' || format === 'milliseconds') return number
  const iso = format === 'iso' ? `replace(${text}, ' ', 'T')` : isoOfClf(text)
  const checked = `case when regexp_like(${text}, ${literal(format === 'iso' ? ISO : CLF)}) then ${iso} end`
  return engine === 'athena'
    ? `cast(round(to_unixtime(try(from_iso8601_timestamp(${checked}))) * 1000) as bigint)`
    : `epoch_ms(try_cast(${checked} as timestamptz))`
}

/** `02/Mar/2026:10:00:00 +0000` → `2026-03-02T10:00:00+00:00`. An unknown month gives no time. */
const isoOfClf = (text: string): string => {
  const month = `substr('-01-02-03-04-05-06-07-08-09-10-11-12-', strpos('JanFebMarAprMayJunJulAugSepOctNovDec', substr(${text}, 4, 3)), 4)`
  const parts = [
    `substr(${text}, 8, 4)`,
    month,
    `substr(${text}, 1, 2)`,
    "'T'",
    `substr(${text}, 13, 8)`,
    `substr(${text}, 22, 3)`,
    "':'",
    `substr(${text}, 25, 2)`,
  ]
  return parts.join(' || ')
}

/** The relation `accesses`, one row a record. */
function accessesText(mapping: Mapping, engine: Engine): string {
  const value = (path: string) => valueSql(mapping, path, engine)
  const [written, address] = [value(mapping.time), value(mapping.address)]
  const time = timeSql(written, mapping.timeFormat, engine)
  const id = mapping.id === undefined ? 'cast(null as varchar)' : value(mapping.id)
  const columns = Object.entries(mapping.fields).map(([column, path]) => `  ${value(path)} as ${identifier(column)},`)
  const header = `    when ${written} = ${literal(mapping.time)} then 'header-line'`
  return [
    'select',
    `  ${time} as event_time,`,
    `  ${id} as event_id,`,
    ...columns,
    `  ${address} as ip,`,
    '  case',
    ...(mapping.header ? [header] : []),
    `    when ${written} is null and ${address} is null then 'unreadable-record'`,
    `    when ${time} is null then 'no-event-time'`,
    '  end as drop_reason',
    `from ${engine === 'athena' ? '{{table}}' : '{{records}}'}`,
    ...(engine === 'athena' ? ['where run = {{run}}'] : []),
  ].join('\n')
}

/** Members by their names, and the types of those that have none. */
type Tree = Map<string, Tree | string>

/** The external table. Serdes: see sql/waf, sql/cloudtrail, sql/alb and sql/securitylake. */
function tableText(mapping: Mapping): string {
  const { format, columns } = mapping
  const paths = pathsOf(mapping)
  const declared =
    format === 'csv'
      ? columns.filter((column) => paths.includes(column)).map((column) => `  \`${groupOf(columns, column)}\` string`)
      : membersOf(paths, mapping.types)
  const serde = {
    json: `row format serde 'org.openx.data.jsonserde.JsonSerDe'`,
    records: `row format serde 'org.apache.hive.hcatalog.data.JsonSerDe'`,
    csv: `row format serde 'org.apache.hadoop.hive.serde2.RegexSerDe'\nwith serdeproperties ('input.regex' = {{pattern}})`,
    parquet: `row format serde 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe'`,
  }[format]
  const text = [
    'org.apache.hadoop.mapred.TextInputFormat',
    'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
  ]
  const [input, output] = {
    json: text,
    records: ['com.amazon.emr.cloudtrail.CloudTrailInputFormat', text[1]],
    csv: text,
    parquet: ['Input', 'Output'].map((which) => `org.apache.hadoop.hive.ql.io.parquet.MapredParquet${which}Format`),
  }[format]
  return `create external table if not exists {{table}} (
${declared.join(',\n')}
)
partitioned by (run string)
${serde}
stored as inputformat '${input}'
outputformat '${output}'
location {{bulk}}
tblproperties (
  'projection.enabled' = 'true',
  'projection.run.type' = 'injected',
  'storage.location.template' = {{staged}}
)`
}

/** Columns of members, in lower case as Hive has them. */
function membersOf(paths: readonly string[], types: Mapping['types']): string[] {
  const tree: Tree = new Map()
  for (const path of paths) {
    const names = path.toLowerCase().split('.')
    const last = names.pop() ?? ''
    let node = tree
    for (const name of names) {
      const found = node.get(name)
      const next: Tree = found instanceof Map ? found : new Map()
      node.set(name, next)
      node = next
    }
    node.set(last, types?.[path] ?? 'string')
  }
  const typeOf = (node: Tree | string): string =>
    typeof node === 'string'
      ? node
      : `struct<${[...node].map(([name, inner]) => `\`${name}\`: ${typeOf(inner)}`).join(', ')}>`
  return [...tree].map(([name, node]) => `  \`${name}\` ${typeOf(node)}`)
}

type File = 'table.sql' | 'accesses.athena.sql' | 'accesses.duckdb.sql' | 'table.parquet.sql' | 'accesses.parquet.sql'

/** A text of a source with its placeholders filled: of sql/<source>/, of the folder that the configuration file names, or of its mapping. */
export async function sourceSql(
  { id, own, addresses, address = '' }: Pick<Source, 'id' | 'own' | 'addresses' | 'address'>,
  file: File,
  values: Readonly<Record<string, string>>,
): Promise<string> {
  const hasChoice = addresses !== undefined && file.startsWith('accesses.')
  if (own === undefined)
    return renderSql(`${id}/${file}`, { ...values, ...(hasChoice && { address: literal(address) }) })
  if ('folder' in own) {
    const [path, text] = [join(own.folder, file), await readFile(join(own.folder, file), 'utf8')]
    const unknown = placeholdersOf(text).find((name) => !Object.hasOwn(values, name))
    if (unknown !== undefined)
      throw new UserError(`${path} has {{${unknown}}}, for which there is no value`, {
        hint: `there are {{${Object.keys(values).join('}}, {{')}}}`,
      })
    return fill(text, values, path)
  }
  const chosen = { ...own, address: own.addresses[address] ?? own.address }
  const text =
    file === 'table.sql' ? tableText(own) : accessesText(chosen, file === 'accesses.athena.sql' ? 'athena' : 'duckdb')
  return fill(text, values, `${file} of ${id}`)
}

/** What DuckDB says of the text of a folder that the configuration file names, which is nobody's bug but its writer's. */
export function writtenFailure(error: unknown, { id, own }: Pick<Source, 'id' | 'own'>): unknown {
  const [reason = ''] = messageOf(error).split('\n')
  if (own === undefined || !('folder' in own) || !/^(?!IO|Out of Memory)[A-Z][A-Za-z ]* Error: /.test(reason))
    return error
  return new UserError(`DuckDB refuses ${join(own.folder, 'accesses.duckdb.sql')}: ${reason}`, {
    hint: `mend the text, or the members, entities and details of ${id} in prestage.yaml, which name its columns`,
    cause: error,
  })
}
