// Where everything lies in the kernel's memory.
// layout.ts lays out the memory, kernel.ts writes the pointers below; all vectors have `width` numbers, vector_dim filled up with zeros.

/** A table of weights with Adam's state, and the gradients of the rows that the mini batch touches. */
@unmanaged
export class Table {
  /** Of every row its weights, then the running means of their gradients and of those gradients' squares: one trip to memory. */
  state: usize
  /** Of every row its slot in this batch, from 1; 0 where the batch does not touch it. */
  slots: usize
  /** Of every slot its row. */
  rows: usize
  gradients: usize
  touched: u32
}

/** The rows of one prefix length in the table of prefixes; prefixes share rows by hash where there are too many. */
@unmanaged
export class Level {
  shift: u32
  offset: u32
  hashed: u32
  salt: u32
  mask: u32
}

/** Set once, before anything else. */
export let width: u32 = 0
export let layers: u32 = 0
export let levels: u32 = 0
export let leak: f32 = 0
export let decay: f32 = 0
/** Of Adam. */
export let beta1: f32 = 0
export let beta2: f32 = 0
export let epsilon: f32 = 0
export let entities: usize = 0
export let prefixes: usize = 0
/** Tables, one a layer: weights row by output, then one row of biases. Every batch touches all of them. */
export let dense: usize = 0
export let prefixLevels: usize = 0
/** Most addresses of a batch, a multiple of four, and the addresses themselves. */
export let capacity: u32 = 0
export let ips: usize = 0
/** Of every address, the rows of its prefixes. */
export let rows: usize = 0
/** What goes into every layer and comes out of the last, capacity vectors each. */
export let values: usize = 0
/** Where gradients flow back, and where they flow to. */
export let flow: usize = 0
export let below: usize = 0
/** One layer's weights, as the product at hand needs them. */
export let matrix: usize = 0

const TABLE: u32 = 20
const LEVEL: u32 = 20

/** Where free memory begins. */
export const base: usize = __heap_base

@inline
export function bytes(vectors: u32): usize {
  return (<usize>vectors * width) << 2
}

@inline
export function weightsOf(table: Table, row: u32): usize {
  return table.state + bytes(3 * row)
}

export function layer(index: u32): Table {
  return changetype<Table>(dense + index * TABLE)
}

export function level(index: u32): Level {
  return changetype<Level>(prefixLevels + index * LEVEL)
}

/** What flowed back through one layer flows on through the next. */
export function turnFlow(): void {
  const held = flow
  flow = below
  below = held
}

/** Where the gradient of a row is gathered. */
@inline
export function gradientOf(table: Table, row: u32): usize {
  const at = table.slots + (row << 2)
  let slot = load<u32>(at)
  if (slot == 0) {
    store<u32>(table.rows + (table.touched << 2), row)
    slot = ++table.touched
    store<u32>(at, slot)
  }
  return table.gradients + bytes(slot - 1)
}

@inline
export function add(to: usize, from: usize): void {
  for (let i: usize = 0; i < bytes(1); i += 16)
    v128.store(to + i, f32x4.add(v128.load(to + i), v128.load(from + i)))
}

