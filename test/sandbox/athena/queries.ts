import { randomUUID } from 'node:crypto'
import type { Caller } from '../s3/state.ts'
import { locationOf } from '../sagemaker/s3.ts'
import { invalid, notHere } from './errors.ts'
import { describe, hasEnded, type Parsed, type Query, resultObject, runtimeStatistics } from './query.ts'
import { page } from './results.ts'
import type { Runner } from './runner.ts'
import { failureOf } from './settings.ts'
import type { Shared } from './shared.ts'
import { parseStatement } from './statement.ts'
import type { Parser } from './syntax-tree.ts'
import { outputOf, workgroupOf } from './workgroups.ts'

interface Start {
  readonly QueryString: string
  readonly ClientRequestToken?: string
  readonly QueryExecutionContext?: { readonly Database?: string; readonly Catalog?: string }
  readonly ResultConfiguration?: { readonly OutputLocation?: string }
  readonly ExecutionParameters?: readonly string[]
  readonly WorkGroup?: string
}

/** "Athena retains query history for 45 days", "Query results are retained … for 24 hours": Athena user guide. */
const KEPT_HOURS = { queries: 45 * 24, managedResults: 24 }

type Named = { readonly QueryExecutionId: string }

/** The query executions of an account. */
export class Queries {
  readonly #shared: Shared
  readonly #runner: Runner
  readonly #parser: Parser
  readonly #all = new Map<string, Query>()
  readonly #tokens = new Map<string, { id: string; asked: string }>()

  constructor(shared: Shared, runner: Runner, parser: Parser) {
    this.#shared = shared
    this.#runner = runner
    this.#parser = parser
  }

  /** In the order of their start. */
  get all(): readonly Query[] {
    return [...this.#all.values()]
  }

  async start(input: Start, caller: Caller): Promise<Named> {
    const { ClientRequestToken: token = randomUUID(), QueryString: text } = input
    const asked = JSON.stringify([
      text,
      input.QueryExecutionContext?.Database,
      input.ResultConfiguration?.OutputLocation,
    ])
    const statement = await this.#parsed(text)
    const before = this.#tokens.get(token)
    if (before !== undefined && before.asked !== asked)
      throw invalid('Idempotent parameters do not match', 'IDEMPOTENT_PARAMETER_MISMATCH')
    if (before !== undefined) return { QueryExecutionId: before.id }
    const query = this.#newQuery(input, statement, caller)
    this.#all.set(query.id, query)
    this.#tokens.set(token, { id: query.id, asked })
    this.#runner.start(query)
    return { QueryExecutionId: query.id }
  }

  async #parsed(text: string): Promise<Parsed> {
    const statement = parseStatement(text)
    return 'query' in statement ? { ...statement, tree: await this.#parser.tree(statement.query) } : statement
  }

  #newQuery(input: Start, statement: Parsed, caller: Caller): Query {
    const { s3, settings } = this.#shared
    const { QueryString: text, WorkGroup: workgroup = 'primary', QueryExecutionContext: context } = input
    const group = workgroupOf(settings.workgroups, workgroup)
    if (group.state === 'DISABLED') throw invalid(`WorkGroup ${workgroup} is disabled.`)
    if (input.ExecutionParameters !== undefined) throw notHere('a query with ExecutionParameters')
    const failure = failureOf(settings, 'start', statement.kind, text)
    if (failure !== undefined) throw invalid(failure.error.reason)
    const output = outputOf(group, statement, input.ResultConfiguration?.OutputLocation)
    if (output !== undefined) this.#checkBucket(locationOf(output).bucket, caller)
    return {
      id: randomUUID(),
      text,
      statement,
      caller,
      workgroup,
      database: (context?.Database ?? 'default').toLowerCase(),
      output,
      submitted: s3.now(),
      state: 'QUEUED',
      scanned: { bytes: 0, rows: 0 },
      written: { bytes: 0, rows: 0 },
    }
  }

