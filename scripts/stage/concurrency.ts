/**
 * Does `work` for every item of a sequence, at most `concurrency` at a time. No result is kept, so the sequence may have any length.
 * After a failure it waits for the work in flight, which p-map leaves behind.
 */
export async function forEach<T>(
  items: AsyncIterable<T>,
  { concurrency, signal }: { concurrency: number; signal: AbortSignal },
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.asyncIterator]()
  let failed = false
  const worker = async () => {
    try {
      while (!failed) {
        signal.throwIfAborted()
        const next = await iterator.next()
        if (next.done) return
        await work(next.value)
      }
    } catch (error) {
      failed = true
      throw error
    }
  }
  const settled = await Promise.allSettled(Array.from({ length: concurrency }, worker))
  await iterator.return?.()
  for (const one of settled) if (one.status === 'rejected') throw one.reason
}

export interface InOrderOptions {
  readonly concurrency: number
  /** Pages that may wait for their turn. */
  readonly waiting?: number
}

/**
 * Reads many sequences of pages at once and gives their pages in the order of the sequences: the first one's all, then the
 * second one's. A sequence far ahead of its turn waits once `waiting` pages are held, so memory stays bounded; the one whose
 * turn it is never waits.
 */
export async function* concurrently<T>(
  sequences: readonly (() => AsyncIterable<T>)[],
  { concurrency, waiting = 64 }: InOrderOptions,
): AsyncGenerator<T> {
  const queues = sequences.map(() => ({ pages: [] as T[], ended: false, error: undefined as unknown }))
  let [next, turn, held, stopped] = [0, 0, 0, false]
  let wake = () => {}
  let changed = new Promise<void>((resolve) => (wake = resolve))
  const signal = () => {
    wake()
    changed = new Promise<void>((resolve) => (wake = resolve))
  }
  const read = async (at: number) => {
    const queue = queues[at]
    const open = sequences[at]
    if (queue === undefined || open === undefined) return
    try {
      for await (const page of open()) {
        queue.pages.push(page)
        held += 1
        signal()
        while (held >= waiting && turn !== at && !stopped) await changed
        if (stopped) return
      }
    } catch (error) {
      queue.error = error ?? new Error('failed')
    } finally {
      queue.ended = true
      signal()
    }
  }
  const workers = Array.from({ length: Math.min(concurrency, sequences.length) }, async () => {
    while (next < sequences.length && !stopped) await read(next++)
  })
  try {
    for (const queue of queues) {
      while (!queue.ended || queue.pages.length > 0) {
        const page = queue.pages.shift()
        if (page === undefined) await changed
        else {
          held -= 1
          signal()
          yield page
        }
      }
      if (queue.error !== undefined) throw queue.error
      turn += 1
      signal()
    }
  } finally {
    stopped = true
    signal()
    await Promise.all(workers)
  }
}
