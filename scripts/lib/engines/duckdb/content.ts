import { createReadStream, readFileSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { createGunzip, gunzipSync } from 'node:zlib'
import { messageOf } from '../../cli/errors.ts'
import { Malformed } from './json-bytes.ts'
import { checkFrames, isZstd } from './zstd.ts'

/** Files up to this size are read at once, which costs far less than a stream; AWS's are smaller. */
const SMALL = 4 << 20
const SMALL_UNPACKED = 32 << 20
const CHUNK = 1 << 20

/** The uncompressed bytes of a file, in chunks. */
export type Content = Iterable<Buffer> | AsyncIterable<Buffer>

/** Unpacks a Zstandard file, which Node 20 cannot. */
export type Unzstd = (path: string) => AsyncIterable<Buffer>

/**
 * Opens a log file, compressed with gzip, Zstandard or not at all, whatever its name says. A checksum or length that does not fit is
 * an error, so that nobody takes a part for the whole.
 * @throws Malformed, at once or while it is read
 */
export async function contentOf(path: string, size: number, unzstd: Unzstd): Promise<Content> {
  if (size === 0) return []
  // The thread has nothing else to do; not waiting for another one saves more than half of the time.
  const bytes = size <= SMALL ? readFileSync(path) : await head(path)
  if (isZstd(bytes)) return zstdContent(path, unzstd)
  if (!isGzip(bytes)) return size <= SMALL ? [bytes] : createReadStream(path, { highWaterMark: CHUNK })
  const unpacked = size <= SMALL ? gunzipped(bytes) : undefined
  return unpacked === undefined ? gunzipStream(path, size) : [unpacked]
}

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

/** Undefined when the content is too large to be held at once. */
function gunzipped(bytes: Buffer): Buffer | undefined {
  // The last four bytes of a gzip file are its size, if it is honest and under 4 GB: with it, one call of zlib is enough.
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

/** What zlib complains about is the file's fault; anything else, such as a disk's failure, is not. */
const damaged = (error: unknown): unknown =>
  codeOf(error)?.startsWith('Z_') ? new Malformed(`gzip: ${messageOf(error)}`) : error

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

async function* zstdContent(path: string, unzstd: Unzstd): AsyncGenerator<Buffer> {
  checkFrames(await readFile(path))
  yield* unzstd(path)
}
