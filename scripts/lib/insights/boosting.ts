import { binOf, DEPTH, INNER, NODES, type Tree } from './tree.ts'

/**
 * Gradient boosting of small trees on the log loss (J. H. Friedman, "Greedy function approximation: a gradient boosting machine",
 * Annals of Statistics 29/5, 2001), with cuts at quantiles. Equal inputs give equal trees.
 */

const TREES = 80
const RATE = 0.15
const BINS = 64
/** Least curvature on a side of a cut, and the L2 penalty on a node's value. */
const [FEWEST, PENALTY] = [20, 20] as const

/** Weighted examples in columns. */
export interface Examples {
  /** One for each feature. */
  readonly columns: readonly Float64Array[]
  /** Log odds to begin with. */
  readonly offset: Float64Array
  readonly weight: Float64Array
  /** 1 where the answer is yes. */
  readonly answer: Uint8Array
}

/** Trees whose sum, with the offset, are the log odds of a yes. */
export function boosted(examples: Examples): Tree[] {
  const grower = new Grower(examples)
  return Array.from({ length: TREES }, () => grower.next())
}

/** Ascending, distinct. */
function cutsOf(column: Float64Array): number[] {
  const sorted = column.toSorted()
  const cuts = Array.from({ length: BINS - 1 }, (_, b) => sorted[Math.floor(((b + 1) * sorted.length) / BINS)] ?? 0)
  return [...new Set(cuts)].filter((cut) => cut > sorted[0]!)
}

/** Grows trees one after the other, each on what those before it leave to say. */
class Grower {
  private readonly examples: Examples
  private readonly features: number
  private readonly cuts: readonly (readonly number[])[]
  /** Of each example its features' places in `sums`, one after the other: all of them are asked for together. */
  private readonly places: Uint16Array
  private readonly odds: Float64Array
  private readonly slope: Float64Array
  private readonly curve: Float64Array
  /** Examples node by node; those of one node ascend. */
  private readonly rows: Uint32Array
  private readonly spare: Uint32Array
  /** By depth: room for the sums of one child; the other's take the place of their parent's. */
  private readonly sums: readonly Float64Array[]

  constructor(examples: Examples) {
    const { columns, offset } = examples
    this.examples = examples
    this.features = columns.length
    this.cuts = columns.map(cutsOf)
    this.places = new Uint16Array(offset.length * columns.length)
    for (const [f, column] of columns.entries())
      for (let i = 0; i < column.length; i++)
        this.places[i * columns.length + f] = placeOf(f, binOf(this.cuts[f]!, column[i]!))
    this.odds = offset.slice()
    this.slope = new Float64Array(offset.length)
    this.curve = new Float64Array(offset.length)
    this.rows = new Uint32Array(offset.length)
    this.spare = new Uint32Array(offset.length)
    this.sums = Array.from({ length: DEPTH }, () => new Float64Array(2 * BINS * columns.length))
  }

  next(): Tree {
    const { odds, slope, curve, rows } = this
    const { answer, weight } = this.examples
    for (let i = 0; i < odds.length; i++) {
      const p = 1 / (1 + Math.exp(-odds[i]!))
      slope[i] = (answer[i]! - p) * weight[i]!
      curve[i] = Math.max(p * (1 - p), 1e-6) * weight[i]!
      rows[i] = i
    }
    const tree = {
      feature: Array.from({ length: INNER }, () => -1),
      cut: Array.from({ length: INNER }, () => 0),
      value: Array.from({ length: NODES }, () => 0),
    }
    const sums = this.sum(this.sums[0]!, 0, rows.length)
    this.grow(tree, 0, { from: 0, to: rows.length, sums, all: total(sums) })
    return tree
  }

