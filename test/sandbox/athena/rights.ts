import type { S3State } from '../s3/state.ts'
import type { Athena } from './athena.ts'

/** ARNs of a database or a table and of what it is in: Glue asks for a right on each. */
export function glueArns(s3: S3State, resource: string): string[] {
  const [database = '', table] = resource.split('/')
  const parts = ['catalog', `database/${database}`, ...(table === undefined ? [] : [`table/${database}/${table}`])]
  return parts.map((part) => s3.arn('glue', part))
}

interface Input {
  readonly QueryExecutionId?: string
  readonly QueryExecutionIds?: readonly string[]
  readonly WorkGroup?: string
  readonly DatabaseName?: string
  readonly TableName?: string
}

/**
 * What a caller needs for an operation, besides what its query does: a right on the workgroup, of queries that are known by their id, too.
 * "Actions, resources, and condition keys for Amazon Athena", Service Authorization Reference.
 */
export function rightsOf({ s3, queries }: Athena, operation: string, input: Input): { action: string; arn: string }[] {
  const action = `athena:${operation}`
  const { DatabaseName, TableName, QueryExecutionIds = [], QueryExecutionId, WorkGroup = 'primary' } = input
  if (TableName !== undefined)
    return [
      { action, arn: s3.arn('athena', 'datacatalog/AwsDataCatalog') },
      ...glueArns(s3, `${DatabaseName}/${TableName}`).map((arn) => ({ action: 'glue:GetTable', arn })),
    ]
  const ids = QueryExecutionId === undefined ? QueryExecutionIds : [QueryExecutionId]
  const known = queries.all.filter(({ id }) => ids.includes(id)).map(({ workgroup }) => workgroup)
  const groups = new Set(ids.length > 0 ? known : [WorkGroup])
  return [...groups].map((group) => ({ action, arn: s3.arn('athena', `workgroup/${group}`) }))
}
