/** Which access lies in which file: those of file f are `order[starts[f]] … order[starts[f + 1] - 1]`. */
export interface Deliveries {
  readonly starts: Uint32Array
  readonly order: Uint32Array
}

/**
 * Sorts accesses into files by counting. `place` names every file and access, the same ones in the same order each time that it
 * is called; an access may be in several files.
 */
export function deliver(files: number, place: (put: (file: number, access: number) => void) => void): Deliveries {
  const starts = new Uint32Array(files + 1)
  place((file) => {
    starts[file + 1] = (starts[file + 1] ?? 0) + 1
  })
  for (let file = 0; file < files; file++) starts[file + 1] = (starts[file + 1] ?? 0) + (starts[file] ?? 0)
  const next = starts.slice()
  const order = new Uint32Array(starts[files] ?? 0)
  place((file, access) => {
    const at = next[file] ?? 0
    order[at] = access
    next[file] = at + 1
  })
  return { starts, order }
}

/** Records of one file at most; busier slots have several files. */
const LARGEST = 2000

/** The accesses of a file's slot, in files of a size as AWS writes them. */
export function* chunksOf({ starts, order }: Deliveries, file: number): Generator<Uint32Array> {
  const end = starts[file + 1] ?? 0
  for (let at = starts[file] ?? 0; at < end; at += LARGEST) yield order.subarray(at, Math.min(end, at + LARGEST))
}
