/**
 * Gradient boosting of small trees on the log loss (J. H. Friedman, "Greedy function approximation: a gradient boosting machine",
 * Annals of Statistics 29/5, 2001), with cuts at quantiles. Equal inputs give equal trees.
 */

/** A tree of depth 3, node by node: below node n lie 2 n + 1, where the feature is less than the cut, and 2 n + 2. */
export interface Tree {
  /** −1 where the node is not split. */
  readonly feature: number[]
  readonly cut: number[]
  /** What reaching the node adds to the log odds; that of a child stands in place of its parent's. */
  readonly value: number[]
}

const DEPTH = 3
export const INNER = 2 ** DEPTH - 1
export const NODES = 2 * INNER + 1
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

/** Follows one tree to its leaf. @param step called with each feature that is asked for and what the answer changes */
export function follow(
  tree: Tree,
  features: ArrayLike<number>,
  step?: (feature: number, change: number) => void,
): number {
  let node = 0
  while (node < INNER && tree.feature[node]! >= 0) {
    const feature = tree.feature[node]!
    const child = 2 * node + (features[feature]! < tree.cut[node]! ? 1 : 2)
    step?.(feature, tree.value[child]! - tree.value[node]!)
    node = child
  }
  return tree.value[node]!
}

/** Ascending, distinct. */
function cutsOf(column: Float64Array): number[] {
  const sorted = column.toSorted()
  const cuts = Array.from({ length: BINS - 1 }, (_, b) => sorted[Math.floor(((b + 1) * sorted.length) / BINS)] ?? 0)
  return [...new Set(cuts)].filter((cut) => cut > sorted[0]!)
}

/** How many cuts are not above. */
export function binOf(cuts: readonly number[], value: number): number {
  let [low, high] = [0, cuts.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (cuts[middle]! <= value) low = middle + 1
    else high = middle
  }
  return low
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
  /** Slope and curvature of the node at hand by feature and bin. */
  private readonly sums: Float64Array

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
    this.sums = new Float64Array(2 * BINS * columns.length)
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
    this.grow(tree, 0, 0, rows.length)
    return tree
  }

  /** The node that the examples from `from` up to, not including, `to` are in, and all below. */
  private grow(tree: Tree, node: number, from: number, to: number): void {
    // Leaves need only their totals, which every feature has.
    this.sum(from, to, node < INNER ? this.features : 1)
    const all = this.total()
    const value = (RATE * all.slope) / (all.curve + PENALTY)
    tree.value[node] = value
    const best = node < INNER ? this.bestCut(all) : undefined
    if (best === undefined) {
      for (let i = from; i < to; i++) this.odds[this.rows[i]!]! += value
      return
    }
    tree.feature[node] = best.feature
    tree.cut[node] = this.cuts[best.feature]![best.cut]!
    const middle = this.part(from, to, best)
    this.grow(tree, 2 * node + 1, from, middle)
    this.grow(tree, 2 * node + 2, middle, to)
  }

  private sum(from: number, to: number, features: number): void {
    const { rows, slope, curve, places, sums } = this
    sums.fill(0)
    for (let i = from; i < to; i++) {
      const row = rows[i]!
      const first = row * this.features
      for (let f = first; f < first + features; f++) {
        const at = places[f]!
        sums[at]! += slope[row]!
        sums[at + 1]! += curve[row]!
      }
    }
  }

  private total() {
    const sum = { slope: 0, curve: 0 }
    for (let at = 0; at < 2 * BINS; at += 2) {
      sum.slope += this.sums[at]!
      sum.curve += this.sums[at + 1]!
    }
    return sum
  }

  /** Undefined where no cut helps. */
  private bestCut(all: { slope: number; curve: number }): Cut | undefined {
    let best: Cut | undefined
    let most = all.slope ** 2 / (all.curve + PENALTY) + 1e-3
    for (let feature = 0; feature < this.features; feature++) {
      let [left, weight] = [0, 0]
      for (let cut = 0; cut < this.cuts[feature]!.length; cut++) {
        left += this.sums[placeOf(feature, cut)]!
        weight += this.sums[placeOf(feature, cut) + 1]!
        if (weight < FEWEST || all.curve - weight < FEWEST) continue
        const gain = left ** 2 / (weight + PENALTY) + (all.slope - left) ** 2 / (all.curve - weight + PENALTY)
        if (gain <= most) continue
        most = gain
        best = { feature, cut }
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

/** Below it lie the bins up to `cut`. */
interface Cut {
  readonly feature: number
  readonly cut: number
}
