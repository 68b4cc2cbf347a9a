import { bulkUri, paths } from '../../runs/paths.ts'
import type { Source } from '../../sources/source.ts'
import { sourceSql } from '../own.ts'
import { classifiedValues, type ExtractSettings, identifier, literal, renderSql, withRelations } from '../render.ts'

/** The table with a run's logs: `<database>.<source>`. The run is its partition. */
export interface RunTable {
  readonly source: Source
  readonly database: string
  readonly run: string
}

/** A name as Hive quotes it, in DDL. `checkName` admits nothing that would need an escape. */
const hiveName = (...names: readonly string[]): string => names.map((name) => `\`${checkName(name)}\``).join('.')

/** A name as Trino quotes it. */
const trinoName = (...names: readonly string[]): string => names.map((name) => identifier(checkName(name))).join('.')

/** Returns a name that neither Hive nor Trino nor CTAS needs to escape. @throws Error for any other */
export function checkName(name: string): string {
  if (/^[a-z_][a-z0-9_]{0,127}$/.test(name)) return name
  throw new Error(
    `"${name}" is not a name for a database or table: use lower-case letters, digits and _, and begin with no digit`,
  )
}

export const createDatabase = (database: string): Promise<string> =>
  renderSql('athena/database.sql', { database: hiveName(database) })

export const dropTable = (database: string, table: string): Promise<string> =>
  renderSql('athena/drop-table.sql', { table: hiveName(database, table) })

/** Name of the table of a source. */
export const tableName = ({ id, form }: Pick<Source, 'id' | 'form'>): string =>
  form === undefined ? id : `${id}_${form}`

/** The external table of a source over all runs of a workspace (`s3://bucket/prefix`). */
export const createTable = ({ source, database }: Omit<RunTable, 'run'>, workspace: string): Promise<string> =>
  tableOver(
    source,
    { database, table: tableName(source) },
    { bulk: bulkUri(workspace), staged: stagedTemplate(workspace) },
  )

/** The same under any name. @param over URIs: the prefix of all runs, and the template of the objects of a run */
export const tableOver = (
  source: Pick<Source, 'id' | 'text' | 'own' | 'form'>,
  { database, table }: { readonly database: string; readonly table: string },
  { bulk, staged }: { readonly bulk: string; readonly staged: string },
): Promise<string> =>
  sourceSql(source, source.form === undefined ? 'table.sql' : `table.${source.form}.sql`, {
    table: hiveName(database, table),
    bulk: hiveLiteral(bulk),
    staged: hiveLiteral(staged),
    ...(source.text !== undefined && 'pattern' in source.text && { pattern: hiveLiteral(source.text.pattern) }),
  })

/** Location of the staged objects; Athena fills in the run. */
export const stagedTemplate = (workspace: string): string => bulkUri(workspace, `\${run}`, paths.staged)

/** In Hive a backslash escapes, in Trino it does not. */
const hiveLiteral = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

/** The flat relation of a run. */
export const accessesSql = ({ source, database, run }: RunTable): Promise<string> =>
  sourceSql(source, `accesses.${source.form ?? 'athena'}.sql`, {
    table: trinoName(database, tableName(source)),
    run: literal(run),
  })

/** Every access of a run with its entity, its part of the split, and the reason why it is not a pair. */
export async function classifiedSql(table: RunTable, settings: ExtractSettings): Promise<string> {
  const classified = await renderSql('classified.sql', await classifiedValues(settings, 'athena'))
  return withRelations({ accesses: await accessesSql(table) }, classified)
}

/** A query over a table of `ctas`, which replaces the relation that the query names. */
export const overTable = (relation: string, database: string, table: string, query: string): string =>
  withRelations({ [relation]: `select * from ${trinoName(database, table)}` }, query)

/** How many rows a table of pairs has. */
export const countRows = (database: string, table: string): Promise<string> =>
  renderSql('athena/count.sql', { table: trinoName(database, table) })

interface CtasTarget {
  readonly database: string
  readonly table: string
  /** An empty prefix; undefined where the workgroup decides. */
  readonly location: string | undefined
}

/** Keeps the rows of a query: as CSV that IP Insights reads, or as a table for further queries. */
export const ctas = (form: 'csv' | 'parquet', target: CtasTarget, query: string): Promise<string> =>
  renderSql(`athena/${form}.sql`, {
    table: `${checkName(target.database)}.${checkName(target.table)}`,
    location: target.location === undefined ? '' : `, external_location = ${literal(target.location)}`,
    query,
  })
