import { levelsOf, type Shape } from '../network.ts'

/** How much one mini batch holds at most. */
export interface BatchSize {
  readonly addresses: number
  readonly examples: number
}

/** WebAssembly addresses four gigabytes. */
export const MOST_KERNEL_BYTES = 2 ** 32 - 2 ** 16

export const PAGE = 65_536
export const WORD = 4

/** Numbers of a vector in the kernel: it computes eight at a time. */
export const widthOf = (dim: number): number => 8 * Math.ceil(dim / 8)

/** Rows of a layer's table: the biases come last. */
const denseRows = (dim: number): number => widthOf(dim) + 1

/** Gives out memory piece by piece. */
class Space {
  end: number
  constructor(start: number) {
    this.end = start
  }

  words(count: number): number {
    const at = Math.ceil(this.end / 16) * 16
    this.end = at + WORD * count
    return at
  }
}

/** Where a table lies: its five words, and what they point to. */
export interface TablePlace {
  readonly at: number
  readonly state: number
  readonly slots: number
  readonly rows: number
  readonly gradients: number
  readonly tableRows: number
  readonly touchedRows: number
}

/** Where everything lies in the kernel's memory. */
export function kernelPlaces(shape: Shape, size: BatchSize, start: number) {
  const space = new Space(start)
  const width = widthOf(shape.dim)
  const { levels, rows } = levelsOf(shape)
  const capacity = 4 * Math.ceil(size.addresses / 4)
  const tables = space.words(5 * (shape.layers + 2))
  const table = (index: number, tableRows: number, touchedRows: number): TablePlace => ({
    at: tables + 5 * WORD * index,
    state: space.words(3 * tableRows * width),
    slots: space.words(tableRows),
    rows: space.words(touchedRows),
    gradients: space.words(touchedRows * width),
    tableRows,
    touchedRows,
  })
  return {
    width,
    capacity,
    levels,
    entities: table(0, shape.entityRows, Math.min(shape.entityRows, size.examples)),
    prefixes: table(1, rows, Math.min(rows, size.addresses * levels.length)),
    dense: Array.from({ length: shape.layers }, (_, l) => table(l + 2, denseRows(shape.dim), denseRows(shape.dim))),
    prefixLevels: space.words(5 * levels.length),
    ips: space.words(capacity),
    rows: space.words(capacity * levels.length),
    values: space.words((shape.layers + 1) * capacity * width),
    flow: space.words(capacity * width),
    below: space.words(capacity * width),
    matrix: space.words(width * width),
    entityRows: space.words(size.examples),
    addresses: space.words(size.examples),
    end: space.end,
  }
}

/** Bytes of memory that the kernel takes. */
export const kernelBytesOf = (shape: Shape, size: BatchSize): number => kernelPlaces(shape, size, PAGE).end
