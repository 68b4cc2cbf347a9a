import { compareKeys } from './store.ts'

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
