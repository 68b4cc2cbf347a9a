import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { literal } from '../../../scripts/lib/engines/render.ts'
import { invalid, notHere } from './errors.ts'
import { type QueryTree, readTree } from './syntax-tree.ts'
import { isTrinoFunction } from './trino.ts'

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
      const { TrinoSQL } = await import('dt-sql-parser')
      if (new TrinoSQL().validate(query).length === 0) throw notHere(`this query (${answer.error_message})`)
      throw invalid(`line ${placeOf(query, answer.position)}: ${answer.error_message}`, 'MALFORMED_QUERY')
    }
    const [statement, ...others] = answer.statements ?? []
    if (others.length > 0) throw invalid('Only one sql statement is allowed', 'MALFORMED_QUERY')
    const tree = readTree(statement)
    const beyond = tree.unknownFunctions.find((name) => isTrinoFunction(name))
    if (beyond !== undefined) throw notHere(`the function ${beyond}`)
    return tree
  }

  async close(): Promise<void> {
    await this.#connection?.then((connection) => connection.closeSync())
  }
}

function placeOf(text: string, position = '0'): string {
  const lines = text.slice(0, Number(position)).split('\n')
  return `${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`
}
