import { crc32 } from 'node:zlib'
import { md5 } from '../http.ts'
import { lazyContent } from './content.ts'
import { type Children, scanTree, type Tree } from './keys.ts'
import { type Backend, type Entry, plain, type StoredObject } from './stored.ts'

/** A bucket whose keys come from a formula and whose bytes are made when they are read. */
export class VirtualBackend implements Backend {
  readonly #tree: Tree
  readonly #bytes: (entry: Entry) => Buffer

  /** @param bytes content of an object; must have the size that its entry says */
  constructor(tree: Tree, bytes: (entry: Entry) => Buffer) {
    const kept = new Map<string, Children>()
    this.#tree = (path) => {
      const known = kept.get(path)
      if (known) return known
      const made = tree(path)
      if (kept.size >= 256) kept.clear()
      kept.set(path, made)
      return made
    }
    this.#bytes = bytes
  }

  scan(prefix: string, from: string): Iterable<Entry> {
    return scanTree(this.#tree, prefix, from)
  }

  get(key: string): StoredObject | undefined {
    for (const entry of scanTree(this.#tree, key, key)) {
      if (entry.key !== key) return undefined
      return { ...plain, ...entry, content: lazyContent(entry.size, () => this.#bytes(entry)) }
    }
    return undefined
  }
}

/** A number from a text, for sizes and names that are always the same. */
export const hashOf = (text: string): number => Number.parseInt(md5(text).slice(0, 8), 16)

/** Children from names: of folders when they end with a slash. */
export function childrenOf(path: string, names: readonly string[], entry?: (key: string) => Entry): Children {
  return {
    length: names.length,
    at: (index) => {
      const name = names[index]
      if (name === undefined) return undefined
      return entry && !name.endsWith('/') ? { name, entry: () => entry(path + name) } : { name }
    },
  }
}

const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])
const BLOCK = 65_535

/**
 * A gzip file of exactly `size` bytes: the text, then as many line feeds as it takes, in stored blocks, whose overhead is
 * known beforehand. @throws Error when the text does not fit
 */
export function gzipOfSize(text: string, size: number): Buffer {
  const room = size - HEADER.length - 8
  const blocks = Math.ceil(room / (BLOCK + 5))
  const length = room - 5 * blocks
  const data = Buffer.alloc(length, '\n')
  if (Buffer.byteLength(text) > length) throw new Error(`${Buffer.byteLength(text)} bytes do not fit into ${length}`)
  data.write(text)
  const parts: Buffer[] = [HEADER]
  for (let i = 0; i < blocks; i++) {
    const piece = data.subarray(i * BLOCK, (i + 1) * BLOCK)
    const head = Buffer.alloc(5)
    head.writeUInt8(i === blocks - 1 ? 1 : 0)
    head.writeUInt16LE(piece.length, 1)
    head.writeUInt16LE(~piece.length & 0xffff, 3)
    parts.push(head, piece)
  }
  const tail = Buffer.alloc(8)
  tail.writeUInt32LE(crc32(data))
  tail.writeUInt32LE(length, 4)
  return Buffer.concat([...parts, tail])
}
