import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseRows, rowOf } from '../lib/runs/selected.ts'
import { batchesOf, compareKeys, type ObjectInfo } from '../lib/stores/store.ts'

/** Length of a run: as many objects are in memory. */
const AT_ONCE = 25_000
/** Bytes that are read at once of each run: there may be hundreds. */
const READ = 16_384

/**
 * Objects in key order, each key once, however many there are: runs are sorted and laid aside, then merged.
 * @param scratch folder for the runs; whoever made it removes it
 */
export async function* sorted(
  objects: AsyncIterable<ObjectInfo>,
  scratch: string,
  atOnce = AT_ONCE,
): AsyncGenerator<ObjectInfo> {
  const files: string[] = []
  let rest: ObjectInfo[] = []
  for await (const run of batchesOf(objects, atOnce)) {
    run.sort((a, b) => compareKeys(a.key, b.key))
    if (run.length < atOnce) rest = run
    else {
      const file = join(scratch, `run-${files.length}`)
      await writeFile(file, run.map(rowOf).join(''))
      files.push(file)
    }
  }
  const runs: AsyncIterable<ObjectInfo>[] = files.map((file) =>
    parseRows(createReadStream(file, { highWaterMark: READ })),
  )
  let last: string | undefined
  for await (const object of merged([...runs, each(rest)])) {
    if (object.key !== last) yield object
    last = object.key
  }
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

interface Head {
  object: ObjectInfo
  readonly rest: AsyncIterator<ObjectInfo>
}

/** Sequences in order as one; their first objects are kept in a heap. */
async function* merged(sequences: readonly AsyncIterable<ObjectInfo>[]): AsyncGenerator<ObjectInfo> {
  const heap: Head[] = []
  for (const sequence of sequences) {
    const rest = sequence[Symbol.asyncIterator]()
    const first = await rest.next()
    if (!first.done) heap.push({ object: first.value, rest })
  }
  heap.sort(byKey)
  for (let [head] = heap; head !== undefined; [head] = heap) {
    yield head.object
    const next = await head.rest.next()
    if (next.done) {
      const end = heap.pop()
      if (end !== undefined && end !== head) heap[0] = end
    } else head.object = next.value
    sift(heap)
  }
}

const byKey = (a: Head, b: Head): number => compareKeys(a.object.key, b.object.key)

/** Brings the head of a heap down to its place. */
function sift(heap: Head[]): void {
  for (let at = 0; ; ) {
    let least = at
    for (const below of [2 * at + 1, 2 * at + 2]) {
      const [a, b] = [heap[below], heap[least]]
      if (a !== undefined && b !== undefined && byKey(a, b) < 0) least = below
    }
    const [parent, child] = [heap[at], heap[least]]
    if (least === at || parent === undefined || child === undefined) return
    heap[at] = child
    heap[least] = parent
    at = least
  }
}
