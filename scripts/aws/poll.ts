import { setTimeout as sleep } from 'node:timers/promises'

export interface PollOptions {
  /** Milliseconds between the first questions. */
  readonly every: number
  /** Longest wait; waits grow by half until they are this long. Default: `every` */
  readonly most?: number
  readonly signal?: AbortSignal
  /** Replaced in tests. */
  readonly wait?: (ms: number, signal?: AbortSignal) => Promise<unknown>
}

const GROWTH = 1.5
/** Part of a wait that is left to chance, so that many processes do not ask in step. */
const JITTER = 0.2

/** Asks until there is an answer that is not undefined. @throws what `ask` throws, or the signal's reason */
export async function poll<T>(ask: () => Promise<T | undefined>, options: PollOptions): Promise<T> {
  const { every, most = every, signal, wait = waitFor } = options
  for (let delay = every; ; delay = Math.min(most, delay * GROWTH)) {
    signal?.throwIfAborted()
    const answer = await ask()
    if (answer !== undefined) return answer
    await wait(delay * (1 + JITTER * (Math.random() - 0.5)), signal)
  }
}

/** Waits; rejects with the signal's own reason when it comes first. */
async function waitFor(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { ...(signal && { signal }) })
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}
