import * as client from '@aws-sdk/client-athena'
import type { Incoming, Service } from '../http.ts'
import { allow, jsonService, type Operation } from '../json-service.ts'
import type { Caller } from '../s3/state.ts'
import type { Athena } from './athena.ts'
import { metadataOf, tableMissing } from './catalog.ts'
import { rightsOf } from './rights.ts'
import { workgroupAnswer } from './workgroups.ts'

type Perform = (input: never, caller: Caller) => unknown

/** Amazon Athena over the buckets of a state. */
export function athenaService(athena: Athena, identify: (request: Incoming) => Caller): Service {
  const { queries, catalog, s3, settings } = athena
  const started = s3.now().getTime() / 1000
  const performs: Record<string, Perform> = {
    StartQueryExecution: (input, caller) => queries.start(input, caller),
    GetQueryExecution: (input) => queries.get(input),
    BatchGetQueryExecution: (input) => queries.batchGet(input),
    ListQueryExecutions: (input) => queries.list(input),
    StopQueryExecution: (input) => queries.stop(input),
    GetQueryResults: (input, caller) => queries.results(input, caller),
    GetQueryRuntimeStatistics: (input) => queries.statistics(input),
    GetWorkGroup: ({ WorkGroup }: { WorkGroup: string }) => workgroupAnswer(settings.workgroups, WorkGroup, started),
    GetTableMetadata: ({ DatabaseName, TableName }: { DatabaseName: string; TableName: string }) => {
      const table = catalog.find(DatabaseName, TableName)
      if (table === undefined) throw tableMissing()
      return { TableMetadata: metadataOf(table) }
    },
  }
  const operation =
    (name: string, perform: Perform): Operation =>
    (input, request) => {
      const caller = identify(request)
      for (const { action, arn } of rightsOf(athena, name, input)) allow(s3, caller, action, resourceOf(input), { arn })
      return perform(input as never, caller)
    }
  return jsonService({
    name: 'athena',
    target: 'AmazonAthena',
    client,
    operations: Object.fromEntries(Object.entries(performs).map(([name, perform]) => [name, operation(name, perform)])),
    resource: resourceOf,
    identify,
  })
}

/** What a request is about: a table, a query, a workgroup. */
function resourceOf(input: Readonly<Record<string, unknown>>): string {
  const { DatabaseName, TableName, QueryExecutionId, WorkGroup = 'primary' } = input as Readonly<Record<string, string>>
  return TableName === undefined ? (QueryExecutionId ?? WorkGroup) : `${DatabaseName}/${TableName}`
}
