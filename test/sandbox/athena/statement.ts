import { ended, readQuery, readTableName, type TableName } from './clauses.ts'
import { type Ctas, readCtas } from './ctas.ts'
import { type CreateTable, readCreateTable } from './ddl.ts'
import { notHere } from './errors.ts'
import { Words } from './words.ts'

export interface Select {
  readonly kind: 'select'
  readonly query: string
}

/** What only changes the catalog. */
export type Ddl =
  | CreateTable
  | { readonly kind: 'create-database'; readonly name: string; readonly ifNotExists: boolean }
  | { readonly kind: 'drop-table'; readonly table: TableName; readonly ifExists: boolean }

export type Statement = Select | Ctas | Ddl

/** @throws AwsError when it is no statement, or none of this sandbox */
export function parseStatement(text: string): Statement {
  const [hive, trino] = [new Words(text, 'hive'), new Words(text, 'trino')]
  if (hive.has('create', 'external', 'table')) return readCreateTable(hive)
  if (hive.has('create', 'database') || hive.has('create', 'schema')) return readCreateDatabase(hive)
  if (hive.has('drop', 'table')) {
    const ifExists = hive.has('if', 'exists')
    const table = readTableName(hive)
    ended(hive)
    return { kind: 'drop-table', table, ifExists }
  }
  if (trino.has('create', 'table')) return readCtas(trino)
  if (['select', 'with', '('].includes(trino.next.text)) return { kind: 'select', query: readQuery(trino) }
  if (['create', 'drop', 'alter', 'msck', 'show', 'describe', 'insert', 'unload'].includes(trino.next.text))
    throw notHere(`Athena's ${trino.next.text.toUpperCase()}`)
  throw trino.unexpected("'ALTER', 'CREATE', 'DROP', 'SELECT', <query>")
}

function readCreateDatabase(words: Words): Statement {
  const ifNotExists = words.has('if', 'not', 'exists')
  const name = words.name()
  ended(words)
  return { kind: 'create-database', name, ifNotExists }
}
