import { createHash, randomBytes } from 'node:crypto'
import type { Athena, Finished } from '../../aws/athena/athena.ts'
import { bytes } from '../../cli/format.ts'
import type { AthenaQuery, Checkpoint, Saved } from '../../runs/checkpoints.ts'

/** What a step saves about its statements. */
type SavedQueries = Pick<Saved<'extract'>, 'salt' | 'queries'>

/** The salt of a step's statements and the last attempt at each; undefined when none was begun. */
export function notedAttempts({ salt, queries }: SavedQueries = {}): Required<SavedQueries> | undefined {
  return salt === undefined || queries === undefined ? undefined : { salt, queries }
}

/** A statement that succeeded: its attempt names where its rows are. */
export interface Done extends Finished {
  readonly attempt: Attempt
}

/** Names one try of one statement. */
export interface Attempt {
  /** For locations and tables: `train_3f9a1c_1`. No other try of any run has it. */
  readonly name: string
}

/** The text of a statement, for the names of an attempt. */
type SqlOf = (attempt: Attempt) => Promise<string> | string

/** What runs statements. */
type Runner = Pick<Athena, 'start' | 'finish' | 'workgroup' | 'sleep'>

const BACKOFF_MS = 2000

/**
 * The statements of a step. Each is one query however often the step is interrupted: its id is noted before it is waited for,
 * and its token is that of the attempt. A failed attempt leaves its place behind, for the next one takes another.
 */
export class Attempts {
  readonly #athena: Runner
  readonly #checkpoint: Checkpoint<SavedQueries>
  readonly #run: string
  readonly #salt: string
  readonly #queries: Record<string, AthenaQuery>
  #scanned = 0

  constructor(athena: Runner, checkpoint: Checkpoint<SavedQueries>, run: string) {
    const noted = notedAttempts(checkpoint.saved)
    this.#athena = athena
    this.#checkpoint = checkpoint
    this.#run = run
    this.#salt = noted?.salt ?? randomBytes(3).toString('hex')
    this.#queries = noted?.queries ?? {}
  }

  /** Bytes that the queries of this process have scanned, or found scanned. */
  get scannedBytes(): number {
    return this.#scanned
  }

  /** Every attempt at a statement that was begun. */
  begun(name: string): Attempt[] {
    const last = this.#queries[name]?.attempt ?? 0
    return Array.from({ length: last }, (_, i) => this.#attempt(name, i + 1))
  }

  /**
   * Runs a statement to its success.
   * @param what as a phrase, for progress and errors: "classifying accesses"
   * @param sqlOf the statement, for the names of the attempt
   * @throws UserError when no further attempt is worth it
   */
  run(name: string, what: string, sqlOf: SqlOf): Promise<Done> {
    return this.take(name, what, sqlOf, async (done) => done)
  }

  /**
   * Runs a statement to its success, and takes what it has brought.
   * @param taken takes it; where it throws ResultsGone over a query that an earlier process had left, the statement is run again
   */
  async take<T>(name: string, what: string, sqlOf: SqlOf, taken: (done: Done) => Promise<T>): Promise<T> {
    const { QueryFailed, ResultsGone, explainedFailure, isWorthAnother } = await import('../../aws/athena/failure.ts')
    for (let failures = 0; ; ) {
      const note = this.#queries[name] ?? { attempt: 1, id: null }
      const attempt = this.#attempt(name, note.attempt)
      const id = note.id ?? (await this.#start(name, note.attempt, await sqlOf(attempt)))
      try {
        const finished = await this.#athena.finish(id)
        this.#scanned += finished.scannedBytes
        return await taken({ ...finished, attempt })
      } catch (error) {
        const isGone = error instanceof ResultsGone && note.id !== null
        if (!(error instanceof QueryFailed || isGone)) throw error
        await this.#save(name, { attempt: note.attempt + 1, id: null })
        // How a query ended that an earlier process had left is why this one is here.
        if (note.id !== null || !(error instanceof QueryFailed)) continue
        failures += 1
        const { cutoff } = this.#athena.workgroup
        if (!isWorthAnother(error, failures)) throw explainedFailure(error, { what, cutoff, bytes })
        await this.#athena.sleep(Math.random() * BACKOFF_MS * 2 ** failures)
      }
    }
  }

  async #start(name: string, attempt: number, sql: string): Promise<string> {
    // The salt has to be known before there is a query that depends on it.
    await this.#save(name, { attempt, id: null })
    const id = await this.#athena.start(sql, tokenOf([this.#run, this.#salt, name, attempt, sql]))
    await this.#save(name, { attempt, id })
    return id
  }

  #save(name: string, note: AthenaQuery): Promise<void> {
    this.#queries[name] = note
    return this.#checkpoint.save({ salt: this.#salt, queries: { ...this.#queries } })
  }

  #attempt(name: string, attempt: number): Attempt {
    return { name: `${name}_${this.#salt}_${attempt}` }
  }
}

const tokenOf = (parts: readonly unknown[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex')
