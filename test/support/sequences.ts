/** A list as a sequence that comes bit by bit. */
export async function* from<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield item
}

/** A sequence as a list. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}
