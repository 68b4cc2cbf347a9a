import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Column } from './catalog.ts'
import { Engine } from './engine.ts'
import { loadTables } from './load.ts'
import type { Objects } from './objects.ts'
import type { Query } from './query.ts'
import type { Rows } from './settings.ts'
import type { Shared } from './shared.ts'
import type { QueryTree } from './syntax-tree.ts'

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
    const given = settings.answer(query)
    if (given === undefined) {
      await loadTables(engine, tree, catalog, objects, execution)
      return await use(engine, query, tree.columns)
    }
    await loadRows(engine, given)
    return await use(engine, 'select * from given.rows', [])
  } finally {
    engine.close()
    await rm(scratch, { recursive: true, force: true })
  }
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
