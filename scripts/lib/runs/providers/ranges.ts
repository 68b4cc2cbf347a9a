import type { Address } from '../../insights/ipv6.ts'
import type { Provider } from './provider.ts'

/** Ranges in columns, since there may be millions. Of IPv6 the first 64 bits count: nobody shares a /64. */
export class RangeColumns {
  readonly ipv4 = columns<number>()
  readonly ipv6 = columns<bigint>()
  readonly providers: Provider[] = []

  /** @param end the last address @param provider which of the providers */
  add(start: Address, end: Address, provider: number): void {
    if (typeof start === 'number' && typeof end === 'number') put(this.ipv4, start, end, provider)
    else put(this.ipv6, BigInt(start) >> 64n, BigInt(end) >> 64n, provider)
  }

  get length(): number {
    return this.ipv4.starts.length + this.ipv6.starts.length
  }
}

interface Columns<T> {
  /** First and last addresses. */
  readonly starts: T[]
  readonly ends: T[]
  /** Which of the providers each is of. */
  readonly which: number[]
}

const columns = <T>(): Columns<T> => ({ starts: [], ends: [], which: [] })

function put<T>({ starts, ends, which }: Columns<T>, ...[start, end, provider]: [T, T, number]): void {
  starts.push(start)
  ends.push(end)
  which.push(provider)
}

/** Ranges of addresses, each with its provider. */
export class Ranges {
  private readonly ipv4: Nested<number>
  private readonly ipv6: Nested<bigint>
  private readonly providers: readonly Provider[]

  constructor({ ipv4, ipv6, providers }: RangeColumns) {
    this.ipv4 = new Nested(ipv4, 0, (values) => Uint32Array.from(values))
    this.ipv6 = new Nested(ipv6, 0n, (values) => BigUint64Array.from(values))
    this.providers = providers
  }

  of(ip: Address): Provider | undefined {
    const found = typeof ip === 'number' ? this.ipv4.of(ip) : this.ipv6.of(ip >> 64n)
    return found === undefined ? undefined : this.providers[found]
  }
}

/** Where ranges overlap, the one that begins last holds: of nested ones the narrowest. */
class Nested<T extends number | bigint> {
  private readonly starts: ArrayLike<T>
  private readonly ends: ArrayLike<T>
  private readonly which: Uint32Array
  /** Of each range the nearest earlier one that reaches into it; −1 for none. */
  private readonly around: Int32Array
  private readonly zero: T

  constructor({ starts, ends, which }: Columns<T>, zero: T, packed: (values: T[]) => ArrayLike<T>) {
    this.zero = zero
    const sequence = sequenceOf(starts, ends, zero)
    this.starts = packed(Array.from(sequence, (i) => starts[i] ?? zero))
    this.ends = packed(Array.from(sequence, (i) => ends[i] ?? zero))
    this.which = Uint32Array.from(sequence, (i) => which[i] ?? 0)
    this.around = new Int32Array(sequence.length)
    for (let i = 0; i < sequence.length; i++) this.around[i] = this.reaching(i - 1, this.starts[i] ?? zero)
  }

  /** Which provider. */
  of(ip: T): number | undefined {
    let [low, high] = [0, this.starts.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.starts[middle] ?? this.zero) <= ip) low = middle + 1
      else high = middle
    }
    const found = this.reaching(low - 1, ip)
    return found < 0 ? undefined : (this.which[found] ?? 0)
  }

  /** The range at an index or, where it ends before the address, the nearest around it that does not. */
  private reaching(from: number, ip: T): number {
    let i = from
    while (i >= 0 && (this.ends[i] ?? this.zero) < ip) i = this.around[i] ?? -1
    return i
  }
}

/** By start, wider ranges first, equal ones as they came. Most files are in this sequence already. */
function sequenceOf<T extends number | bigint>(starts: readonly T[], ends: readonly T[], zero: T): Uint32Array {
  const difference = (of: readonly T[], a: number, b: number) => {
    const [one, other] = [of[a] ?? zero, of[b] ?? zero]
    return one < other ? -1 : one > other ? 1 : 0
  }
  const compared = (a: number, b: number) => difference(starts, a, b) || difference(ends, b, a) || a - b
  const sequence = Uint32Array.from(starts, (_, i) => i)
  return sequence.every((i) => i === 0 || compared(i - 1, i) <= 0) ? sequence : sequence.sort(compared)
}
