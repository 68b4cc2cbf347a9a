import type { Provider } from './provider.ts'

interface Range {
  /** First and last address. */
  readonly start: number
  readonly end: number
  readonly provider: Provider
}

/** Ranges of addresses, each with its provider. Where ranges overlap, the one that begins last holds: of nested ones the narrowest. */
export class Ranges {
  private readonly sorted: readonly Range[]
  /** Of each range the nearest earlier one that reaches into it; −1 for none. */
  private readonly around: Int32Array

  constructor(ranges: readonly Range[]) {
    this.sorted = ranges.toSorted((a, b) => a.start - b.start || b.end - a.end)
    this.around = new Int32Array(this.sorted.length)
    for (const [i, { start }] of this.sorted.entries()) this.around[i] = this.reaching(i - 1, start)
  }

  of(ip: number): Provider | undefined {
    let [low, high] = [0, this.sorted.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.sorted[middle]?.start ?? 0) <= ip) low = middle + 1
      else high = middle
    }
    return this.sorted[this.reaching(low - 1, ip)]?.provider
  }

  /** The range at an index or, where it ends before the address, the nearest around it that does not. */
  private reaching(from: number, ip: number): number {
    let i = from
    while (i >= 0 && (this.sorted[i]?.end ?? 0) < ip) i = this.around[i] ?? -1
    return i
  }
}
