import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { md5 } from '../http.ts'

/** The bytes of an object. Copies share them; nothing changes in place. */
export interface Content {
  readonly size: number
  /** Bytes from `from` up to, not including, `to`. */
  read(from: number, to: number): Readable
  md5(): Promise<string>
}

export const bufferContent = (bytes: Buffer): Content => ({
  size: bytes.length,
  read: (from, to) => Readable.from(from < to ? [bytes.subarray(from, to)] : []),
  md5: async () => md5(bytes),
})

const nothing = (): Readable => Readable.from([])

async function digest(content: Omit<Content, 'md5'>): Promise<string> {
  const hash = createHash('md5')
  for await (const chunk of content.read(0, content.size)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

export function fileContent(path: string, size: number): Content {
  const content = {
    size,
    read: (from: number, to: number) => (from < to ? createReadStream(path, { start: from, end: to - 1 }) : nothing()),
  }
  return { ...content, md5: () => digest(content) }
}

const ZEROS = Buffer.alloc(1 << 20)

/** Zeros of any size, that take no memory: for objects over 5 GB. Their digest is made up, for speed. */
export const zeroContent = (size: number): Content => ({
  size,
  read: (from, to) =>
    Readable.from(
      (function* () {
        for (let at = from; at < to; at += ZEROS.length) yield ZEROS.subarray(0, Math.min(ZEROS.length, to - at))
      })(),
    ),
  md5: async () => md5(`${size} zeros`),
})

/** Bytes that are made when they are read. */
export const lazyContent = (size: number, make: () => Buffer): Content => ({
  size,
  read: (from, to) => Readable.from(from < to ? [make().subarray(from, to)] : []),
  md5: async () => md5(make()),
})

export function sliceContent(of: Content, from: number, to: number): Content {
  if (from === 0 && to === of.size) return of
  const content = { size: to - from, read: (a: number, b: number) => of.read(from + a, from + b) }
  // A real digest of gigabytes would only cost time.
  const made = content.size > 64 * 2 ** 20
  return { ...content, md5: async () => (made ? md5(`${await of.md5()} ${from}-${to}`) : digest(content)) }
}

export function joinContents(parts: readonly Content[]): Content {
  const [only] = parts
  if (only !== undefined && parts.length === 1) return only
  const size = parts.reduce((sum, part) => sum + part.size, 0)
  async function* range(from: number, to: number) {
    let start = 0
    for (const part of parts) {
      const [a, b] = [Math.max(from - start, 0), Math.min(to - start, part.size)]
      if (a < b) yield* part.read(a, b)
      start += part.size
    }
  }
  const content = { size, read: (from: number, to: number) => Readable.from(range(from, to)) }
  return { ...content, md5: () => digest(content) }
}
