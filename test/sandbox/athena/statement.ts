import { type Ctas, readCtas } from './ctas.ts'
import { type CreateTable, readCreateTable } from './ddl.ts'
import { notHere } from './errors.ts'
import { ended, readQuery, readTableName, type TableName, Words } from './words.ts'

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

/** What begins the statements of Athena that are not in this sandbox. */
const ELSEWHERE =
  `alter analyze call create deallocate delete desc describe drop execute explain insert merge msck optimize prepare
  show table truncate unload update use vacuum values`.split(/\s+/)

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
  const { kind, text: first } = trino.next
  if (kind !== 'string' && ['select', 'with', '('].includes(first)) return { kind: 'select', query: readQuery(trino) }
  if (kind === 'word' && ELSEWHERE.includes(first)) throw notHere(`Athena's ${first.toUpperCase()}`)
  throw trino.unexpected("'ALTER', 'CREATE', 'DROP', 'SELECT', <query>")
}

function readCreateDatabase(words: Words): Statement {
  const ifNotExists = words.has('if', 'not', 'exists')
  const name = words.name()
  ended(words)
  return { kind: 'create-database', name, ifNotExists }
}
