import { createReadStream } from 'node:fs'
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { createGunzip, gunzip } from 'node:zlib'
import { messageOf } from '../cli/errors.ts'
import { RecordReader } from './records.ts'

/** A log file. */
export interface LogFile {
  readonly key: string
  readonly path: string
  /** Bytes. */
  readonly size: number
}

/** A file that cannot be read to its end. */
export interface BadFile {
  readonly key: string
  readonly reason: string
}

export interface Spooled {
  readonly records: number
  readonly bad: readonly BadFile[]
}

/** Reads a zstd file, which Node 20 cannot. */
export type ZstdReader = (path: string) => AsyncIterable<Buffer>

/** Files up to this size are read whole, ahead of their turn: unpacking then runs beside the parsing. */
const WHOLE = 8 << 20
const AHEAD = 4

/**
 * Writes the records of log files to one file, a line of JSON each with the members that are asked for. What a bad file had before
 * its fault is taken back. With `failFast` the first bad file ends it.
 */
export async function spool(
  files: readonly LogFile[],
  members: readonly string[],
  target: string,
  settings: { readonly signal: AbortSignal; readonly failFast: boolean; readonly zstd: ZstdReader; onFile(): void },
): Promise<Spooled> {
  const output = await open(target, 'w')
  const reader = new RecordReader(members)
  const ahead: Promise<Buffer | Error | undefined>[] = []
  const bad: BadFile[] = []
  let [length, records] = [0, 0]
  const write = async (lines: Buffer, state: { at: number }) => {
    await writeAll(output, lines, state.at)
    state.at += lines.length
  }
  try {
    for (const [i, file] of files.entries()) {
      settings.signal.throwIfAborted()
      while (ahead.length < AHEAD && i + ahead.length < files.length) {
        const next = files[i + ahead.length]
        if (next) ahead.push(whole(next))
      }
      const content = await ahead.shift()
      const state = { at: length }
      const before = reader.records
      try {
        if (content instanceof Error) throw content
        for await (const chunk of content === undefined ? chunksOf(file, settings.zstd) : [content])
          await write(reader.push(chunk), state)
        if (!reader.end()) throw new Error('it ends in the middle of a record')
        length = state.at
        records += reader.records - before
      } catch (error) {
        reader.end()
        bad.push({ key: file.key, reason: messageOf(error) })
        if (settings.failFast) break
      }
      settings.onFile()
    }
    await output.truncate(length)
  } finally {
    await output.close()
    await Promise.allSettled(ahead)
  }
  return { records, bad }
}

async function writeAll(output: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await output.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

type Packing = 'gzip' | 'zstd' | 'plain'

/** By the first bytes: names lie, and Firehose gives none. */
function packingOf(head: Buffer): Packing {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip'
  if (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528) return 'zstd'
  return 'plain'
}

const unzip = promisify(gunzip)

/** A small file's content, unpacked; undefined for one that is to be streamed. Never rejects: its turn may never come. */
async function whole({ path, size }: LogFile): Promise<Buffer | Error | undefined> {
  if (size > WHOLE) return undefined
  try {
    const bytes = await readFile(path)
    const packing = packingOf(bytes)
    if (packing === 'plain') return bytes
    if (packing === 'zstd') return undefined
    const unpacked = bytes.readUInt32LE(Math.max(0, bytes.length - 4))
    if (unpacked > 32 * WHOLE) return undefined
    return await unzip(bytes, { chunkSize: Math.min(Math.max(unpacked + 1, 1024), 4 << 20) })
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

async function* chunksOf({ path }: LogFile, zstd: ZstdReader): AsyncGenerator<Buffer> {
  const handle = await open(path)
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0).finally(() => handle.close())
  const packing = packingOf(buffer.subarray(0, bytesRead))
  if (packing === 'zstd') yield* zstd(path)
  else if (packing === 'plain') yield* createReadStream(path, { highWaterMark: 1 << 20 })
  else {
    const unpacked = createGunzip({ chunkSize: 1 << 20 })
    const feeding = pipeline(createReadStream(path), unpacked)
    // Its failure also ends the reading below, where it is thrown.
    feeding.catch(() => {})
    yield* unpacked as AsyncIterable<Buffer>
    await feeding
  }
}
