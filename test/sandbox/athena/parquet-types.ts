import type { Column } from './catalog.ts'
import { userError } from './errors.ts'
import type { HiveType } from './hive-types.ts'

/** A line of a file's schema: columns and their members, each before those that it holds. */
export interface SchemaNode {
  readonly name: string
  /** Physical type; null of what has members. */
  readonly type: string | null
  readonly num_children: bigint | null
}

/** Physical types that a column may have: "HIVE_BAD_DATA: Field's type in Parquet is incompatible", Athena troubleshooting, and Trino's Parquet reader. */
const FITTING: Readonly<Record<string, readonly string[]>> = {
  string: ['BYTE_ARRAY', 'FIXED_LEN_BYTE_ARRAY'],
  int: ['INT32'],
  bigint: ['INT64', 'INT32'],
  double: ['DOUBLE', 'FLOAT'],
  boolean: ['BOOLEAN'],
  timestamp: ['INT64', 'INT96'],
}

/** Whether the columns of a file are what the table declares: Athena converts nothing. @throws QueryError */
export function checkParquetTypes(columns: readonly Column[], nodes: readonly SchemaNode[], uri: string): void {
  const types = new Map<string, string>()
  let at = 1
  const walk = (path: string, children: number) => {
    for (let i = 0; i < children; i++) {
      const node = nodes[at++]
      if (node === undefined) return
      const name = `${path}${node.name.toLowerCase()}`
      if (node.type !== null) types.set(name, node.type)
      walk(`${name}.`, Number(node.num_children ?? 0))
    }
  }
  walk('', Number(nodes[0]?.num_children ?? 0))
  const check = (name: string, type: HiveType): void => {
    if (type.kind === 'struct') for (const [field, of] of type.fields) check(`${name}.${field.toLowerCase()}`, of)
    if (type.kind !== 'simple') return
    const found = types.get(name)
    if (found === undefined || FITTING[type.name]?.includes(found) !== false) return
    throw userError(
      `HIVE_BAD_DATA: Field ${name}'s type ${found} in parquet file ${uri} is incompatible with type ${type.name === 'string' ? 'varchar' : type.name} defined in table schema`,
    )
  }
  for (const { name, type } of columns) check(name.toLowerCase(), type)
}
