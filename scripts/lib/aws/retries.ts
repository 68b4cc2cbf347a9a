import { detailsOf } from './errors.ts'

const FIRST_DELAY_MS = 100
const FIRST_THROTTLED_DELAY_MS = 500
const LONGEST_DELAY_MS = 20_000

/** What the SDK says about a failure. */
interface Failure {
  readonly errorType: 'TRANSIENT' | 'THROTTLING' | 'SERVER_ERROR' | 'CLIENT_ERROR'
  readonly error?: unknown
  /** When the service wants to be asked again. */
  readonly retryAfterHint?: Date
}

interface Attempt {
  /** Failures so far. */
  getRetryCount(): number
  /** Milliseconds to wait before it. */
  getRetryDelay(): number
}

/**
 * How the clients retry: every request has all its attempts, with delays that double and are drawn at random. The SDK's own
 * strategies share a budget that a hundred throttled requests use up (35 failed ones even): what is in flight beside them then
 * fails at its next answer; its adaptive mode goes down to a request in two seconds besides. Requests in flight are bounded
 * here, so waiting alone lowers their rate.
 */
export class PatientRetries {
  readonly mode = 'standard'
  readonly #attempts: number
  readonly #sleep: (ms: number) => Promise<unknown>

  constructor(attempts: number, sleep: (ms: number) => Promise<unknown>) {
    this.#attempts = attempts
    this.#sleep = sleep
  }

  async acquireInitialRetryToken(): Promise<Attempt> {
    return attempt(0)
  }

  /** @throws when that was the last attempt, or another one is of no use: the SDK then gives the failure itself */
  async refreshRetryTokenForRetry(last: Attempt, failure: Failure): Promise<Attempt> {
    const failures = last.getRetryCount() + 1
    const throttled = failure.errorType === 'THROTTLING' || detailsOf(failure.error).status === 503
    if (failures >= this.#attempts || !(throttled || failure.errorType === 'TRANSIENT'))
      throw new Error('no more attempts')
    const longest = (throttled ? FIRST_THROTTLED_DELAY_MS : FIRST_DELAY_MS) * 2 ** (failures - 1)
    const told = (failure.retryAfterHint?.getTime() ?? 0) - Date.now()
    const delay = Math.min(Math.max(Math.random() * Math.min(longest, LONGEST_DELAY_MS), told), LONGEST_DELAY_MS)
    // Here and not in the SDK, whose pauses nobody else can take.
    await this.#sleep(delay)
    return attempt(failures)
  }

  recordSuccess(): void {}
}

const attempt = (failures: number): Attempt => ({ getRetryCount: () => failures, getRetryDelay: () => 0 })
