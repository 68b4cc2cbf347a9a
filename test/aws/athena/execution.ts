import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { identifier } from '../../../scripts/engines/render.ts'
import type { S3State } from '../s3/state.ts'
import type { Catalog, Column } from './catalog.ts'
import type { Ctas } from './ctas.ts'
import { type Form, formOf, objectName, storageOf, textBytes } from './ctas-output.ts'
import { tableOfDdl } from './ddl-table.ts'
import { Engine } from './engine.ts'
import { ddlFailed, pathExists, semantic } from './errors.ts'
import { loadRows, loadTables } from './load.ts'
import { Objects } from './objects.ts'
import { type Query, resultObject } from './query.ts'
import type { AthenaSettings } from './settings.ts'
import type { Statement } from './statement.ts'
import { csvText, textRows, writtenType } from './values.ts'

export interface World {
  readonly s3: S3State
  readonly catalog: Catalog
  readonly settings: AthenaSettings
}

/** What a statement has come to; nothing is written before. */
export interface Work {
  /** Writes all of it, or what is left behind by a query that does not get to its end. @throws QueryError */
  write(share: 'all' | 'half'): void
}

/** Does the work of a statement, but for its writing. @throws QueryError */
export async function work(world: World, query: Query): Promise<Work> {
  const { statement } = query
  const objects = new Objects(world.s3, query.caller)
  if (statement.kind === 'ctas') return create(world, query, statement, objects)
  if (statement.kind === 'select') return select(world, query, statement.query, objects)
  return {
    write: (share) => {
      if (share !== 'all') return
      define(world, query, statement, objects)
      const at = resultObject(query)
      if (at !== undefined) objects.write(at, '')
    },
  }
}

/** Does what DDL says to the catalog. */
function define(
  { catalog, s3 }: World,
  { database }: Query,
  statement: Exclude<Statement, Ctas | { kind: 'select' }>,
  objects: Objects,
): void {
  if (statement.kind === 'create-database') {
    objects.allow('glue:CreateDatabase', statement.name)
    catalog.createDatabase(statement.name, statement.ifNotExists)
    return
  }
  const { table } = statement
  const [at, name] = [table.database ?? database, table.name]
  if (statement.kind === 'drop-table') {
    objects.allow('glue:DeleteTable', `${at}/${name}`)
    if (!catalog.drop(at, name) && !statement.ifExists)
      throw ddlFailed(`SemanticException [Error 10001]: Table not found ${at}.${name}`)
    return
  }
  objects.allow('glue:CreateTable', `${at}/${name}`)
  if (!catalog.hasDatabase(at)) throw ddlFailed(`SemanticException [Error 10072]: Database does not exist: ${at}`)
  const exists = catalog.find(at, name) !== undefined
  if (!exists) catalog.add(tableOfDdl(statement, at, s3.now()))
  if (!exists || statement.ifNotExists) return
  throw ddlFailed(
    `Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. AlreadyExistsException(message:Table ${name} already exists.)`,
  )
}

async function select(world: World, query: Query, sql: string, objects: Objects): Promise<Work> {
  const rows = await withEngine(world, query, objects, sql, async (engine, text, names) =>
    textRows(await engine.run(text), names),
  )
  return {
    write: (share) => {
      if (share !== 'all') return
      query.rows = rows
      query.written.rows = rows.rows.length
      const [at, text] = [resultObject(query), csvText(rows)]
      query.written.bytes = Buffer.byteLength(text)
      if (at !== undefined) objects.write(at, text)
    },
  }
}

