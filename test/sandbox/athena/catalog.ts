import { AwsError } from '../http.ts'
import { userError } from './errors.ts'
import { type HiveType, typeText } from './hive-types.ts'

export interface Column {
  readonly name: string
  readonly type: HiveType
}

/** How the objects of a table are read. */
export type Format = 'cloudtrail' | 'json-lines' | 'regex' | 'text' | 'parquet'

export interface Table {
  readonly database: string
  readonly name: string
  readonly columns: readonly Column[]
  readonly partitions: readonly Column[]
  readonly format: Format
  /** Between the fields of a line of text. */
  readonly delimiter: string
  /** Its objects hold URIs, one a line, of the objects that are read. */
  readonly linked?: true
  /** `s3://bucket/prefix/` */
  readonly location: string
  readonly parameters: Readonly<Record<string, string>>
  readonly created: Date
}

/** The databases and tables of an account: what AWS keeps in Glue. */
export class Catalog {
  readonly #databases = new Map<string, Map<string, Table>>([['default', new Map()]])

  hasDatabase(name: string): boolean {
    return this.#databases.has(name)
  }

  createDatabase(name: string, ifNotExists: boolean): void {
    if (this.hasDatabase(name) && !ifNotExists)
      throw userError(
        `FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. Database ${name} already exists`,
      )
    if (!this.hasDatabase(name)) this.#databases.set(name, new Map())
  }

  /** With all its tables. */
  dropDatabase(name: string): void {
    this.#databases.delete(name)
  }

  find(database: string, name: string): Table | undefined {
    return this.#databases.get(database)?.get(name)
  }

  /** @throws QueryError when there is no such database */
  add(table: Table): void {
    const tables = this.#databases.get(table.database)
    if (tables === undefined) throw userError(`SCHEMA_NOT_FOUND: line 1:1: Schema ${table.database} not found`)
    tables.set(table.name, table)
  }

  /** Its objects stay. */
  drop(database: string, name: string): boolean {
    return this.#databases.get(database)?.delete(name) ?? false
  }

  /** Names of the tables, `database.table`. */
  names(): string[] {
    return [...this.#databases].flatMap(([database, tables]) => [...tables.keys()].map((name) => `${database}.${name}`))
  }
}

/** TableMetadata of GetTableMetadata. */
export const metadataOf = (table: Table) => ({
  Name: table.name,
  CreateTime: table.created.getTime() / 1000,
  LastAccessTime: 0,
  TableType: 'EXTERNAL_TABLE',
  Columns: table.columns.map(columnOf),
  PartitionKeys: table.partitions.map(columnOf),
  Parameters: table.parameters,
})

const columnOf = ({ name, type }: Column) => ({ Name: name, Type: typeText(type) })

/** Glue's own error, handed through. */
export const tableMissing = (): AwsError =>
  new AwsError(
    'MetadataException',
    400,
    'EntityNotFoundException: Entity Not Found (Service: AmazonDataCatalog; Status Code: 400; Error Code: EntityNotFoundException; Proxy: null)',
  )
