import { Malformed } from './json-bytes.ts'

// Frame format: RFC 8878, section 3.
const FRAME = 0xfd2fb528
const isSkippable = (magic: number): boolean => magic >>> 4 === 0x184d2a5
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const
const RLE = 1

/** Whether bytes begin as Zstandard does. */
export function isZstd(bytes: Buffer): boolean {
  if (bytes.length < 4) return false
  const magic = bytes.readUInt32LE(0)
  return magic === FRAME || isSkippable(magic)
}

/**
 * DuckDB takes a file that was cut off for a whole one: this walks the frames, without decompressing them.
 * @throws Malformed when the last one is not complete
 */
export function checkFrames(bytes: Buffer): void {
  try {
    let at = 0
    while (at < bytes.length) at = afterFrame(bytes, at)
    if (at !== bytes.length) throw new RangeError()
  } catch (error) {
    if (error instanceof RangeError) throw new Malformed('unexpected end of file')
    throw error
  }
}

function afterFrame(bytes: Buffer, start: number): number {
  const magic = bytes.readUInt32LE(start)
  if (isSkippable(magic)) return start + 8 + bytes.readUInt32LE(start + 4)
  if (magic !== FRAME) throw new Malformed('something else follows the Zstandard frames')
  const descriptor = bytes.readUInt8(start + 4)
  const isSingleSegment = (descriptor & 0x20) !== 0
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >>> 6] ?? 0
  let at = start + 5 + (isSingleSegment ? 0 : 1) + (DICTIONARY_ID_BYTES[descriptor & 3] ?? 0) + sizeBytes
  for (;;) {
    const header = bytes.readUIntLE(at, 3)
    at += 3 + (((header >>> 1) & 3) === RLE ? 1 : header >>> 3)
    if ((header & 1) === 1) break
  }
  const hasChecksum = (descriptor & 4) !== 0
  return at + (hasChecksum ? 4 : 0)
}
