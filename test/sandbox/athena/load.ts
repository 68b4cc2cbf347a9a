import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Catalog, Column, Table } from './catalog.ts'
import { Engine } from './engine.ts'
import { exhausted, userError } from './errors.ts'
import type { Objects } from './objects.ts'
import type { Query } from './query.ts'
import type { Rows } from './settings.ts'
import type { Shared } from './shared.ts'
import type { QueryTree, TableUse } from './syntax-tree.ts'
import { rowsOf, unpacked } from './unpacked.ts'

/** The object of a row. Athena shows it only to who asks; here it is a column only then, so that a star does not show it. */
const PATH: Column = { name: '$path', type: { kind: 'simple', name: 'string' } }

/** Puts the tables that a query names into the engine, and counts what was scanned. @throws QueryError */
async function loadTables(
  engine: Engine,
  { query: text, tree }: Asked,
  catalog: Catalog,
  objects: Objects,
  query: Query,
) {
  const [unknownFunction] = tree.unknownFunctions
  if (unknownFunction !== undefined)
    throw userError(`FUNCTION_NOT_FOUND: line 1:1: Function '${unknownFunction}' not registered`)
  await engine.use(query.database)
  const hasPath = text.includes(`"${PATH.name}"`)
  for (const { table, places } of placesOf(tree.tables, catalog, query.database)) {
    objects.allow('glue:GetTable', `${table.database}/${table.name}`)
    const read = []
    for (const [value, { place, uses }] of places)
      for (const object of await (table.linked ? objects.linked(place) : objects.read(place))) {
        query.scanned.bytes += object.bytes.length * uses
        read.push({ ...object, value })
      }
    if (table.format === 'parquet') {
      await engine.parquet(table, read)
      continue
    }
    const [partition] = table.partitions
    const hidden = (uri: string) => hasPath && { [PATH.name]: uri }
    const rows: object[] = []
    for (const { uri, bytes, value } of read)
      for (const row of rowsOf(table, uri, await unpacked(engine, uri, bytes)))
        rows.push({ ...row, ...(partition && { [partition.name]: value }), ...hidden(uri) })
    query.scanned.rows += rows.length
    await engine.fill(
      table.database,
      table.name,
      [...table.columns, ...table.partitions, ...(hasPath ? [PATH] : [])],
      rows,
    )
  }
}

interface TablePlaces {
  readonly table: Table
  /** By the value of its partition; of a table without one, by nothing. `uses`: how often it is scanned. */
  readonly places: ReadonlyMap<string, { readonly place: string; readonly uses: number }>
}

/** Where the tables are that a query names, each once. @throws QueryError */
function placesOf(uses: readonly TableUse[], catalog: Catalog, database: string): TablePlaces[] {
  const found = new Map<Table, Map<string, { place: string; uses: number }>>()
  for (const use of uses) {
    const table = tableOf(use, catalog, database)
    const places = found.get(table) ?? new Map<string, { place: string; uses: number }>()
    found.set(table, places)
    for (const value of table.partitions.length === 0 ? [''] : injected(table, use)) {
      const place = table.partitions.length === 0 ? table.location : templateOf(table).replaceAll(holder(table), value)
      places.set(value, { place, uses: (places.get(value)?.uses ?? 0) + 1 })
    }
  }
  return [...found].map(([table, places]) => ({ table, places }))
}

function tableOf(use: TableUse, catalog: Catalog, otherwise: string): Table {
  const database = use.database === '' ? otherwise : use.database
  if (!catalog.hasDatabase(database)) throw userError(`SCHEMA_NOT_FOUND: line 1:1: Schema '${database}' does not exist`)
  const table = catalog.find(database, use.name)
  if (table !== undefined) return table
  throw userError(`TABLE_NOT_FOUND: line 1:1: Table 'awsdatacatalog.${database}.${use.name}' does not exist`)
}

const holder = ({ partitions }: Table): string => `\${${partitions[0]?.name}}`

const templateOf = ({ parameters, location }: Table): string => parameters['storage.location.template'] ?? location

/** The values of an injected partition that a query names. @throws QueryError when it does not */
function injected(table: Table, use: TableUse): readonly string[] {
  const name = table.partitions[0]?.name ?? ''
  const values = use.valuesOf(name)
  if (values !== undefined) return values
  throw userError(
    `CONSTRAINT_VIOLATION: For the injected projected partition column ${name}, the WHERE clause must contain only static equality conditions, and at least one such condition must be present.`,
  )
}

/** Names of a query's columns, undefined where one has none. */
export type Names = QueryTree['columns']

interface Asked {
  readonly query: string
  readonly tree: QueryTree
}

/** Runs a query in an engine of its own that has its tables, or the rows that a test gives instead. @throws QueryError */
export async function withEngine<T>(
  { catalog, settings }: Shared,
  execution: Query,
  { query, tree }: Asked,
  objects: Objects,
  use: (engine: Engine, sql: string, names: Names) => Promise<T>,
): Promise<T> {
  const scratch = await mkdtemp(join(tmpdir(), 'prestage-athena-'))
  const engine = await Engine.open(scratch)
  try {
    objects.enterMetadata(query)
    const given = settings.answer(query)
    if (given === undefined) {
      await loadTables(engine, { query, tree }, catalog, objects, execution)
      await checkWindows(engine, tree, settings.rowsPerWorker)
      return await use(engine, query, tree.columns)
    }
    await loadRows(engine, given)
    return await use(engine, 'select * from given.rows', [])
  } finally {
    engine.close()
    await rm(scratch, { recursive: true, force: true })
  }
}

/** A partition of a window is the work of one worker. @throws QueryError */
async function checkWindows(engine: Engine, { windows }: QueryTree, most: number): Promise<void> {
  if (most === Number.POSITIVE_INFINITY) return
  for (const count of windows) if (Number((await engine.run(await count())).getRows()[0]?.[0]) > most) throw exhausted()
}

const HIVE: Readonly<Record<string, string>> = { varchar: 'string', integer: 'int' }

async function loadRows(engine: Engine, { columns, rows }: Rows): Promise<void> {
  const named: Column[] = columns.map(({ name, type }) => ({
    name,
    type: { kind: 'simple', name: HIVE[type] ?? type },
  }))
  const objects = rows.map((row) => Object.fromEntries(named.map(({ name }, i) => [name, row[i] ?? null])))
  await engine.fill('given', 'rows', named, objects)
}