  /** "Access to workgroup and S3 output locations", Athena user guide: in the caller's name. @throws AwsError */
  #checkBucket(bucket: string, caller: Caller): void {
    const { s3 } = this.#shared
    const sorry = invalid(`Unable to verify/create output bucket ${bucket}`)
    if (!s3.buckets.has(bucket)) throw sorry
    try {
      s3.authorize(caller, 's3:GetBucketLocation', bucket)
    } catch {
      throw sorry
    }
  }

  find(id: string): Query {
    const query = this.#all.get(id)
    if (query === undefined || this.#hoursSince(query) > KEPT_HOURS.queries)
      throw invalid(`QueryExecution ${id} was not found`, 'QUERY_EXECUTION_NOT_FOUND')
    return query
  }

  /** Hours since its end. */
  #hoursSince({ completed }: Query): number {
    return completed === undefined ? 0 : (this.#shared.s3.now().getTime() - completed.getTime()) / 3_600_000
  }

  async get({ QueryExecutionId }: Named) {
    const query = this.find(QueryExecutionId)
    const QueryExecution = describe(query)
    await this.#runner.polled(query)
    return { QueryExecution }
  }

  batchGet({ QueryExecutionIds }: { QueryExecutionIds: readonly string[] }) {
    const [known, unknown] = [QueryExecutionIds.filter((id) => this.#all.has(id)), new Set(QueryExecutionIds)]
    for (const id of known) unknown.delete(id)
    return {
      QueryExecutions: known.map((id) => describe(this.find(id))),
      UnprocessedQueryExecutionIds: [...unknown].map((QueryExecutionId) => ({
        QueryExecutionId,
        ErrorCode: 'QUERY_EXECUTION_NOT_FOUND',
        ErrorMessage: `QueryExecution ${QueryExecutionId} was not found`,
      })),
    }
  }

  /** The newest come first. */
  list({
    WorkGroup = 'primary',
    MaxResults = 50,
    NextToken,
  }: {
    WorkGroup?: string
    MaxResults?: number
    NextToken?: string
  }) {
    const ids = this.all.filter(({ workgroup }) => workgroup === WorkGroup).map(({ id }) => id)
    const from = Number(NextToken ?? 0)
    const [page, more] = [ids.reverse().slice(from, from + MaxResults), from + MaxResults < ids.length]
    return { QueryExecutionIds: page, ...(more && { NextToken: String(from + MaxResults) }) }
  }

  async stop({ QueryExecutionId }: Named) {
    await this.#runner.stop(this.find(QueryExecutionId))
  }

  results(input: Named & { MaxResults?: number; NextToken?: string }, caller: Caller) {
    const query = this.find(input.QueryExecutionId)
    const state = 'INVALID_QUERY_EXECUTION_STATE'
    if (!hasEnded(query)) throw invalid(`Query has not yet finished. Current state: ${query.state}`, state)
    if (query.state === 'FAILED') throw invalid('Query did not finish successfully. Final query state: FAILED', state)
    if (query.state === 'CANCELLED') throw noResults()
    if (query.output === undefined && this.#hoursSince(query) > KEPT_HOURS.managedResults) throw noResults()
    const at = query.statement.kind === 'select' ? resultObject(query) : undefined
    if (at !== undefined) this.#checkReadable(at, caller)
    return page(query, this.#shared.settings.header, input)
  }

  /** Athena reads the rows from the object that it wrote. */
  #checkReadable(uri: string, caller: Caller): void {
    const { s3 } = this.#shared
    const { bucket, key } = locationOf(uri)
    s3.authorize(caller, 's3:GetObject', `${bucket}/${key}`)
    if (s3.bucket(bucket).backend.get(key) === undefined) throw noResults()
  }

  statistics({ QueryExecutionId }: Named) {
    return { QueryRuntimeStatistics: runtimeStatistics(this.find(QueryExecutionId)) }
  }
}

const noResults = () => invalid('Could not find results', 'RESULT_NOT_FOUND')
