import { createRequire } from 'node:module'
import type { DuckDBConnection, DuckDBInstance, DuckDBResult, DuckDBValue } from '@duckdb/node-api'
import { messageOf, UserError } from '../../cli/errors.ts'
import { CANONICAL_IPV6 } from './address.ts'

/** Values in the order of the columns. */
export type Row = readonly DuckDBValue[]

export interface DatabaseSettings {
  /** Options of DuckDB itself, which change its defaults. */
  readonly options: Readonly<Record<string, string>>
  /** Interrupts the statements that run. */
  readonly signal: AbortSignal
}

export interface EngineSettings {
  /** Folder for what does not fit in memory. */
  readonly scratch: string
  /** As DuckDB writes it, for example 192MB. */
  readonly memoryLimit: string
  readonly threads: number
  readonly signal: AbortSignal
}

/** Nothing is fetched from anywhere. */
const OFFLINE = { autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' }

/** What the common texts need, in the words of Trino; `preserve_insertion_order` only matters to rows without an order. */
const PREPARATION = `
  set TimeZone = 'UTC';
  set preserve_insertion_order = false;
  create macro regexp_like(subject, pattern) as regexp_matches(subject, pattern);
  ${CANONICAL_IPV6}`

/** DuckDB reads lines through a buffer of 32 MiB a thread, and fails when these and its tables do not fit: with 48 it did, now and then. */
const MEGABYTES_A_THREAD = 64

/** An interrupt that arrives before its statement has begun is lost, so it is sent again after this time. */
const INTERRUPT_AGAIN_MS = 10

/**
 * A DuckDB database in memory. Closing it interrupts the statements that run and waits for their end: a connection that is closed
 * under a statement hangs the process or crashes it.
 */
export class Database {
  readonly #instance: DuckDBInstance
  readonly #signal: AbortSignal
  readonly #sessions: Session[] = []

  private constructor(instance: DuckDBInstance, signal: AbortSignal) {
    this.#instance = instance
    this.#signal = signal
  }

  static async open({ options, signal }: DatabaseSettings): Promise<Database> {
    // Its two hundred CommonJS files load in half the time by `require`: `import` looks for the names of their exports first.
    const { DuckDBInstance } = createRequire(import.meta.url)('@duckdb/node-api') as typeof import('@duckdb/node-api')
    return new Database(await DuckDBInstance.create(':memory:', { ...OFFLINE, ...options }), signal)
  }

  /** Opens a connection. Temporary tables and views belong to one connection; a stream ends when its connection does something else. */
  async connect(): Promise<Session> {
    const session = new Session(await this.#instance.connect(), this.#signal)
    this.#sessions.push(session)
    return session
  }

  async close(): Promise<void> {
    await Promise.all(this.#sessions.map((session) => session.close()))
    this.#instance.closeSync()
  }
}

/** A connection to a database. */
export class Session {
  readonly #connection: DuckDBConnection
  readonly #signal: AbortSignal
  readonly #stopping = new AbortController()
  readonly #stop = () => this.#stopping.abort(this.#signal.reason)
  readonly #running = new Set<Promise<unknown>>()

  constructor(connection: DuckDBConnection, signal: AbortSignal) {
    this.#connection = connection
    this.#signal = signal
    signal.addEventListener('abort', this.#stop)
    if (signal.aborted) this.#stop()
  }

  /** Runs statements and returns the rows of the last one. @throws the signal's reason when it is aborted */
  run(sql: string): Promise<Row[]> {
    return this.#guarded(async () => (await this.#connection.runAndReadAll(sql)).getRows())
  }

  /** Runs a query whose rows are read as they come, in batches. @throws the signal's reason when it is aborted */
  async stream(sql: string, values?: Record<string, DuckDBValue>) {
    const result = await this.#guarded(() => this.#connection.stream(sql, values))
    const types = result.columnTypes()
    const columns = result.columnNames().map((name, i) => ({ name, type: String(types[i]) }))
    return { columns, batches: this.#batches(result) }
  }

  async *#batches(result: DuckDBResult): AsyncGenerator<Row[]> {
    const batches = result.yieldRows()
    for (;;) {
      const next = await this.#guarded(() => batches.next())
      if (next.done) return
      yield next.value
    }
  }

  /** Interrupts what runs, waits for its end, and closes the connection. */
  async close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#stop)
    this.#stopping.abort()
    await Promise.allSettled(this.#running)
    this.#connection.closeSync()
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    const { signal } = this.#stopping
    signal.throwIfAborted()
    let again: NodeJS.Timeout | undefined
    const interrupt = () => {
      this.#connection.interrupt()
      again = setTimeout(interrupt, INTERRUPT_AGAIN_MS)
    }
    signal.addEventListener('abort', interrupt)
    const running = work()
    this.#running.add(running)
    try {
      return await running
    } catch (error) {
      signal.throwIfAborted()
      throw error
    } finally {
      this.#running.delete(running)
      signal.removeEventListener('abort', interrupt)
      clearTimeout(again)
    }
  }
}

/** Opens a database for the texts of sql/, with a connection that understands them. */
export async function openEngine({ scratch, memoryLimit, threads, signal }: EngineSettings) {
  const options = {
    threads: String(threadsWithin(memoryLimit, threads)),
    memory_limit: memoryLimit,
    temp_directory: scratch,
  }
  const database = await Database.open({ options, signal })
  try {
    const session = await database.connect()
    await session.run(PREPARATION)
    return { database, session }
  } catch (error) {
    await database.close()
    throw error
  }
}

function threadsWithin(memoryLimit: string, threads: number): number {
  const megabytes = Number.parseInt(memoryLimit, 10) * (memoryLimit.endsWith('GB') ? 1000 : 1)
  return Math.max(1, Math.min(threads, Math.floor(megabytes / MEGABYTES_A_THREAD)))
}

/** A failure of DuckDB as it is to be shown: too little memory or disk is no bug. */
export function engineFailure(error: unknown, { memoryLimit, scratch }: EngineSettings): unknown {
  const [reason = ''] = messageOf(error).split('\n')
  if (reason.startsWith('Out of Memory Error'))
    return new UserError(`${memoryLimit} is too little memory for the query engine: ${reason}`, {
      hint: 'give it more with --memory-limit, where there is one, or take a shorter window',
      cause: error,
    })
  if (reason.startsWith('IO Error'))
    return new UserError(`the query engine cannot work in ${scratch}: ${reason}`, {
      hint: 'what does not fit in memory goes there: is the disk full?',
      cause: error,
    })
  return error
}
