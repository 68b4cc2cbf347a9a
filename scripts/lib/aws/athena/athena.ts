import {
  type AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  GetTableMetadataCommand,
  ListQueryExecutionsCommand,
  type QueryExecution,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
  type TableMetadata,
} from '@aws-sdk/client-athena'
import pMap from 'p-map'
import { messageOf, UserError } from '../../cli/errors.ts'
import { plural } from '../../cli/format.ts'
import type { Waiting } from '../../cli/host.ts'
import { type Asked, detailsOf, explained } from '../errors.ts'
import { QueryFailed, ResultsGone } from './failure.ts'
import { sendsLocation, type Workgroup } from './workgroup.ts'

export interface AthenaSettings extends Waiting {
  readonly client: AthenaClient
  readonly region: string
  readonly workgroup: Workgroup
  readonly database: string
  /** `s3://…/` for results that the workgroup has no place for. */
  readonly scratch: string
  /** Milliseconds that one query may take, waiting for its turn included. */
  readonly timeout: number
  onState(text: string): void
}

/** A query that succeeded. */
export interface Finished {
  readonly id: string
  readonly scannedBytes: number
}

/** Looks at a query grow apart from here to there, in milliseconds. */
const POLL = { first: 100, factor: 1.5, longest: 5000 } as const

/** Queries of one page: the most that Athena gives. */
const LISTED = 50
/** Looks in flight. */
const LOOKS_AT_ONCE = 4

/** Rows of one page: the most that Athena gives. */
const PAGE = 1000

const UNDER_WAY = /^(QUEUED|RUNNING)$/

const MAKES_DATABASE = /^\s*create\s+database\b/i

/** Athena as prestage uses it: statements that are started, waited for and read, one at a time. */
export class Athena {
  readonly #settings: AthenaSettings

  constructor(settings: AthenaSettings) {
    this.#settings = settings
  }

  get workgroup(): Workgroup {
    return this.#settings.workgroup
  }

  /** Pauses, as the host of the script does. */
  sleep(ms: number): Promise<void> {
    return this.#settings.sleep(ms)
  }

  get database(): string {
    return this.#settings.database
  }

