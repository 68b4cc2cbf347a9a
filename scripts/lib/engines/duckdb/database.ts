import type { DuckDBConnection } from '@duckdb/node-api'
import { messageOf, UserError } from '../../cli/errors.ts'

/** A database in memory, until it is closed. */
export interface Database {
  readonly connection: DuckDBConnection
  /** For streams of rows: one ends when its connection is used for something else. */
  readonly unpacking: DuckDBConnection
  close(): void
}

export interface DatabaseSettings {
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
  create macro regexp_like(subject, pattern) as regexp_matches(subject, pattern);`

/** DuckDB reads lines through a buffer of 32 MiB a thread, and fails when they do not all fit. */
const MEGABYTES_A_THREAD = 48

function threadsWithin(memoryLimit: string, threads: number): number {
  const megabytes = Number.parseInt(memoryLimit, 10) * (memoryLimit.endsWith('GB') ? 1000 : 1)
  return Math.max(1, Math.min(threads, Math.floor(megabytes / MEGABYTES_A_THREAD)))
}

/** Opens a database that understands the common texts; the signal interrupts what it is asked. */
export async function openDatabase({ scratch, memoryLimit, threads, signal }: DatabaseSettings): Promise<Database> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const fitting = String(threadsWithin(memoryLimit, threads))
  const options = { ...OFFLINE, threads: fitting, memory_limit: memoryLimit, temp_directory: scratch }
  const instance = await DuckDBInstance.create(':memory:', options)
  const connection = await instance.connect()
  const unpacking = await instance.connect()
  const interrupt = () => {
    connection.interrupt()
    unpacking.interrupt()
  }
  signal.addEventListener('abort', interrupt)
  await connection.run(PREPARATION)
  return {
    connection,
    unpacking,
    close: () => {
      signal.removeEventListener('abort', interrupt)
      unpacking.closeSync()
      connection.closeSync()
      instance.closeSync()
    },
  }
}

/** A failure as it is to be shown: what the engine lacks is no bug. */
export function failureOf(error: unknown, { memoryLimit, scratch }: DatabaseSettings): unknown {
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
