import { tableOfDdl } from './ddl-table.ts'
import { userError } from './errors.ts'
import type { Objects } from './objects.ts'
import type { Query } from './query.ts'
import type { Shared } from './shared.ts'
import type { Ddl } from './statement.ts'

/** Does what DDL says to the catalog. @throws QueryError */
export function define({ catalog, s3 }: Shared, { database }: Query, statement: Ddl, objects: Objects): void {
  if (statement.kind === 'create-database') {
    objects.allow('glue:CreateDatabase', statement.name)
    if (!catalog.hasDatabase(database))
      throw userError(`FAILED: SemanticException [Error 10072]: Database does not exist: ${database}`)
    catalog.createDatabase(statement.name, statement.ifNotExists)
    return
  }
  const { table } = statement
  const [at, name] = [table.database ?? database, table.name]
  if (statement.kind === 'drop-table') {
    const partitioned = (catalog.find(at, name)?.partitions.length ?? 0) > 0
    const rights = partitioned ? ['GetPartitions', 'GetPartition', 'DeletePartition'] : []
    for (const right of ['GetTable', 'DeleteTable', ...rights]) objects.allow(`glue:${right}`, `${at}/${name}`)
    if (catalog.drop(at, name) || statement.ifExists) return
    throw userError(`FAILED: SemanticException [Error 10001]: Table not found ${at}.${name}`)
  }
  for (const right of ['GetTable', 'CreateTable']) objects.allow(`glue:${right}`, `${at}/${name}`)
  if (!catalog.hasDatabase(at))
    throw userError(`FAILED: SemanticException [Error 10072]: Database does not exist: ${at}`)
  const exists = catalog.find(at, name) !== undefined
  if (!exists) catalog.add(tableOfDdl(statement, at, s3.now()))
  if (!exists || statement.ifNotExists) return
  throw userError(
    `FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. AlreadyExistsException(message:Table ${name} already exists.)`,
  )
}
