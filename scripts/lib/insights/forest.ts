import { binOf, INNER, type Tree } from './tree.ts'

const LEAVES = INNER + 1

/**
 * Trees laid out for adding up what they say about many: by bin of each feature the leaves that can still be reached, a bit each, tree by
 * tree (C. Lucchese et al., "QuickScorer", SIGIR 2015). Nothing branches on the data.
 */
export class Forest {
  /** By feature: the cuts of all trees, ascending. */
  private readonly cuts: readonly (readonly number[])[]
  /** By feature: of each bin the leaves of each tree. */
  private readonly masks: readonly Int32Array[]
  private readonly leaves: Float64Array
  private readonly left: Int32Array
  private readonly bytes: Uint8Array

  constructor(trees: readonly Tree[], features: number) {
    const asked = trees.flatMap(({ feature, cut }) => feature.map((f, n) => ({ feature: f, cut: cut[n]! })))
    const words = Math.ceil(trees.length / 4)
    this.left = new Int32Array(words)
    this.bytes = new Uint8Array(this.left.buffer)
    this.leaves = Float64Array.from(trees.flatMap(leavesOf))
    this.cuts = Array.from({ length: features }, (_, f) =>
      [...new Set(asked.filter(({ feature }) => feature === f).map(({ cut }) => cut))].sort((a, b) => a - b),
    )
    this.masks = this.cuts.map((cuts, f) => {
      const masks = new Uint8Array(4 * words * (cuts.length + 1)).fill(255)
      for (let bin = 1; bin <= cuts.length; bin++)
        for (const [t, tree] of trees.entries())
          for (let n = 0; n < INNER; n++)
            if (tree.feature[n] === f && tree.cut[n]! <= cuts[bin - 1]!) masks[4 * words * bin + t]! &= ~leftOf(n)
      return new Int32Array(masks.buffer)
    })
  }

  /** @param offset what the sum begins with */
  sum(features: ArrayLike<number>, offset: number): number {
    const { left, bytes, leaves, cuts, masks } = this
    left.fill(-1)
    for (let f = 0; f < cuts.length; f++) {
      const first = binOf(cuts[f]!, features[f]!) * left.length
      for (let w = 0; w < left.length; w++) left[w]! &= masks[f]![first + w]!
    }
    let sum = offset
    for (let t = 0, first = 0; first < leaves.length; t++, first += LEAVES) sum += leaves[first + FIRST[bytes[t]!]!]!
    return sum
  }
}

/** Of a byte the lowest bit that is set. */
const FIRST = Uint8Array.from({ length: 256 }, (_, byte) => 31 - Math.clz32(byte & -byte))

/** The leaves left of a node, a bit each. */
function leftOf(node: number): number {
  const depth = Math.floor(Math.log2(node + 1))
  const under = LEAVES >> depth
  return ((1 << (under / 2)) - 1) << ((node + 1 - 2 ** depth) * under)
}

/** What the leaves say; where a node was not split, what it says itself. */
function leavesOf({ feature, value }: Tree): number[] {
  const said = value.slice()
  for (let n = 0; n < INNER; n++) if (feature[n]! < 0) said[2 * n + 1] = said[2 * n + 2] = said[n]!
  return said.slice(INNER)
}
