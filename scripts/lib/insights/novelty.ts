import type { Grouped } from './accesses.ts'

/** Distances are told apart by quarters of a power of two. */
const STEPS = 4
const BINS = 32 * STEPS + 1
/** An address so far from all others of its entity is elsewhere, however much farther it is. */
const ELSEWHERE = 2 ** 24
/** Where the strength of the prior is chosen. */
const FAR = 2 ** 20
/** Accesses that the habit of entities of its size counts for when one is judged. */
const STRENGTHS = [10, 30, 100, 200, 400, 1000, 3000] as const

/**
 * How often an entity comes from an address that is so far from all of its others: its own addresses each left out in turn, and,
 * the fewer there are, the more the habit of entities of its size (a beta prior, whose strength is chosen by likelihood).
 */
export class Novelty {
  /** Of each entity's distinct addresses the distance to the nearest other one, ascending. */
  private readonly distances: Uint32Array
  private readonly starts: Uint32Array
  private readonly accesses: Uint32Array
  /** By size of entity: how many distances are not shorter, and the accesses. */
  private readonly sizes: readonly { readonly atLeast: Float64Array; accesses: number }[]
  /** By size and distance: the share of accesses from so far off all others among entities of about the size, never 0. */
  private readonly habits: readonly Float64Array[]
  private readonly strength: number

  constructor({ starts, ips }: Grouped) {
    const entities = starts.length - 1
    this.accesses = Uint32Array.from({ length: entities }, (_, e) => starts[e + 1]! - starts[e]!)
    this.starts = new Uint32Array(entities + 1)
    this.distances = new Uint32Array(ips.length)
    this.sizes = Array.from({ length: 33 }, () => ({ atLeast: new Float64Array(BINS), accesses: 0 }))
    let next = 0
    for (let e = 0; e < entities; e++) {
      next = this.add(e, ips.subarray(starts[e], starts[e + 1]), next)
      this.starts[e + 1] = next
    }
    for (const { atLeast } of this.sizes) for (let bin = BINS - 2; bin >= 0; bin--) atLeast[bin]! += atLeast[bin + 1]!
    this.habits = this.sizes.map((_, size) => this.habitsOf(size))
    this.strength = this.likeliest()
  }

  /** Probability that the entity's next access is so far from all before. @param distance to the nearest of them */
  of(entity: number, distance: number): number {
    const capped = Math.min(distance, ELSEWHERE)
    const prior = this.strength * this.habit(entity, capped)
    return (this.countFrom(entity, capped) + prior) / (this.accesses[entity]! + this.strength)
  }

  private add(entity: number, ips: Uint32Array, next: number): number {
    const first = next
    const size = this.sizes[sizeOf(ips.length)]!
    size.accesses += ips.length
    let before = Number.POSITIVE_INFINITY
    for (let at = 0; at < ips.length; ) {
      let end = at + 1
      while (end < ips.length && ips[end] === ips[at]) end += 1
      const after = end < ips.length ? ips[end]! - ips[at]! : Number.POSITIVE_INFINITY
      const distance = Math.min(before, after, 2 ** 32 - 1)
      this.distances[next++] = distance
      size.atLeast[binOf(distance)]! += 1
      ;[before, at] = [after, end]
    }
    this.distances.subarray(first, next).sort()
    this.accesses[entity] = ips.length
    return next
  }

  /** Distances of the entity that are not shorter. */
  private countFrom(entity: number, distance: number): number {
    const end = this.starts[entity + 1]!
    let [low, high] = [this.starts[entity]!, end]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.distances[middle]! < distance) low = middle + 1
      else high = middle
    }
    return end - low
  }

  private habit(entity: number, distance: number): number {
    return this.habits[sizeOf(this.accesses[entity]!)]![binOf(distance)]!
  }

  private habitsOf(size: number): Float64Array {
    const near = this.sizes.slice(Math.max(0, size - 1), size + 2)
    const accesses = near.reduce((sum, of) => sum + of.accesses, 1)
    return new Float64Array(BINS).map((_, bin) =>
      Math.min(0.5, near.reduce((sum, of) => sum + of.atLeast[bin]!, 0.5) / accesses),
    )
  }

  private likeliest(): number {
    const counted = Array.from(this.accesses, (accesses, e) => ({
      accesses,
      far: this.countFrom(e, FAR),
      habit: this.habit(e, FAR),
    }))
    const likelihood = (strength: number) =>
      counted.reduce((sum, { accesses, far, habit }) => {
        const [yes, no] = [strength * habit, strength * (1 - habit)]
        const often = lnGamma(far + yes) - lnGamma(yes) + lnGamma(accesses - far + no) - lnGamma(no)
        return sum + often - lnGamma(accesses + strength) + lnGamma(strength)
      }, 0)
    return STRENGTHS.reduce((best, strength) => (likelihood(strength) > likelihood(best) ? strength : best))
  }
}

/** Entities of the same power of two of accesses have the same size. */
const sizeOf = (accesses: number): number => 32 - Math.clz32(accesses)

const binOf = (distance: number): number => Math.floor(STEPS * Math.log2(Math.max(1, distance)))

/** ln Γ(x) for x > 0 by Stirling's series, to some ten digits. */
function lnGamma(x: number): number {
  let shift = 0
  for (; x < 8; x++) shift += Math.log(x)
  const inverse = 1 / (x * x)
  const series = (1 / 12 - inverse * (1 / 360 - inverse / 1260)) / x
  return (x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 + series - shift
}
