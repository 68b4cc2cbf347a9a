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

const METADATA_TABLE = /"s3tablescatalog\/aws-s3"\."([^"]+)"\."([^"]+)"/

/**
 * What a query of a table of S3 Metadata needs besides; none for other queries. "Permissions for querying metadata tables", S3 user guide, and
 * the policy that aws-samples/sample-s3-rollback-tool was run with.
 */
export function metadataRights(s3: S3State, query: string): { action: string; arn: string }[] {
  const [, namespace, table] = METADATA_TABLE.exec(query) ?? []
  if (namespace === undefined || table === undefined) return []
  const inCatalog = (kind: string, name: string): string => s3.arn('glue', `${kind}/s3tablescatalog/aws-s3${name}`)
  const catalogs = [s3.arn('glue', 'catalog'), s3.arn('glue', 'catalog/s3tablescatalog'), inCatalog('catalog', '')]
  const databases = [...catalogs, inCatalog('database', `/${namespace}`)]
  const on = (actions: readonly string[], arns: readonly string[]) =>
    actions.flatMap((action) => arns.map((arn) => ({ action, arn })))
  const bucket = s3.arn('s3tables', 'bucket/aws-s3')
  return [
    ...on(['athena:GetDataCatalog'], [s3.arn('athena', 'datacatalog/s3tablescatalog')]),
    ...on(['glue:GetCatalog'], catalogs),
    ...on(['glue:GetDatabase'], databases),
    ...on(['glue:GetTable'], [...databases, inCatalog('table', `/${namespace}/${table}`)]),
    ...on(
      ['s3tables:GetTableBucket', 's3tables:GetNamespace', 's3tables:ListNamespaces', 's3tables:ListTables'],
      [bucket],
    ),
    ...on(
      ['s3tables:GetTable', 's3tables:GetTableData', 's3tables:GetTableMetadataLocation'],
      [`${bucket}/table/00000000-0000-4000-8000-000000000001`],
    ),
    ...on(['lakeformation:GetDataAccess'], ['*']),
  ]
}
