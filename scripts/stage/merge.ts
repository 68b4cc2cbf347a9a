import { compareKeys } from '../stores/store.ts'

interface Keyed {
  readonly key: string
}

/** Pairs two sequences in key order: every key once, with what either side has of it. Holds one item of each. */
export async function* matched<A extends Keyed, B extends Keyed>(
  left: AsyncIterable<A>,
  right: AsyncIterable<B>,
): AsyncGenerator<{ left?: A; right?: B }> {
  const [a, b] = [left[Symbol.asyncIterator](), right[Symbol.asyncIterator]()]
  let [x, y] = [await a.next(), await b.next()]
  try {
    while (!x.done || !y.done) {
      const order = x.done ? 1 : y.done ? -1 : compareKeys(x.value.key, y.value.key)
      yield { ...(order <= 0 && { left: x.value }), ...(order >= 0 && { right: y.value }) }
      if (order <= 0) x = await a.next()
      if (order >= 0) y = await b.next()
    }
  } finally {
    await a.return?.()
    await b.return?.()
  }
}

/** Both sequences in key order as one; where both have a key, the left one's stands. */
export async function* united<A extends Keyed>(left: AsyncIterable<A>, right: AsyncIterable<A>): AsyncGenerator<A> {
  for await (const pair of matched(left, right)) {
    const item = pair.left ?? pair.right
    if (item !== undefined) yield item
  }
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
export async function* inOrder<T>(
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
