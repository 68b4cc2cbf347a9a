import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { promisify } from 'node:util'
import { createGunzip, gzip } from 'node:zlib'

/** A gzipped tar of a few files: the form in which SageMaker keeps models. */

/** RFC 1952: the byte that names the operating system, and the value for an unknown one. */
const [GZIP_SYSTEM, UNKNOWN_SYSTEM] = [9, 255] as const

/** The bytes of an archive; the same for the same files. */
export async function packed(files: readonly (readonly [name: string, body: Uint8Array])[]): Promise<Uint8Array> {
  const { packTar } = await import('modern-tar')
  const tar = await packTar(
    files.map(([name, body]) => ({
      header: { name, size: body.length, type: 'file', mode: 0o644, mtime: new Date(0), uid: 0, gid: 0 },
      body,
    })),
  )
  // Weights hardly compress: more effort is wasted on them.
  const bytes = await promisify(gzip)(tar, { level: 1 })
  bytes[GZIP_SYSTEM] = UNKNOWN_SYSTEM
  return bytes
}

/** A file of an archive, as its header describes it. */
export interface Packed {
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** Unpacks it; must be called before the next file is requested. @throws Error when it is cut off */
  content(): Promise<Buffer>
}

/** Buffers of Node.js 20 hold 4 GiB, and files of 2 GiB are read in one piece: none of ours is larger. */
const MOST_BYTES = 2 ** 31
const CHUNK_BYTES = 1 << 20

/**
 * The files of an archive, one after the other. A tiny archive may expand to any size: no more is unpacked than the caller asks for.
 * @throws Error when it is damaged, or expands beyond the largest archive of a model
 */
export async function* unpacked(archive: Uint8Array): AsyncGenerator<Packed> {
  const { createTarDecoder } = await import('modern-tar')
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES })
  gunzip.end(archive)
  const tar = Readable.toWeb(Readable.from(bounded(gunzip))) as ReadableStream<Uint8Array>
  for await (const { header, body } of tar.pipeThrough(createTarDecoder())) {
    const { name, size } = header
    yield { name, size, content: () => contentOf(body, name, size) }
  }
}

async function* bounded(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > MOST_BYTES) throw new Error(`it unpacks to more than ${MOST_BYTES} bytes`)
    yield chunk
  }
}

async function contentOf(body: AsyncIterable<Uint8Array>, name: string, size: number): Promise<Buffer> {
  const content = Buffer.alloc(size)
  let at = 0
  for await (const chunk of body) {
    content.set(chunk, at)
    at += chunk.length
  }
  if (at !== size) throw new Error(`${name} is cut off`)
  return content
}
