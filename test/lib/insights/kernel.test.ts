import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scoreAll } from '../../../scripts/lib/insights/encoder.ts'
import { Kernel, type Table } from '../../../scripts/lib/insights/kernel/kernel.ts'
import { widthOf } from '../../../scripts/lib/insights/kernel/layout.ts'
import type { Weights } from '../../../scripts/lib/insights/network.ts'
import { SHAPE, someWeights, tablesOf } from './tiny.ts'

const IPS = Uint32Array.from([0x01020304, 0x01020399, 0xc0000001, 0xfffefdfc, 0x7f000001, 0x01020304])
/** Row of the entity, address, whether it is real. */
const EXAMPLES: [number, number, boolean][] = [
  [0, 0, true],
  [3, 1, true],
  [3, 2, false],
  [6, 3, false],
  [0, 4, true],
  [1, 5, false],
  [1, 0, false],
]

const SIZE = { addresses: IPS.length, examples: EXAMPLES.length }

/** Judges the examples with a kernel, the n-th with weight n, and returns their weighted loss. */
function judged(kernel: Kernel): number {
  kernel.ips.set(IPS)
  kernel.encode(IPS.length)
  let loss = 0
  for (const [n, [row, address, real]] of EXAMPLES.entries()) {
    kernel.entityRows[0] = row
    kernel.addresses[0] = address
    loss += (n + 1) * kernel.judge(1, real, n + 1)
  }
  kernel.backward(IPS.length)
  return loss
}

/** The same loss by the encoder that scores. */
function lossOf(weights: Weights): number {
  const rows = Uint32Array.from(EXAMPLES, ([row]) => row)
  const ips = Uint32Array.from(EXAMPLES, ([, address]) => IPS[address]!)
  const scores = scoreAll(weights, rows, ips)
  return EXAMPLES.reduce(
    (sum, [, , real], n) => sum + (n + 1) * Math.log1p(Math.exp(real ? -scores[n]! : scores[n]!)),
    0,
  )
}

/** All gradients, those of untouched rows being zero. */
function gradientsOf(kernel: Kernel, weights: Weights): Map<string, Float32Array> {
  const { dim } = weights.shape
  const width = widthOf(dim)
  const full = new Map(tablesOf(weights).map(([name, table]) => [name, new Float32Array(table.length)]))
  const put = (name: string, row: number, { gradients }: Table, slot: number) =>
    full.get(name)!.set(gradients.subarray(slot * width, slot * width + dim), row * dim)
  for (const name of ['entities', 'prefixes'] as const)
    for (let slot = 0; slot < kernel[name].touched(); slot++) put(name, kernel[name].rows[slot]!, kernel[name], slot)
  for (const [l, table] of kernel.dense.entries()) {
    for (let o = 0; o < dim; o++) put(`layer ${l} weight`, o, table, o)
    put(`layer ${l} bias`, 0, table, width)
  }
  return full
}

for (const shape of [SHAPE, { ...SHAPE, dim: 8 }, { ...SHAPE, dim: 17, layers: 1 }, { ...SHAPE, layers: 0 }])
  test(`every gradient is the slope of the loss, with ${shape.layers} layers of ${shape.dim}`, () => {
    const weights = someWeights(shape)
    const kernel = new Kernel(weights, SIZE, 0)
    const loss = judged(kernel)
    assert.ok(Math.abs(loss - lossOf(weights)) < 1e-5 * loss, `${loss} ${lossOf(weights)}`)
    const gradients = gradientsOf(kernel, weights)
    const step = 2 ** -8
    let moved = 0
    for (const [name, table] of tablesOf(weights))
      for (let i = 0; i < table.length; i++) {
        const value = table[i]!
        table[i] = value + step
        const above = lossOf(weights)
        const upper = table[i]!
        table[i] = value - step
        const slope = (above - lossOf(weights)) / (upper - table[i]!)
        table[i] = value
        const gradient = gradients.get(name)![i]!
        assert.ok(
          Math.abs(gradient - slope) < 0.01 * Math.max(1, Math.abs(slope)),
          `${name} ${i}: ${gradient}, ${slope}`,
        )
        if (gradient !== 0) moved += 1
      }
    assert.ok(moved > 50)
  })

test('the kernel gives back the weights that it began with', () => {
  const weights = someWeights()
  assert.deepEqual(new Kernel(weights, SIZE, 0).weights(), weights)
})

test('every step is that of Adam, and forgets the gradients of the one before', () => {
  const decay = 0.01
  const start = someWeights()
  const kernel = new Kernel(start, SIZE, decay)
  const expected = new Map(tablesOf(start).map(([name, table]) => [name, Float64Array.from(table)]))
  const means = new Map([...expected].map(([name, table]) => [name, new Float64Array(table.length)]))
  const squares = new Map([...expected].map(([name, table]) => [name, new Float64Array(table.length)]))
  for (let step = 1; step <= 3; step++) {
    judged(kernel)
    const gradients = gradientsOf(kernel, kernel.weights())
    const now = new Map(tablesOf(kernel.weights()))
    for (const [name, weights] of expected)
      for (let i = 0; i < weights.length; i++) {
        // Only what the batch touches moves; every number of a touched row has a gradient here.
        if (gradients.get(name)![i] === 0) continue
        const gradient = gradients.get(name)![i]! + decay * now.get(name)![i]!
        const [mean, square] = [means.get(name)!, squares.get(name)!]
        mean[i] = 0.9 * mean[i]! + 0.1 * gradient
        square[i] = 0.999 * square[i]! + 0.001 * gradient ** 2
        weights[i]! -= (0.01 * (mean[i]! / (1 - 0.9 ** step))) / (Math.sqrt(square[i]! / (1 - 0.999 ** step)) + 1e-8)
      }
    kernel.update(0.01, step)
    for (const [name, table] of tablesOf(kernel.weights()))
      for (const [i, value] of table.entries())
        assert.ok(Math.abs(value - expected.get(name)![i]!) < 1e-5, `step ${step}, ${name} ${i}: ${value}`)
  }
})
