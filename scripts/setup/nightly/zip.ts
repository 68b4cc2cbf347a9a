import { crc32 } from 'node:zlib'

/** A file of an archive: its path with slashes, and its bytes. */
export type ZipEntry = readonly [name: string, body: Uint8Array]

/** 1980-01-01, the first day that the format knows, and midnight. */
const [DAY, TIME] = [0x21, 0] as const
/** Of version 2.0, names in UTF-8, without compression. */
const [VERSION, UTF8, STORED] = [20, 0x800, 0] as const
/** Made on Unix; a regular file that everybody may read. */
const [UNIX, MODE] = [3 << 8, 0o100644 * 2 ** 16] as const

/**
 * The bytes of a zip archive; the same for the same files in the same sequence. Nothing is compressed: what a library makes of bytes
 * differs between its versions. APPNOTE.TXT, .ZIP File Format Specification, 4.3.
 */
export function zipped(entries: readonly ZipEntry[]): Buffer {
  const [files, directory]: [Buffer[], Buffer[]] = [[], []]
  let offset = 0
  for (const [name, body] of entries) {
    const path = Buffer.from(name)
    const about = Buffer.concat([
      shorts(VERSION, UTF8, STORED, TIME, DAY),
      longs(crc32(body), body.length, body.length),
      shorts(path.length, 0),
    ])
    files.push(longs(0x04034b50), about, path, Buffer.from(body))
    directory.push(longs(0x02014b50), shorts(UNIX | VERSION), about, shorts(0, 0, 0), longs(MODE, offset), path)
    offset += 4 + about.length + path.length + body.length
  }
  const index = Buffer.concat(directory)
  const end = [longs(0x06054b50), shorts(0, 0, entries.length, entries.length), longs(index.length, offset), shorts(0)]
  return Buffer.concat([...files, index, ...end])
}

const shorts = (...numbers: number[]): Buffer => packed(numbers, 2)
const longs = (...numbers: number[]): Buffer => packed(numbers, 4)

function packed(numbers: readonly number[], size: 2 | 4): Buffer {
  const bytes = Buffer.alloc(numbers.length * size)
  for (const [at, number] of numbers.entries()) bytes.writeUIntLE(number >>> 0, at * size, size)
  return bytes
}
