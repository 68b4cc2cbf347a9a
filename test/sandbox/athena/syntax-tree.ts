import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { literal } from '../../../scripts/lib/engines/render.ts'
import { invalid, notHere } from './errors.ts'
import { FUNCTIONS, isTrinoFunction } from './trino.ts'

/** A node of DuckDB's own tree of a query. */
interface Node {
  readonly [member: string]: unknown
}

/** What the text of a query says. */
export interface QueryTree {
  /**
   * Tables that it reads, each as often as it does: a relation of its own that it names twice is worked out twice. `database` is empty
   * where it names none.
   */
  readonly tables: readonly TableUse[]
  /** Queries for how many rows the largest partition of each window has. */
  readonly windows: readonly (() => Promise<string>)[]
  /** Functions that this sandbox does not have. */
  readonly unknownFunctions: readonly string[]
  /** Names of its columns, undefined where one has none. Empty when they depend on its tables. */
  readonly columns: readonly (string | undefined)[]
}

export interface TableUse {
  readonly database: string
  readonly name: string
  /** Values that the query allows for a column by static equality; undefined when it does not say so. */
  valuesOf(column: string): readonly string[] | undefined
}

/** @param statement what json_serialize_sql gives for it */
function readTree(statement: unknown): Omit<QueryTree, 'windows'> {
  const root = (statement as { node: Node }).node
  const nodes = [...nodesOf(root)]
  const tables = [...usesIn(root, new Map())]
  const functions = nodes.filter(({ class: kind }) => kind === 'FUNCTION' || kind === 'WINDOW')
  const names = functions.map(({ function_name }) => lower(function_name))
  return {
    tables,
    unknownFunctions: names.filter((name) => /^\w+$/.test(name) && !FUNCTIONS.has(name)),
    columns: columnsOf(root),
  }
}

const lower = (name: unknown): string => String(name).toLowerCase()

function* nodesOf(value: unknown): Generator<Node> {
  if (value === null || typeof value !== 'object') return
  if (!Array.isArray(value)) yield value as Node
  for (const member of Object.values(value)) yield* nodesOf(member)
}

/** A relation of a query's own, and the ones that it may name itself. */
interface Relation {
  readonly node: Node
  readonly known: Relations
}

type Relations = ReadonlyMap<string, Relation>

/** The relations that a node declares, and those around it. */
function relationsAt({ cte_map }: Node, around: Relations): Relations {
  const declared = (cte_map as { map?: { key: string; value: Node }[] } | undefined)?.map ?? []
  return declared.reduce<Relations>(
    (known, { key, value }) => new Map(known).set(lower(key), { node: value, known }),
    around,
  )
}

/** Tables that a part of a query reads, as Trino plans it: a relation stands for its text wherever it is named. */
function* usesIn(value: unknown, around: Relations): Generator<TableUse> {
  if (value === null || typeof value !== 'object') return
  const node = value as Node
  const known = relationsAt(node, around)
  if (node.type === 'SELECT_NODE')
    for (const table of tablesOf(node.from_table as Node)) {
      const relation = table.schema_name === '' ? known.get(lower(table.table_name)) : undefined
      if (relation === undefined) yield useOf(table, conjunctsOf(node.where_clause as Node | null))
      else yield* usesIn(relation.node, relation.known)
    }
  for (const [name, member] of Object.entries(node)) if (name !== 'cte_map') yield* usesIn(member, known)
}

/** The selects that count the rows of each partition, one for each window of a query. */
function countsOf(root: Node): Node[] {
  const selects = [...nodesOf(root)].filter(({ type }) => type === 'SELECT_NODE')
  return selects.flatMap((select) =>
    [...nodesOf(select.select_list)]
      .filter(({ class: kind }) => kind === 'WINDOW')
      .map(({ partitions }) => ({
        ...select,
        cte_map: root.cte_map,
        select_list: [COUNT],
        group_expressions: partitions,
        group_sets: [(partitions as unknown[]).map((_, i) => i)],
      })),
  )
}

/** `count(*) as n` */
const COUNT = {
  class: 'FUNCTION',
  type: 'FUNCTION',
  alias: 'n',
  function_name: 'count_star',
  schema: '',
  children: [],
  filter: null,
  order_bys: { type: 'ORDER_MODIFIER', orders: [] },
  distinct: false,
  is_operator: false,
  export_state: false,
  catalog: '',
}