async function create(world: World, query: Query, statement: Ctas, objects: Objects): Promise<Work> {
  const { catalog, s3, settings } = world
  const [database, { name }] = [statement.table.database ?? query.database, statement.table]
  objects.allow('glue:CreateTable', `${database}/${name}`)
  if (!catalog.hasDatabase(database)) throw semantic(`SCHEMA_NOT_FOUND: line 1:1: Schema ${database} not found`)
  if (catalog.find(database, name) !== undefined) {
    if (statement.ifNotExists) return { write: () => {} }
    throw semantic(
      `TABLE_ALREADY_EXISTS: line 1:1: Destination table 'awsdatacatalog.${database}.${name}' already exists`,
    )
  }
  const form = formOf(statement, settings)
  const asked = statement.properties.external_location ?? `${query.output}tables/${query.id}`
  const location = `${String(asked).replace(/\/$/, '')}/`
  if (!objects.isEmpty(location)) throw pathExists(`${database}.${name}`, location)
  const { columns, parts } = await withEngine(world, query, objects, statement.query, (engine, sql, names) =>
    produce(engine, sql, names, form, settings.rowsPerObject),
  )
  return {
    write: (share) => {
      const written = share === 'all' ? parts : parts.slice(0, Math.ceil(parts.length / 2))
      const uris = written.map(({ bytes, rows }) => {
        const uri = `${location}${objectName(s3.now(), form)}`
        objects.write(uri, bytes)
        query.written.bytes += bytes.length
        query.written.rows += rows
        return uri
      })
      if (query.output !== undefined) {
        query.manifest = `${query.output}tables/${query.id}-manifest.csv`
        objects.write(query.manifest, uris.map((uri) => `${uri}\n`).join(''))
      }
      if (share !== 'all') return
      const storage = { format: form.format, delimiter: form.delimiter, ...storageOf(form, location) }
      catalog.add({ database, name, columns, partitions: [], created: s3.now(), ...storage })
    },
  }
}

type Names = readonly (string | undefined)[]

/** The objects of a CTAS. */
async function produce(engine: Engine, sql: string, names: Names, form: Form, size: number) {
  const unnamed = names.indexOf(undefined) + 1
  if (unnamed > 0)
    throw semantic(`COLUMN_NAME_NOT_SPECIFIED: line 1:1: Column name not specified at position ${unnamed}`)
  await engine.run(`create temp table produced as ${sql}`)
  const empty = await engine.run('select * from produced limit 0')
  const types = empty.columnTypes().map(String)
  const columns: Column[] = empty.columnNames().map((name, i) => ({
    name: name.toLowerCase(),
    type: writtenType(types[i] ?? ''),
  }))
  // A sum is wider in DuckDB.
  const list = columns.map(({ name }, i) =>
    types[i] === 'HUGEINT' ? `cast(${identifier(name)} as bigint) as ${identifier(name)}` : identifier(name),
  )
  const total = Number((await engine.run('select count(*) from produced')).getRows()[0]?.[0])
  const parts: { rows: number; bytes: Buffer }[] = []
  for (let from = 0; from < total; from += size) {
    const part = `select ${list.join(', ')} from produced limit ${size} offset ${from}`
    const rows = Math.min(size, total - from)
    if (form.format === 'parquet') parts.push({ rows, bytes: await readFile(await engine.parquetOf(part)) })
    else parts.push({ rows, bytes: textBytes(textRows(await engine.run(part), []), form) })
  }
  return { columns, parts }
}

/** Runs a query in an engine of its own that has its tables. */
async function withEngine<T>(
  { catalog, settings }: World,
  query: Query,
  objects: Objects,
  sql: string,
  use: (engine: Engine, sql: string, names: Names) => Promise<T>,
): Promise<T> {
  const scratch = await mkdtemp(join(tmpdir(), 'prestage-athena-'))
  const engine = await Engine.open(scratch)
  try {
    const given = settings.answer(sql)
    if (given !== undefined)
      return await use(
        engine,
        await loadRows(engine, given),
        given.columns.map(({ name }) => name),
      )
    const tree = await engine.tree(sql)
    await loadTables(engine, tree, catalog, objects, query)
    return await use(engine, sql, tree.columns)
  } finally {
    engine.close()
    await rm(scratch, { recursive: true, force: true })
  }
}
