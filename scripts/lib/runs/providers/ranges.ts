import type { Provider } from './provider.ts'

/** Ranges in columns, since there may be millions. */
export class RangeColumns {
  /** First and last addresses. */
  readonly starts: number[] = []
  readonly ends: number[] = []
  /** Which of the providers each is of. */
  readonly which: number[] = []
  readonly providers: Provider[] = []

  add(start: number, end: number, provider: number): void {
    this.starts.push(start)
    this.ends.push(end)
    this.which.push(provider)
  }
}

/** Ranges of addresses, each with its provider. Where ranges overlap, the one that begins last holds: of nested ones the narrowest. */
export class Ranges {
  private readonly starts: Uint32Array
  private readonly ends: Uint32Array
  private readonly which: Uint32Array
  private readonly providers: readonly Provider[]
  /** Of each range the nearest earlier one that reaches into it; −1 for none. */
  private readonly around: Int32Array

  constructor({ starts, ends, which, providers }: RangeColumns) {
    const sequence = sequenceOf(starts, ends)
    this.starts = Uint32Array.from(sequence, (i) => starts[i] ?? 0)
    this.ends = Uint32Array.from(sequence, (i) => ends[i] ?? 0)
    this.which = Uint32Array.from(sequence, (i) => which[i] ?? 0)
    this.providers = providers
    this.around = new Int32Array(sequence.length)
    for (let i = 0; i < sequence.length; i++) this.around[i] = this.reaching(i - 1, this.starts[i] ?? 0)
  }

  of(ip: number): Provider | undefined {
    let [low, high] = [0, this.starts.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.starts[middle] ?? 0) <= ip) low = middle + 1
      else high = middle
    }
    const found = this.reaching(low - 1, ip)
    return found < 0 ? undefined : this.providers[this.which[found] ?? 0]
  }

  /** The range at an index or, where it ends before the address, the nearest around it that does not. */
  private reaching(from: number, ip: number): number {
    let i = from
    while (i >= 0 && (this.ends[i] ?? 0) < ip) i = this.around[i] ?? -1
    return i
  }
}

/** By start, wider ranges first, equal ones as they came. Most files are in this sequence already. */
function sequenceOf(starts: readonly number[], ends: readonly number[]): Uint32Array {
  const difference = (of: readonly number[], a: number, b: number) => (of[a] ?? 0) - (of[b] ?? 0)
  const compared = (a: number, b: number) => difference(starts, a, b) || difference(ends, b, a) || a - b
  const sequence = Uint32Array.from(starts, (_, i) => i)
  return sequence.every((i) => i === 0 || compared(i - 1, i) <= 0) ? sequence : sequence.sort(compared)
}
