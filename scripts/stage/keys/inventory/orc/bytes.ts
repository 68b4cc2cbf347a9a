import { inflateRawSync } from 'node:zlib'

/** How a file's blocks are compressed: `CompressionKind` of the ORC specification. */
const CODECS = ['NONE', 'ZLIB', 'SNAPPY', 'LZO', 'LZ4', 'ZSTD'] as const

/** Inflates one block; undefined where nothing is compressed. */
export type Inflate = ((block: Buffer) => Buffer) | undefined

/** @param longest bytes of an inflated block. @throws Error that names the codec */
export function inflateOf(codec: number, longest: number): Inflate {
  const name = CODECS[codec] ?? `codec ${codec}`
  if (name === 'NONE') return undefined
  if (name === 'ZLIB') return (block) => inflateRawSync(block, { maxOutputLength: longest })
  if (name === 'SNAPPY') return unsnappy
  throw new Error(`it is compressed with ${name}, and only ZLIB and Snappy are known`)
}

/** The bytes of a stream, inflated block by block as they are asked for. "Compression", ORC specification. */
export class Bytes {
  readonly #raw: Buffer
  readonly #inflate: Inflate
  #next = 0
  #block: Buffer = Buffer.alloc(0)
  #at = 0

  constructor(raw: Buffer, inflate: Inflate) {
    this.#raw = raw
    this.#inflate = inflate
  }

  /** @throws Error at the end */
  byte(): number {
    while (this.#at >= this.#block.length) this.#advance()
    return this.#block[this.#at++] ?? 0
  }

  take(length: number): Buffer {
    const pieces: Buffer[] = []
    for (let left = length; left > 0; ) {
      if (this.#at >= this.#block.length) this.#advance()
      const piece = this.#block.subarray(this.#at, this.#at + left)
      this.#at += piece.length
      left -= piece.length
      pieces.push(piece)
    }
    return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces)
  }

  rest(): Buffer {
    const pieces = [this.#block.subarray(this.#at)]
    while (this.#next < this.#raw.length) {
      this.#advance()
      pieces.push(this.#block)
    }
    return Buffer.concat(pieces)
  }

  #advance(): void {
    if (this.#next >= this.#raw.length) throw new Error('a stream is cut off')
    this.#at = 0
    if (this.#inflate === undefined) {
      this.#block = this.#raw
      this.#next = this.#raw.length
      return
    }
    if (this.#raw.length - this.#next < 3) throw new Error('a stream is cut off')
    const header = this.#raw.readUIntLE(this.#next, 3)
    const [start, end] = [this.#next + 3, this.#next + 3 + (header >> 1)]
    if (end > this.#raw.length) throw new Error('a stream is cut off')
    const block = this.#raw.subarray(start, end)
    this.#block = header % 2 === 1 ? block : this.#inflate(block)
    this.#next = end
  }
}

/** Inflates a block of Snappy. "Snappy compressed format description". @throws Error for what is none */
export function unsnappy(input: Buffer): Buffer {
  let at = 0
  const byte = (): number => {
    const value = input[at++]
    if (value === undefined) throw new Error('a Snappy block is cut off')
    return value
  }
  const number = (bytes: number): number => {
    let value = 0
    for (let i = 0; i < bytes; i++) value += byte() * 256 ** i
    return value
  }
  let [length, scale] = [0, 1]
  for (let more = true; more; scale *= 128) {
    const next = byte()
    length += (next & 0x7f) * scale
    more = next >= 0x80
  }
  if (length > LONGEST) throw new Error('a Snappy block is too long')
  const output = Buffer.alloc(length)
  let to = 0
  while (at < input.length) {
    const tag = byte()
    const kind = tag & 3
    if (kind === 0) {
      const size = (tag >> 2 < 60 ? tag >> 2 : number((tag >> 2) - 59)) + 1
      if (size > input.length - at || size > length - to) throw new Error('a Snappy block is cut off')
      to += input.copy(output, to, at, at + size)
      at += size
    } else {
      const size = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1
      const offset = kind === 1 ? (tag >> 5) * 256 + byte() : number(kind === 2 ? 2 : 4)
      if (offset === 0 || offset > to || size > length - to) throw new Error('a Snappy block refers to what it has not')
      // Byte by byte: a copy may reach into itself.
      for (const end = to + size; to < end; to++) output[to] = output[to - offset] ?? 0
    }
  }
  if (to !== length) throw new Error('a Snappy block is cut off')
  return output
}

/** ORC's blocks have 256 KiB, and 8 MiB at most. */
const LONGEST = 2 ** 26
