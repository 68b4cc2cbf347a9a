import { LEAK } from '../encoder.ts'
import { type Layer, levelsOf, type Shape, type Weights } from '../network.ts'
import { type BatchSize, kernelPlaces, PAGE, type TablePlace, WORD } from './layout.ts'
import { kernelExports } from './products.ts'

/** Kingma and Ba, "Adam: A Method for Stochastic Optimization": the decay rates and the guard that it recommends. */
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8]

/** A table of weights as the kernel holds it: vectors of `width` numbers, of which the first vector_dim count. */
export interface Table {
  /** Of every row its weights and Adam's two moments. */
  readonly state: Float32Array
  /** Gradients of the rows that this mini batch touches, by slot, and the row of every slot. */
  readonly gradients: Float32Array
  readonly rows: Uint32Array
  touched(): number
}

type Pointer =
  | 'entities'
  | 'prefixes'
  | 'dense'
  | 'prefixLevels'
  | 'ips'
  | 'rows'
  | 'values'
  | 'flow'
  | 'below'
  | 'matrix'
type Setting = Pointer | 'width' | 'layers' | 'levels' | 'leak' | 'decay' | 'beta1' | 'beta2' | 'epsilon' | 'capacity'

/** What assembly/ exports. */
type Exports = Record<Setting, WebAssembly.Global> & {
  readonly memory: WebAssembly.Memory
  readonly base: WebAssembly.Global
  encode(count: number): void
  addExamples(entityRows: number, addresses: number, count: number, sign: number, weight: number): number
  backward(count: number): void
  update(rate: number): void
}

/**
 * Forward and backward pass over one mini batch, and the step of Adam, in WebAssembly (assembly/). Addresses are encoded once each,
 * and any number of examples are judged on them. Its numbers are the same on every machine.
 */
export class Kernel {
  /** Of the batch: fill in before `encode`. */
  readonly ips: Uint32Array
  /** Of the examples: fill in before `judge`. */
  readonly entityRows: Uint32Array
  readonly addresses: Uint32Array
  readonly entities: Table
  readonly prefixes: Table
  readonly dense: readonly Table[]
  private readonly shape: Shape
  private readonly exports: Exports
  private readonly width: number
  private readonly places: ReturnType<typeof kernelPlaces>

  constructor(start: Weights, size: BatchSize, weightDecay: number) {
    this.exports = kernelExports() as Exports
    this.shape = start.shape
    const places = kernelPlaces(start.shape, size, this.exports.base.value)
    this.places = places
    this.width = places.width
    this.exports.memory.grow(Math.ceil(places.end / PAGE))
    this.ips = this.words(places.ips, places.capacity)
    this.entityRows = this.words(places.entityRows, size.examples)
    this.addresses = this.words(places.addresses, size.examples)
    this.entities = this.table(places.entities)
    this.prefixes = this.table(places.prefixes)
    this.dense = places.dense.map((place) => this.table(place))
    this.set(weightDecay)
    this.load(start)
  }

  /** Turns the first `count` addresses into vectors. */
  encode(count: number): void {
    this.exports.encode(count)
  }

  /** Judges the first `count` examples, real pairs or negatives, notes their weighted gradients and returns the sum of their log losses. */
  judge(count: number, real: boolean, weight: number): number {
    const { entityRows, addresses } = this.places
    return this.exports.addExamples(entityRows, addresses, count, real ? 1 : -1, weight)
  }

  /** Carries the gradients of all judged examples back through the encoder of `count` addresses. */
  backward(count: number): void {
    this.exports.backward(count)
  }

  /** Takes a step (counted from 1) of Adam, and forgets the gradients. */
  update(learningRate: number, step: number): void {
    // Both moments start at zero; this corrects for it.
    this.exports.update((learningRate * Math.sqrt(1 - BETA2 ** step)) / (1 - BETA1 ** step))
  }

  /** A copy of the weights as they are. */
  weights(): Weights {
    const { shape, width } = this
    const { dim, entityRows } = shape
    const layers = this.dense.map((table): Layer => {
      const [weight, bias] = [new Float32Array(dim * dim), new Float32Array(dim)]
      for (let o = 0; o < dim; o++) this.read(table, o, weight, o)
      this.read(table, width, bias, 0)
      return { weight, bias }
    })
    const [entities, prefixes] = [new Float32Array(entityRows * dim), new Float32Array(levelsOf(shape).rows * dim)]
    for (let row = 0; row < entityRows; row++) this.read(this.entities, row, entities, row)
    for (let row = 0; row < prefixes.length / dim; row++) this.read(this.prefixes, row, prefixes, row)
    return { shape, entities, prefixes, layers }
  }

  /** Copies a row's weights into a row of vectors. */
  private read({ state }: Table, row: number, to: Float32Array, toRow: number): void {
    const { dim } = this.shape
    const at = 3 * row * this.width
    to.set(state.subarray(at, at + dim), toRow * dim)
  }

  private load({ entities, prefixes, layers }: Weights): void {
    const { shape, width } = this
    const write = (from: Float32Array, { state }: Table, firstRow = 0) => {
      const { dim } = shape
      for (let at = 0, to = 3 * firstRow * width; at < from.length; at += dim, to += 3 * width)
        // The memory is zero as it is. Most prefixes begin so, too: what is not touched takes no memory, nor time.
        for (let i = 0; i < dim; i++) if (from[at + i] !== 0) state[to + i] = from[at + i]!
    }
    write(entities, this.entities)
    write(prefixes, this.prefixes)
    for (const [l, { weight, bias }] of layers.entries()) {
      write(weight, this.dense[l]!)
      write(bias, this.dense[l]!, this.width)
    }
  }

  private set(weightDecay: number): void {
    const { places, shape } = this
    const settings: Record<Setting, number> = {
      ...places,
      layers: shape.layers,
      levels: places.levels.length,
      leak: LEAK,
      decay: weightDecay,
      beta1: BETA1,
      beta2: BETA2,
      epsilon: EPSILON,
      entities: places.entities.at,
      prefixes: places.prefixes.at,
      dense: places.prefixes.at + 5 * WORD,
    }
    for (const name of SETTINGS) this.exports[name].value = settings[name]
    for (const { at, state, slots, rows, gradients } of [places.entities, places.prefixes, ...places.dense])
      this.words(at, 5).set([state, slots, rows, gradients, 0])
    const levels = this.words(places.prefixLevels, 5 * places.levels.length)
    for (const [k, { shift, offset, hashed, salt, mask }] of places.levels.entries())
      levels.set([shift, offset, hashed ? 1 : 0, salt, mask], 5 * k)
  }

  private table({ at, state, gradients, rows, tableRows, touchedRows }: TablePlace): Table {
    return {
      state: this.floats(state, 3 * tableRows * this.width),
      gradients: this.floats(gradients, touchedRows * this.width),
      rows: this.words(rows, touchedRows),
      touched: () => this.words(at, 5)[4]!,
    }
  }

  private words = (at: number, length: number): Uint32Array => new Uint32Array(this.exports.memory.buffer, at, length)

  private floats = (at: number, length: number): Float32Array =>
    new Float32Array(this.exports.memory.buffer, at, length)
}

const SETTINGS = [
  'width',
  'layers',
  'levels',
  'leak',
  'decay',
  'beta1',
  'beta2',
  'epsilon',
  'capacity',
  'entities',
  'prefixes',
  'dense',
  'prefixLevels',
  'ips',
  'rows',
  'values',
  'flow',
  'below',
  'matrix',
] as const satisfies Setting[]
