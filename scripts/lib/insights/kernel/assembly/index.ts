// AssemblyScript, compiled to kernel.wasm by `npm run kernel`: the arithmetic of one mini batch, four numbers at a time.
import {
  add, below, beta1, beta2, bytes, capacity, decay, entities, epsilon, flow, gradientOf, ips, layer, layers, leak, level, levels,
  prefixes, rows, Table, turnFlow, values, weightsOf, width,
} from './memory'
import { addGradients, gather, multiply, transpose } from './products'

export { multiplyDouble } from './products'

export {
  base, below, beta1, beta2, capacity, decay, dense, entities, epsilon, flow, ips, layers, leak, levels, matrix, prefixes,
  prefixLevels, rows, values, width,
} from './memory'

/** Spreads the bits of a number over all 32 (the finalizer of MurmurHash3), as random.ts. */
function mix(value: u32): u32 {
  let h = value
  h = (h ^ (h >> 16)) * 0x85ebca6b
  h = (h ^ (h >> 13)) * 0xc2b2ae35
  return h ^ (h >> 16)
}

/** Turns the first `count` addresses into vectors, and forgets the gradients that flowed back. */
export function encode(count: u32): void {
  sumPrefixes(count)
  for (let l: u32 = 0; l < layers; l++) {
    const from = values + bytes(l * capacity)
    const to = values + bytes((l + 1) * capacity)
    transpose(layer(l))
    multiply(weightsOf(layer(l), width), from, to, count)
    if (l + 1 < layers) leakForward(to, count)
  }
  memory.fill(flow, 0, bytes(count))
}

function sumPrefixes(count: u32): void {
  const table = changetype<Table>(prefixes)
  for (let a: u32 = 0; a < count; a++) {
    const ip = load<u32>(ips + (a << 2))
    const to = values + bytes(a)
    for (let i: usize = 0; i < bytes(1); i += 16) v128.store(to + i, f32x4.splat(0))
    for (let k: u32 = 0; k < levels; k++) {
      const place = level(k)
      const prefix = ip >> place.shift
      const row = place.offset + (place.hashed ? mix(prefix + place.salt) & place.mask : prefix)
      store<u32>(rows + ((a * levels + k) << 2), row)
      add(to, weightsOf(table, row))
    }
  }
}

function leakForward(to: usize, count: u32): void {
  const end = to + bytes(count)
  for (let at = to; at < end; at += 4) {
    const x = load<f32>(at)
    if (x < 0) store<f32>(at, x * leak)
  }
}

/**
 * Judges `count` examples: rows of entities and indexes of addresses, both u32. `sign` is 1 for real pairs and −1 for negatives. Notes
 * their gradients, weighted, and returns the sum of their log losses, not weighted.
 */
export function addExamples(entityRows: usize, addresses: usize, count: u32, sign: f32, weight: f32): f64 {
  const table = changetype<Table>(entities)
  const encoded = values + bytes(layers * capacity)
  let loss: f64 = 0
  for (let n: u32 = 0; n < count; n++) {
    const row = load<u32>(entityRows + (n << 2))
    const address = bytes(load<u32>(addresses + (n << 2)))
    const entity = weightsOf(table, row)
    const toward = sign * dot(entity, encoded + address)
    // Never above 1, so that nothing overflows.
    const power = Mathf.exp(-Mathf.abs(toward))
    const off = (toward > 0 ? power : 1) / (1 + power)
    loss += Math.log(1 + <f64>power) + Math.max(0, -toward)
    spread(gradientOf(table, row), flow + address, entity, encoded + address, f32x4.splat(-sign * off * weight))
  }
  return loss
}

@inline
function dot(a: usize, b: usize): f32 {
  let sum = f32x4.splat(0)
  for (let i: usize = 0; i < bytes(1); i += 16) sum = f32x4.add(sum, f32x4.mul(v128.load(a + i), v128.load(b + i)))
  return (
    f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1) + (f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3))
  )
}

/** The slope of an example's loss goes to the entity by the address's vector, and the other way round. */
@inline
function spread(gradient: usize, back: usize, entity: usize, encoded: usize, slope: v128): void {
  for (let i: usize = 0; i < bytes(1); i += 16) {
    v128.store(gradient + i, f32x4.add(v128.load(gradient + i), f32x4.mul(slope, v128.load(encoded + i))))
    v128.store(back + i, f32x4.add(v128.load(back + i), f32x4.mul(slope, v128.load(entity + i))))
  }
}

/** Carries the gradients of all judged examples back through the encoder. */
export function backward(count: u32): void {
  for (let l: i32 = layers - 1; l >= 0; l--) {
    const table = layer(l)
    if (<u32>l < layers - 1) leakBack(values + bytes((l + 1) * capacity), count)
    addGradients(table.gradients, flow, values + bytes(l * capacity), count)
    gather(table)
    multiply(0, flow, below, count)
    turnFlow()
  }
  const table = changetype<Table>(prefixes)
  for (let a: u32 = 0; a < count; a++)
    for (let k: u32 = 0; k < levels; k++)
      add(gradientOf(table, load<u32>(rows + ((a * levels + k) << 2))), flow + bytes(a))
}

function leakBack(after: usize, count: u32): void {
  for (let i: usize = 0; i < bytes(count); i += 4)
    if (load<f32>(after + i) < 0) store<f32>(flow + i, load<f32>(flow + i) * leak)
}

/** Takes one step of Adam against the gradients, and forgets them. `rate` is corrected for the moments' start at zero. */
export function update(rate: f32): void {
  move(changetype<Table>(entities), rate)
  move(changetype<Table>(prefixes), rate)
  for (let l: u32 = 0; l < layers; l++)
    for (let row: u32 = 0; row <= width; row++) moveRow(layer(l), row, layer(l).gradients + bytes(row), rate)
}

/** Only rows that the batch touches move ("lazy"): the cost follows the batch, not the table. */
function move(table: Table, rate: f32): void {
  for (let slot: u32 = 0; slot < table.touched; slot++) {
    const row = load<u32>(table.rows + (slot << 2))
    moveRow(table, row, table.gradients + bytes(slot), rate)
    store<u32>(table.slots + (row << 2), 0)
  }
  memory.fill(table.gradients, 0, bytes(table.touched))
  table.touched = 0
}

function moveRow(table: Table, row: u32, gradient: usize, rate: f32): void {
  const weights = weightsOf(table, row)
  const means = weights + bytes(1)
  const squares = means + bytes(1)
  for (let i: usize = 0; i < bytes(1); i += 16) {
    const w = v128.load(weights + i)
    const g = f32x4.add(v128.load(gradient + i), f32x4.mul(f32x4.splat(decay), w))
    const m = f32x4.add(f32x4.mul(f32x4.splat(beta1), v128.load(means + i)), f32x4.mul(f32x4.splat(1 - beta1), g))
    const v = f32x4.add(
      f32x4.mul(f32x4.splat(beta2), v128.load(squares + i)),
      f32x4.mul(f32x4.splat(1 - beta2), f32x4.mul(g, g)),
    )
    v128.store(means + i, m)
    v128.store(squares + i, v)
    const step = f32x4.div(f32x4.mul(f32x4.splat(rate), m), f32x4.add(f32x4.sqrt(v), f32x4.splat(epsilon)))
    v128.store(weights + i, f32x4.sub(w, step))
  }
}