  /**
   * Starts a statement. The same token with the same statement is the same query, whatever became of it.
   * @param token 32 to 128 characters
   * @returns the id of the query
   */
  async start(sql: string, token: string): Promise<string> {
    const { client, workgroup, database, scratch } = this.#settings
    const { QueryExecutionId } = await this.#asked('athena:StartQueryExecution', () =>
      client.send(
        new StartQueryExecutionCommand({
          QueryString: sql,
          ClientRequestToken: token,
          // "The database must exist in the catalog", QueryExecutionContext, API reference.
          ...(!MAKES_DATABASE.test(sql) && { QueryExecutionContext: { Database: database } }),
          WorkGroup: workgroup.name,
          ...(sendsLocation(workgroup) && { ResultConfiguration: { OutputLocation: scratch } }),
        }),
      ),
    )
    if (QueryExecutionId === undefined) throw new Error('Athena answered StartQueryExecution without an id')
    return QueryExecutionId
  }

  /**
   * Waits for a query's end. An abort or the timeout stops it.
   * @throws QueryFailed when Athena says so, UserError after the timeout
   */
  async finish(id: string): Promise<Finished> {
    const { signal, sleep, timeout, onState } = this.#settings
    const deadline = Date.now() + timeout
    for (let wait: number = POLL.first; ; wait = Math.min(wait * POLL.factor, POLL.longest)) {
      try {
        const query = await this.#look(id)
        const state = query.Status?.State ?? 'QUEUED'
        onState(state === 'QUEUED' ? `query ${id} waits for its turn` : `query ${id} ${state}`)
        if (state === 'SUCCEEDED') return { id, scannedBytes: query.Statistics?.DataScannedInBytes ?? 0 }
        if (state === 'FAILED' || state === 'CANCELLED') throw new QueryFailed(id, query.Status ?? {})
        await sleep(wait * (0.8 + 0.4 * Math.random()))
      } catch (error) {
        // It would go on, and be paid for, with nobody waiting. One that only could not be looked at is taken up again.
        if (signal.aborted) await this.#stop(id)
        throw error
      }
      if (Date.now() < deadline) continue
      await this.#stop(id)
      throw tooLong(id, timeout)
    }
  }

  /** Whether a query waits or runs. */
  async isUnderWay(id: string): Promise<boolean> {
    return UNDER_WAY.test(await this.#stateOf(id))
  }

  /** Whether a query has succeeded, or may still. */
  async isGood(id: string): Promise<boolean> {
    return /^(QUEUED|RUNNING|SUCCEEDED)$/.test(await this.#stateOf(id))
  }

  /** Ids of queries of the workgroup that wait or run, were started since then, and whose statement is one of these. */
  async underWay(since: Date, isMeant: (sql: string) => boolean): Promise<string[]> {
    const { client, workgroup, signal } = this.#settings
    const found: string[] = []
    let NextToken: string | undefined
    do {
      const command = new ListQueryExecutionsCommand({ WorkGroup: workgroup.name, MaxResults: LISTED, NextToken })
      const page = await this.#asked('athena:ListQueryExecutions', () => client.send(command, { abortSignal: signal }))
      const looks = { concurrency: LOOKS_AT_ONCE, signal }
      const queries = await pMap(page.QueryExecutionIds ?? [], (id) => this.#look(id), looks)
      const recent = queries.filter(({ Status }) => (Status?.SubmissionDateTime ?? since) >= since)
      for (const { QueryExecutionId, Query = '', Status } of recent)
        if (QueryExecutionId !== undefined && UNDER_WAY.test(Status?.State ?? '') && isMeant(Query))
          found.push(QueryExecutionId)
      // The newest come first.
      NextToken = recent.length === 0 ? undefined : page.NextToken
    } while (NextToken !== undefined)
    return found
  }

  async #stateOf(id: string): Promise<string> {
    return (await this.#known(id))?.Status?.State ?? ''
  }

  /** Undefined for a query that Athena has forgotten, 45 days after its end: it has no other reason to call an id invalid. */
  async #known(id: string): Promise<QueryExecution | undefined> {
    const { client, signal } = this.#settings
    const command = new GetQueryExecutionCommand({ QueryExecutionId: id })
    const { QueryExecution } = await this.#asked('athena:GetQueryExecution', () =>
      client.send(command, { abortSignal: signal }).catch(unlessInvalid),
    )
    return QueryExecution
  }

  /** Stops a query and waits until it does not run. One that has ended is no error. */
  async stop(id: string): Promise<void> {
    const { client, sleep } = this.#settings
    const asked = () => client.send(new StopQueryExecutionCommand({ QueryExecutionId: id }))
    try {
      await this.#asked('athena:StopQueryExecution', asked)
    } catch (error) {
      if (await this.isUnderWay(id)) throw error
    }
    while (await this.isUnderWay(id)) await sleep(POLL.first)
  }

  /**
   * A query's rows as text, without the header that Athena sends along.
   * @throws ResultsGone when the query succeeded, and its rows are kept no more
   */
  async *rows(id: string): AsyncGenerator<readonly (string | null)[]> {
    const { client, signal } = this.#settings
    let NextToken: string | undefined
    let isHeader = true
    do {
      const command = new GetQueryResultsCommand({ QueryExecutionId: id, MaxResults: PAGE, NextToken })
      const { ResultSet, ...page } = await this.#asked('athena:GetQueryResults', () =>
        client.send(command, { abortSignal: signal }),
      ).catch((error: unknown) => {
        throw isInvalid(causeOf(error)) ? new ResultsGone(`query ${id}: ${messageOf(error)}`, { cause: error }) : error
      })
      const names = (ResultSet?.ResultSetMetadata?.ColumnInfo ?? []).map(({ Name }) => Name)
      for (const { Data = [] } of ResultSet?.Rows ?? []) {
        const isNames = isHeader && Data.every(({ VarCharValue }, i) => VarCharValue === names[i])
        if (!isNames) yield Data.map(({ VarCharValue }) => VarCharValue ?? null)
        isHeader = false
      }
      NextToken = page.NextToken
    } while (NextToken !== undefined)
  }

  /** Names of a query's columns, and their types as Athena writes them. */
  async columns(id: string): Promise<{ name: string; type: string }[]> {
    const { client } = this.#settings
    const { ResultSet } = await this.#asked('athena:GetQueryResults', () =>
      client.send(new GetQueryResultsCommand({ QueryExecutionId: id, MaxResults: 1 })),
    )
    return (ResultSet?.ResultSetMetadata?.ColumnInfo ?? []).map(({ Name = '', Type = '' }) => ({
      name: Name,
      type: Type,
    }))
  }

  /** What the catalog says about a table of the database; undefined when there is no such table, or no such database. */
  async table(name: string): Promise<TableMetadata | undefined> {
    const { client, database, workgroup } = this.#settings
    const command = new GetTableMetadataCommand({
      CatalogName: 'AwsDataCatalog',
      DatabaseName: database,
      TableName: name,
      WorkGroup: workgroup.name,
    })
    try {
      return (await client.send(command)).TableMetadata
    } catch (error) {
      // The catalog's own EntityNotFoundException, handed through; so are its refusals, with the same code.
      const { code, message } = detailsOf(error)
      if (code === 'MetadataException' && !/denied|not authorized|permission/i.test(message)) return undefined
      throw explained(error, this.#what('athena:GetTableMetadata, glue:GetTable', `table ${database}.${name}`))
    }
  }

  async #look(id: string): Promise<QueryExecution> {
    return (await this.#known(id)) ?? { QueryExecutionId: id, Status: FORGOTTEN }
  }

  /** As far as it can still be told: what cannot be stopped ends by itself. */
  async #stop(id: string): Promise<void> {
    await this.#settings.client.send(new StopQueryExecutionCommand({ QueryExecutionId: id })).catch(() => {})
  }

  async #asked<T>(action: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      this.#settings.signal.throwIfAborted()
      throw explained(error, this.#what(action, `Athena, workgroup ${this.#settings.workgroup.name}`))
    }
  }

  #what(action: string, what: string): Asked {
    const { region, workgroup } = this.#settings
    return { what, action, resource: `arn:aws:athena:${region}:*:workgroup/${workgroup.name}` }
  }
}

const FORGOTTEN = { State: 'FAILED', StateChangeReason: 'Athena does not know this query any more' } as const

const isInvalid = (error: unknown): boolean => detailsOf(error).code === 'InvalidRequestException'

const causeOf = (error: unknown): unknown => (error instanceof UserError ? error.cause : error)

function unlessInvalid(error: unknown): { QueryExecution?: QueryExecution } {
  if (isInvalid(error)) return {}
  throw error
}

const tooLong = (id: string, timeout: number): UserError =>
  new UserError(`query ${id} was stopped: it took longer than ${plural(Math.round(timeout / 60_000), 'minute')}`, {
    hint: 'a longer --query-timeout, or a shorter window',
  })
