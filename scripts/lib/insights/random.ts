/** A small seeded generator (sfc32, Chris Doty-Humphrey's PractRand): equal seeds, equal numbers, on every machine. */
export class Random {
  private a: number
  private b: number
  private c: number
  private counter = 1

  /** Streams that differ in any of the keys are independent of each other. */
  constructor(...keys: readonly number[]) {
    let hash = 0
    for (const key of keys) hash = mix(hash ^ mix(key | 0) ^ Math.trunc(key / 4294967296))
    this.a = hash
    this.b = mix(hash ^ 0x9e3779b9)
    this.c = mix(hash ^ 0x3c6ef372)
    for (let i = 0; i < 4; i++) this.uint32()
  }

  uint32(): number {
    const sum = (this.a + this.b + this.counter) | 0
    this.counter = (this.counter + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return this.uint32() / 4294967296
  }

  /** Uniform in 0 … n − 1, n ≤ 2³². */
  below(n: number): number {
    return Math.floor(this.uniform() * n)
  }

  /** Standard normal (Box and Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform())
  }

  /** Shuffles in place (Fisher and Yates). */
  shuffle(items: Uint32Array): void {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      const held = items[i]!
      items[i] = items[j]!
      items[j] = held
    }
  }
}

/** Spreads the bits of a number over all 32 (the finalizer of MurmurHash3). */
export function mix(value: number): number {
  let h = value | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