/** Tables of a FROM, through joins. */
function tablesOf(from: Node): Node[] {
  if (from.type === 'BASE_TABLE') return [from]
  return from.type === 'JOIN' ? [...tablesOf(from.left as Node), ...tablesOf(from.right as Node)] : []
}

function conjunctsOf(where: Node | null): Node[] {
  if (where === null) return []
  return where.type === 'CONJUNCTION_AND' ? (where.children as Node[]).flatMap(conjunctsOf) : [where]
}

function useOf({ schema_name, table_name, alias }: Node, conjuncts: readonly Node[]): TableUse {
  const name = lower(table_name)
  const isColumn = (node: Node | undefined, column: string) => {
    const path = node?.class === 'COLUMN_REF' ? (node.column_names as string[]).map(lower) : []
    return path.at(-1) === column && (path.length === 1 || path.at(-2) === (alias === '' ? name : lower(alias)))
  }
  return {
    database: lower(schema_name),
    name,
    valuesOf: (column) =>
      conjuncts.map((node) => equals(node, (side) => isColumn(side, column))).find((values) => values !== undefined),
  }
}

/** Values of `column = 'value'` and `column in ('value', …)`. */
function equals(node: Node, isColumn: (side: Node | undefined) => boolean): string[] | undefined {
  const sides = node.type === 'COMPARE_EQUAL' ? [node.left as Node, node.right as Node] : []
  const [subject, ...values] =
    node.type === 'COMPARE_IN' ? (node.children as Node[]) : isColumn(sides[1]) ? sides.reverse() : sides
  if (!isColumn(subject)) return undefined
  const texts = values.map((value) =>
    value.class === 'CONSTANT' ? (value.value as { value: unknown }).value : undefined,
  )
  return texts.every((text) => typeof text === 'string') ? texts : undefined
}

function columnsOf({ type, select_list }: Node): (string | undefined)[] {
  if (type !== 'SELECT_NODE') return []
  const list = select_list as Node[]
  if (list.some((column) => column.class === 'STAR')) return []
  return list.map(({ class: kind, alias, column_names }) => {
    const name = alias !== '' ? String(alias) : kind === 'COLUMN_REF' ? (column_names as string[]).at(-1) : undefined
    return name?.toLowerCase()
  })
}

/** Reads queries without running them. */
export class Parser {
  #connection: Promise<DuckDBConnection> | undefined

  /** @throws AwsError when it is no query */
  async tree(query: string): Promise<QueryTree> {
    this.#connection ??= DuckDBInstance.create(':memory:').then((instance) => instance.connect())
    const connection = await this.#connection
    const [[json] = []] = (await connection.runAndReadAll(`select json_serialize_sql(${literal(query)})`)).getRows()
    const answer = JSON.parse(String(json)) as {
      readonly error: boolean
      readonly error_message?: string
      readonly position?: string
      readonly statements?: readonly unknown[]
    }
    if (answer.error) {
      // What Trino's own grammar accepts is only beyond this sandbox. The grammar is large: it is loaded when it is needed.
      const { trinoParser } = await import('./sql-parser.ts')
      if (trinoParser().validate(query).length === 0) throw notHere(`this query (${answer.error_message})`)
      throw invalid(`line ${placeOf(query, answer.position)}: ${answer.error_message}`, 'MALFORMED_QUERY')
    }
    const [statement, ...others] = answer.statements ?? []
    if (others.length > 0) throw invalid('Only one sql statement is allowed', 'MALFORMED_QUERY')
    const tree = readTree(statement)
    const beyond = tree.unknownFunctions.find((name) => isTrinoFunction(name))
    if (beyond !== undefined) throw notHere(`the function ${beyond}`)
    const counts = countsOf((statement as { node: Node }).node)
    return { ...tree, windows: counts.map((node) => () => largest(connection, node)) }
  }

  async close(): Promise<void> {
    await this.#connection?.then((connection) => connection.closeSync())
  }
}

/** How many rows the largest group of a select has, as a query. */
async function largest(connection: DuckDBConnection, node: Node): Promise<string> {
  const tree = literal(JSON.stringify({ error: false, statements: [{ node }] }))
  const [[text] = []] = (await connection.runAndReadAll(`select json_deserialize_sql(${tree})`)).getRows()
  return `select max(n) from (${String(text)})`
}

function placeOf(text: string, position = '0'): string {
  const lines = text.slice(0, Number(position)).split('\n')
  return `${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`
}
