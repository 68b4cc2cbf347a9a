import { createReadStream, readFileSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { createGunzip, gunzipSync } from 'node:zlib'
import { messageOf } from '../../cli/errors.ts'
import { Malformed } from './json.ts'

/** Files up to this size are read at once, which costs far less than a stream. AWS's log files are smaller. */
const SMALL = 4 << 20
const SMALL_UNPACKED = 32 << 20
const CHUNK = 1 << 20

/** The uncompressed bytes of a file, in chunks. */
export type Content = Iterable<Buffer> | AsyncIterable<Buffer>

/** A log file on this machine. */
export interface LogFile {
  readonly key: string
  readonly path: string
  /** Bytes. */
  readonly size: number
}

/** Reads what only DuckDB can: a Zstandard file unpacked, which Node 20 cannot do; or the records of a Parquet file, as lines of JSON. */
export type Unpack = (path: string, form: 'zstd' | 'parquet') => AsyncIterable<Buffer>

/**
 * Opens a log file: plain, gzip, Zstandard or Parquet, whatever its name says. A wrong checksum or length is an error, so that part of a file is
 * never taken for all of it.
 * @throws Malformed, at once or while the content is read
 */
export async function contentOf({ path, size }: LogFile, unpack: Unpack): Promise<Content> {
  if (size === 0) return []
  // The thread has nothing else to do. Reading synchronously takes less than half of the time.
  const bytes = size <= SMALL ? readFileSync(path) : await head(path)
  if (bytes.toString('latin1', 0, 4) === PARQUET) return unpack(path, 'parquet')
  if (isZstd(bytes)) return zstdContent(path, unpack)
  if (!isGzip(bytes)) return size <= SMALL ? [bytes] : createReadStream(path, { highWaterMark: CHUNK })
  const unpacked = size <= SMALL ? gunzipped(bytes) : undefined
  return unpacked === undefined ? gunzipStream(path, size) : [unpacked]
}

const PARQUET = 'PAR1'

const isGzip = (bytes: Buffer): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b

async function head(path: string): Promise<Buffer> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/** Unpacks at once; undefined when the content is too large for that. */
function gunzipped(bytes: Buffer): Buffer | undefined {
  // The last four bytes claim the unpacked size. If they are right, one call of zlib is enough.
  const claimed = bytes.length >= 8 ? bytes.readUInt32LE(bytes.length - 4) : 0
  const options = {
    chunkSize: Math.max(1024, Math.min(claimed + 1, SMALL_UNPACKED)),
    maxOutputLength: SMALL_UNPACKED,
    info: true,
  }
  try {
    const { buffer, engine } = gunzipSync(bytes, options) as unknown as {
      buffer: Buffer
      engine: { bytesWritten: number }
    }
    if (engine.bytesWritten !== bytes.length) throw new Malformed('something else follows the gzip data')
    return buffer
  } catch (error) {
    if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE') return undefined
    throw damaged(error)
  }
}

async function* gunzipStream(path: string, size: number): AsyncGenerator<Buffer> {
  const source = createReadStream(path, { highWaterMark: CHUNK })
  const unpacking = createGunzip({ chunkSize: CHUNK })
  source.on('error', (error) => unpacking.destroy(error))
  try {
    yield* source.pipe(unpacking)
  } catch (error) {
    throw damaged(error)
  } finally {
    source.destroy()
  }
  if (unpacking.bytesWritten !== size) throw new Malformed('something else follows the gzip data')
}

/** An error of zlib means that the file is damaged. Others, such as a failing disk, are not the file's fault. */
const damaged = (error: unknown): unknown =>
  codeOf(error)?.startsWith('Z_') ? new Malformed(`gzip: ${messageOf(error)}`) : error

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

async function* zstdContent(path: string, unpack: Unpack): AsyncGenerator<Buffer> {
  checkFrames(await readFile(path))
  yield* unpack(path, 'zstd')
}

// Frame format: RFC 8878, section 3.
const FRAME = 0xfd2fb528
const isSkippable = (magic: number): boolean => magic >>> 4 === 0x184d2a5
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const
const RLE = 1

function isZstd(bytes: Buffer): boolean {
  if (bytes.length < 4) return false
  const magic = bytes.readUInt32LE(0)
  return magic === FRAME || isSkippable(magic)
}

/**
 * Walks the frames without unpacking them, because DuckDB takes a file that was cut off for a whole one.
 * @throws Malformed when the last frame is not complete
 */
function checkFrames(bytes: Buffer): void {
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
