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
export function boosted({ columns, offset, weight, answer }: Examples): Tree[] {
  const cuts = columns.map(cutsOf)
  const bins = columns.map((column, f) => Uint8Array.from(column, (value) => binOf(cuts[f]!, value)))
  const odds = offset.slice()
  const [slope, curve] = [new Float64Array(odds.length), new Float64Array(odds.length)]
  return Array.from({ length: TREES }, () => {
    for (let i = 0; i < odds.length; i++) {
      const p = 1 / (1 + Math.exp(-odds[i]!))
      slope[i] = (answer[i]! - p) * weight[i]!
      curve[i] = Math.max(p * (1 - p), 1e-6) * weight[i]!
    }
    const { tree, node } = grown({ bins, cuts, slope, curve })
    for (let i = 0; i < odds.length; i++) odds[i]! += tree.value[node[i]!]!
    return tree
  })
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
function binOf(cuts: readonly number[], value: number): number {
  let [low, high] = [0, cuts.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (cuts[middle]! <= value) low = middle + 1
    else high = middle
  }
  return low
}

interface Growing {
  readonly bins: readonly Uint8Array[]
  readonly cuts: readonly (readonly number[])[]
  readonly slope: Float64Array
  readonly curve: Float64Array
}

function grown(growing: Growing): { tree: Tree; node: Uint8Array } {
  const { bins, cuts, slope } = growing
  const node = new Uint8Array(slope.length)
  const tree = {
    feature: Array.from({ length: INNER }, () => -1),
    cut: Array.from({ length: INNER }, () => 0),
    value: Array.from({ length: NODES }, () => 0),
  }
  for (let first = 0; first < NODES; first = 2 * first + 1) {
    // Leaves need only their totals, which every feature has.
    const asked = first < INNER ? bins : bins.slice(0, 1)
    const sums = asked.map((of, f) => sumsOf(growing, of, { node, first, last: 2 * first, size: cuts[f]!.length + 1 }))
    for (let n = first; n <= 2 * first; n++) {
      const all = total(sums[0]!, n - first)
      tree.value[n] = (RATE * all.slope) / (all.curve + PENALTY)
      const best = n < INNER ? bestCut(sums, n - first, all) : undefined
      if (best === undefined) continue
      tree.feature[n] = best.feature
      tree.cut[n] = cuts[best.feature]![best.cut]!
      const of = bins[best.feature]!
      for (let i = 0; i < node.length; i++) if (node[i] === n) node[i] = 2 * n + (of[i]! <= best.cut ? 1 : 2)
    }
  }
  return { tree, node }
}

/** Sums over the examples in each node and bin of one feature. */
interface Sums {
  readonly size: number
  readonly slope: Float64Array
  readonly curve: Float64Array
}

interface Nodes {
  readonly node: Uint8Array
  readonly first: number
  readonly last: number
  readonly size: number
}

function sumsOf({ slope, curve }: Growing, bins: Uint8Array, { node, first, last, size }: Nodes): Sums {
  const sums = {
    size,
    slope: new Float64Array((last - first + 1) * size),
    curve: new Float64Array((last - first + 1) * size),
  }
  for (let i = 0; i < bins.length; i++) {
    if (node[i]! < first) continue
    const at = (node[i]! - first) * size + bins[i]!
    sums.slope[at]! += slope[i]!
    sums.curve[at]! += curve[i]!
  }
  return sums
}

function total({ size, slope, curve }: Sums, n: number) {
  const sum = { slope: 0, curve: 0 }
  for (let at = n * size; at < (n + 1) * size; at++) {
    sum.slope += slope[at]!
    sum.curve += curve[at]!
  }
  return sum
}

/** Undefined where no cut helps. */
function bestCut(sums: readonly Sums[], n: number, all: { slope: number; curve: number }) {
  let best: { feature: number; cut: number } | undefined
  let most = all.slope ** 2 / (all.curve + PENALTY) + 1e-3
  for (const [feature, { size, slope, curve }] of sums.entries()) {
    let [left, weight] = [0, 0]
    for (let cut = 0; cut < size - 1; cut++) {
      left += slope[n * size + cut]!
      weight += curve[n * size + cut]!
      if (weight < FEWEST || all.curve - weight < FEWEST) continue
      const gain = left ** 2 / (weight + PENALTY) + (all.slope - left) ** 2 / (all.curve - weight + PENALTY)
      if (gain <= most) continue
      most = gain
      best = { feature, cut }
    }
  }
  return best
}
