/** Does `work` for every item of a sequence, at most `concurrency` at a time; no result is kept, so any length will do. */
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
  const outcomes = await Promise.allSettled(Array.from({ length: concurrency }, worker))
  await iterator.return?.()
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}
