import { inflateRawSync } from 'node:zlib'
import { unsnappy } from './snappy.ts'

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
