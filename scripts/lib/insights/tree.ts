/** A tree of depth 3, node by node: below node n lie 2 n + 1, where the feature is less than the cut, and 2 n + 2. */
export interface Tree {
  /** −1 where the node is not split. */
  readonly feature: number[]
  readonly cut: number[]
  /** What reaching the node adds to the log odds; that of a child stands in place of its parent's. */
  readonly value: number[]
}

export const DEPTH = 3
export const INNER = 2 ** DEPTH - 1
export const NODES = 2 * INNER + 1

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
