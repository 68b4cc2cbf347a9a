import type { Athena } from '../../aws/athena/athena.ts'
import { UserError } from '../../cli/errors.ts'
import type { Source } from '../../sources/source.ts'
import type { Attempts } from './attempts.ts'
import { createDatabase, createTable, stagedTemplate, tableName } from './sql.ts'

/** Where tables are looked up. */
type Catalog = Pick<Athena, 'table' | 'database'>

/**
 * Creates the table over the staged objects of a workspace when it is missing. An existing table is never changed.
 * @throws UserError when a table of that name exists and does not fit
 */
export async function ensureTable(
  athena: Catalog,
  attempts: Pick<Attempts, 'run'>,
  source: Source,
  workspace: string,
): Promise<void> {
  const { database } = athena
  const sql = await createTable({ source, database }, workspace)
  if ((await athena.table(tableName(source))) === undefined) {
    await attempts.run('database', `creating database ${database}`, () => createDatabase(database))
    await attempts.run('table', `creating table ${database}.${tableName(source)}`, () => sql)
  }
  await checkTable(athena, source, sql, workspace)
}

/** @throws UserError naming every difference */
async function checkTable(athena: Catalog, source: Source, sql: string, workspace: string): Promise<void> {
  const found = await athena.table(tableName(source))
  if (found === undefined) throw new UserError(`table ${athena.database}.${tableName(source)} was dropped again`)
  const columns = new Map((found.Columns ?? []).map(({ Name = '', Type = '' }) => [Name, plain(Type)]))
  const differences = columnsOf(sql).flatMap(([name, type]) => {
    const is = columns.get(name)
    if (is === type) return []
    return [is === undefined ? `no column ${name}` : `column ${name} is ${is}, not ${type}`]
  })
  const parameters = found.Parameters ?? {}
  const template = parameters['storage.location.template']
  if (template !== stagedTemplate(workspace))
    differences.push(template === undefined ? 'no location of runs' : `it reads ${template}`)
  if (parameters['projection.run.type'] !== 'injected') differences.push('its run is not an injected partition')
  const input = parameters.inputformat
  if (input !== undefined && !sql.includes(`'${input}'`)) differences.push(`its input format is ${input}`)
  if (differences.length === 0) return
  throw new UserError(
    `Athena's table ${athena.database}.${tableName(source)} is not the one for ${workspace}: ${differences.join('; ')}`,
    { hint: 'name another --database for this workspace, or drop the table: its objects stay where they are' },
  )
}

/** Names and types of the columns that a table.sql declares. */
export function columnsOf(sql: string): [name: string, type: string][] {
  const start = sql.indexOf('(') + 1
  const columns: string[] = ['']
  for (let at = start, depth = 0; at < sql.length; at++) {
    const character = sql[at] ?? ''
    if (character === ')' && depth === 0) break
    if ('(<'.includes(character)) depth += 1
    if (')>'.includes(character)) depth -= 1
    if (character === ',' && depth === 0) columns.push('')
    else columns[columns.length - 1] += character
  }
  return columns.map((column) => {
    const [, name = '', type = ''] = /^\s*`?(\w+)`?\s+(.*)$/s.exec(column) ?? []
    return [name, plain(type)]
  })
}

/** As the catalog has it. */
const plain = (type: string): string => type.replace(/[\s`]+/g, '').toLowerCase()