  /** A node and all below. */
  private grow(tree: Tree, node: number, { from, to, sums, all }: Node, depth = 0): void {
    const value = (RATE * all.slope) / (all.curve + PENALTY)
    tree.value[node] = value
    const best = depth < DEPTH ? this.bestCut(sums, all) : undefined
    if (best === undefined) {
      for (let i = from; i < to; i++) this.odds[this.rows[i]!]! += value
      return
    }
    tree.feature[node] = best.feature
    tree.cut[node] = this.cuts[best.feature]![best.cut]!
    const middle = this.part(from, to, best)
    const right = { slope: all.slope - best.left.slope, curve: all.curve - best.left.curve }
    const [ofLeft, ofRight] = this.parted(sums, { from, middle, to }, depth + 1)
    this.grow(tree, 2 * node + 1, { from, to: middle, sums: ofLeft, all: best.left }, depth + 1)
    this.grow(tree, 2 * node + 2, { from: middle, to, sums: ofRight, all: right }, depth + 1)
  }

  /** The sums of two children, from those of both: only the smaller child is gone through. Leaves need none. */
  private parted(both: Float64Array, { from, middle, to }: Record<'from' | 'middle' | 'to', number>, depth: number) {
    const smaller = this.sums[depth]
    if (smaller === undefined) return [both, both] as const
    const leftIsSmaller = middle - from < to - middle
    if (leftIsSmaller) this.sum(smaller, from, middle)
    else this.sum(smaller, middle, to)
    for (let at = 0; at < both.length; at++) both[at]! -= smaller[at]!
    return leftIsSmaller ? ([smaller, both] as const) : ([both, smaller] as const)
  }

  /** Slope and curvature of examples, by feature and bin. */
  private sum(sums: Float64Array, from: number, to: number): Float64Array {
    const { rows, slope, curve, places, features } = this
    sums.fill(0)
    for (let i = from; i < to; i++) {
      const row = rows[i]!
      const [ofSlope, ofCurve] = [slope[row]!, curve[row]!]
      const end = (row + 1) * features
      for (let f = row * features; f < end; f++) {
        const at = places[f]!
        sums[at]! += ofSlope
        sums[at + 1]! += ofCurve
      }
    }
    return sums
  }

  /** Undefined where no cut helps. */
  private bestCut(sums: Float64Array, all: Total): Cut | undefined {
    let best: Cut | undefined
    let most = all.slope ** 2 / (all.curve + PENALTY) + 1e-3
    for (let feature = 0; feature < this.features; feature++) {
      let [left, weight] = [0, 0]
      for (let cut = 0; cut < this.cuts[feature]!.length; cut++) {
        left += sums[placeOf(feature, cut)]!
        weight += sums[placeOf(feature, cut) + 1]!
        if (weight < FEWEST || all.curve - weight < FEWEST) continue
        const gain = left ** 2 / (weight + PENALTY) + (all.slope - left) ** 2 / (all.curve - weight + PENALTY)
        if (gain <= most) continue
        most = gain
        best = { feature, cut, left: { slope: left, curve: weight } }
      }
    }
    return best
  }

  /** Brings those that are below the cut to the front; returns where the others begin. */
  private part(from: number, to: number, { feature, cut }: Cut): number {
    const { rows, spare, places } = this
    const last = placeOf(feature, cut)
    let [middle, above] = [from, 0]
    for (let i = from; i < to; i++) {
      const row = rows[i]!
      if (places[row * this.features + feature]! <= last) rows[middle++] = row
      else spare[above++] = row
    }
    rows.set(spare.subarray(0, above), middle)
    return middle
  }
}

/** Where a bin's slope is among the sums; its curvature follows. */
const placeOf = (feature: number, bin: number): number => 2 * (feature * BINS + bin)

/** The sums of the first feature have all examples in them, as those of every other. */
function total(sums: Float64Array): Total {
  let [slope, curve] = [0, 0]
  for (let at = 0; at < placeOf(1, 0); at += 2) {
    slope += sums[at]!
    curve += sums[at + 1]!
  }
  return { slope, curve }
}

interface Total {
  readonly slope: number
  readonly curve: number
}

/** Examples from `from` up to, not including, `to`, with their sums by feature and bin. */
interface Node {
  readonly from: number
  readonly to: number
  readonly sums: Float64Array
  readonly all: Total
}

/** Below it lie the bins up to `cut`. */
interface Cut {
  readonly feature: number
  readonly cut: number
  readonly left: Total
}
