import { isUtf8 } from 'node:buffer'
import { open } from 'node:fs/promises'
import { UserError } from '../cli/errors.ts'
import { isEncoded } from './entity-codec.ts'

/** Accesses in columns: row i is `entities[entityIndex[i]]` from `ip[i]`. Entities are encoded, in order of appearance. */
export interface Pairs {
  readonly entities: readonly string[]
  readonly entityIndex: Uint32Array
  /** Addresses as unsigned 32-bit numbers. */
  readonly ip: Uint32Array
}

const CHUNK = 1 << 20
/** Longest row. A longer one is not a pair, and must not be buffered. */
const LONGEST = 64 << 10
const [NEWLINE, COMMA, DOT, ZERO] = [10, 44, 46, 48] as const

/** A file, an object, or anything else that can be read, with the name that errors use. */
export interface PairSource {
  readonly name: string
  /** Path of a file on this machine: reading it is faster than a stream. */
  readonly path?: string
  readonly open: () => Promise<AsyncIterable<Uint8Array>>
}

/**
 * Reads headerless `entity,ip` rows of several sources, one after the other; a string is a file's path.
 * @throws UserError naming file and line of the first row that is not well formed
 */
export async function readPairs(
  sources: Iterable<string | PairSource> | AsyncIterable<PairSource>,
  signal?: AbortSignal,
): Promise<Pairs> {
  const rows = new Rows()
  for await (const source of sources) {
    const path = typeof source === 'string' ? source : source.path
    if (path !== undefined) await readFile(path, rows, signal)
    else if (typeof source === 'object') await readStream(source, rows, signal)
  }
  return rows.pairs()
}

async function readStream({ name, open }: PairSource, rows: Rows, signal?: AbortSignal): Promise<void> {
  rows.begin(name)
  let kept: Buffer = Buffer.alloc(0)
  for await (const chunk of await open()) {
    signal?.throwIfAborted()
    const all = kept.length === 0 ? Buffer.from(chunk) : Buffer.concat([kept, chunk])
    kept = all.subarray(rows.take(all, all.length))
    if (kept.length > LONGEST) rows.reject(kept, 0, 40, 'the row is too long')
  }
  if (kept.length > 0) rows.take(Buffer.concat([kept, Buffer.of(NEWLINE)]), kept.length + 1)
}

async function readFile(file: string, rows: Rows, signal?: AbortSignal): Promise<void> {
  const handle = await open(file)
  try {
    rows.begin(file)
    const buffer = Buffer.allocUnsafe(CHUNK + LONGEST)
    let kept = 0
    for (;;) {
      signal?.throwIfAborted()
      const { bytesRead } = await handle.read(buffer, kept, CHUNK)
      if (bytesRead === 0) break
      const end = kept + bytesRead
      const used = rows.take(buffer, end)
      kept = end - used
      if (kept > LONGEST) rows.reject(buffer, used, used + 40, 'the row is too long')
      buffer.copyWithin(0, used, end)
    }
    // The last row may lack its newline.
    if (kept > 0) {
      buffer[kept] = NEWLINE
      rows.take(buffer, kept + 1)
    }
  } finally {
    await handle.close()
  }
}

/** Gathers rows in growing columns. */
class Rows {
  private entities: string[] = []
  /** By the bytes of the name, each as one character: cheaper than decoding every row. */
  private readonly indexOf = new Map<string, number>()
  private entityIndex = new Uint32Array(1 << 16)
  private ip = new Uint32Array(1 << 16)
  private count = 0
  private file = ''
  private line = 0

  begin(file: string): void {
    this.file = file
    this.line = 0
  }

  pairs(): Pairs {
    return {
      entities: this.entities,
      entityIndex: this.entityIndex.slice(0, this.count),
      ip: this.ip.slice(0, this.count),
    }
  }

  /** Reads the whole rows in the first `end` bytes; returns how many bytes they take. */
  take(buffer: Buffer, end: number): number {
    let start = 0
    for (;;) {
      const newline = buffer.indexOf(NEWLINE, start)
      if (newline === -1 || newline >= end) return start
      this.line += 1
      this.row(buffer, start, newline)
      start = newline + 1
    }
  }

  reject(buffer: Buffer, start: number, end: number, why: string): never {
    const row = JSON.stringify(buffer.toString('utf8', start, Math.min(end, start + 120)))
    throw new UserError(`${this.file}:${Math.max(1, this.line)}: ${row}: ${why}`, {
      hint: 'a row is entity,address without header, quotes or spaces; special characters of the entity are percent-encoded (john.doe is john%2Edoe)',
    })
  }

  private row(buffer: Buffer, start: number, end: number): void {
    const comma = lastComma(buffer, start, end)
    if (comma === -1) this.reject(buffer, start, end, 'not two fields')
    const ip = addressIn(buffer, comma + 1, end)
    if (ip === -1) this.reject(buffer, start, end, 'the second field is not a dotted IPv4 address')
    const name = buffer.toString('latin1', start, comma)
    const index = this.indexOf.get(name) ?? this.add(name, buffer, start, end)
    if (this.count === this.ip.length) this.grow()
    this.entityIndex[this.count] = index
    this.ip[this.count] = ip
    this.count += 1
  }

  private add(name: string, buffer: Buffer, start: number, end: number): number {
    const bytes = Buffer.from(name, 'latin1')
    if (!isUtf8(bytes)) this.reject(buffer, start, end, 'not UTF-8')
    const entity = bytes.toString('utf8')
    if (!isEncoded(entity)) this.reject(buffer, start, end, 'the entity is empty or not encoded')
    this.indexOf.set(name, this.entities.length)
    return this.entities.push(entity) - 1
  }

  private grow(): void {
    this.entityIndex = doubled(this.entityIndex)
    this.ip = doubled(this.ip)
  }
}

function doubled(column: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(column.length * 2)
  larger.set(column)
  return larger
}

function lastComma(buffer: Buffer, start: number, end: number): number {
  for (let at = end - 1; at >= start; at--) if (buffer[at] === COMMA) return at
  return -1
}

/** The dotted address that fills these bytes, or −1. */
function addressIn(buffer: Buffer, start: number, end: number): number {
  let ip = 0
  let octet = -1
  let dots = 0
  for (let at = start; at < end; at++) {
    const byte = buffer[at]!
    if (byte === DOT) {
      if (octet === -1) return -1
      ip = ip * 256 + octet
      octet = -1
      dots += 1
    } else {
      const digit = byte - ZERO
      // An octet that begins with 0 goes on with a dot.
      if (digit < 0 || digit > 9 || octet === 0) return -1
      octet = octet === -1 ? digit : octet * 10 + digit
      if (octet > 255) return -1
    }
  }
  return dots === 3 && octet !== -1 ? ip * 256 + octet : -1
}
