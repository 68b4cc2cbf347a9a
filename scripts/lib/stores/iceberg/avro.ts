import { inflateRawSync } from 'node:zlib'

/** A schema of Avro, as JSON: a name, a union, or a complex type. */
type Schema = string | readonly Schema[] | Complex

interface Complex {
  readonly type: Schema
  readonly name?: string
  readonly fields?: readonly { readonly name: string; readonly type: Schema }[]
  readonly items?: Schema
  readonly values?: Schema
  readonly symbols?: readonly string[]
  readonly size?: number
}

/** A value as it is read: whole numbers beyond what a double holds exactly are bigint, bytes are buffers. */
export type AvroValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Buffer
  | readonly AvroValue[]
  | { readonly [member: string]: AvroValue }

const MAGIC = 'Obj\x01'
const SYNC = 16

/** Reads an object container file of Avro ("Apache Avro Specification", 1.11). @throws Error for what is none, or is cut */
export function* avroRecords(bytes: Buffer): Generator<AvroValue> {
  if (bytes.toString('latin1', 0, 4) !== MAGIC) throw new Error('not a file of Avro')
  const header = new Reader(bytes, 4)
  const metadata = new Map<string, Buffer>()
  for (const [name, value] of header.blocks(() => [header.string(), header.bytes()] as const)) metadata.set(name, value)
  const sync = header.take(SYNC)
  const codec = String(metadata.get('avro.codec') ?? 'null')
  const schema: Schema = JSON.parse(String(metadata.get('avro.schema')))
  const names = new Map<string, Complex>()
  while (!header.isAtEnd) {
    const count = Number(header.long())
    const block = new Reader(unpacked(header.bytes(), codec), 0)
    for (let i = 0; i < count; i++) yield block.value(schema, names)
    if (!header.take(SYNC).equals(sync)) throw new Error('a block of Avro does not end as it should')
  }
}

function unpacked(block: Buffer, codec: string): Buffer {
  if (codec === 'null') return block
  if (codec === 'deflate') return inflateRawSync(block)
  throw new Error(`Avro is compressed with ${codec}, which is not read: only deflate is`)
}

class Reader {
  readonly #bytes: Buffer
  #at: number

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes
    this.#at = at
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  take(length: number): Buffer {
    const end = this.#at + length
    if (length < 0 || end > this.#bytes.length) throw new Error('Avro ends too early')
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }

  /** Zigzag, seven bits a byte, the lowest first. */
  long(): number | bigint {
    let [value, shift] = [0n, 0n]
    for (;;) {
      const [byte = 0] = this.take(1)
      value |= BigInt(byte & 0x7f) << shift
      shift += 7n
      if (byte < 0x80) break
      if (shift > 63n) throw new Error('a number of Avro is too long')
    }
    const signed = (value >> 1n) ^ -(value & 1n)
    const small = Number(signed)
    return Number.isSafeInteger(small) ? small : signed
  }

  bytes(): Buffer {
    return this.take(Number(this.long()))
  }

  string(): string {
    return this.bytes().toString()
  }

  /** Items of an array or a map, which come in blocks; a negative count is followed by the bytes of the block. */
  blocks<T>(item: () => T): T[] {
    const items: T[] = []
    for (;;) {
      const count = Number(this.long())
      if (count === 0) return items
      if (count < 0) this.long()
      for (let i = 0; i < Math.abs(count); i++) items.push(item())
    }
  }

  value(schema: Schema, names: Map<string, Complex>): AvroValue {
    if (typeof schema === 'string') return this.#named(schema, names)
    if ('type' in schema) return this.#complex(schema, names)
    const branch = schema[Number(this.long())]
    if (branch === undefined) throw new Error('a union of Avro has no such branch')
    return this.value(branch, names)
  }

  #named(name: string, names: Map<string, Complex>): AvroValue {
    if (name === 'null') return null
    if (name === 'boolean') return this.take(1)[0] === 1
    if (name === 'int' || name === 'long') return this.long()
    if (name === 'float') return this.take(4).readFloatLE()
    if (name === 'double') return this.take(8).readDoubleLE()
    if (name === 'bytes') return this.bytes()
    if (name === 'string') return this.string()
    const known = names.get(name)
    if (known === undefined) throw new Error(`Avro has no type ${name}`)
    return this.#complex(known, names)
  }

  #complex(schema: Complex, names: Map<string, Complex>): AvroValue {
    const { type, name, fields = [], items = 'null', values = 'null', symbols = [], size = 0 } = schema
    if (name !== undefined) names.set(name, schema)
    if (type === 'record') return Object.fromEntries(fields.map((field) => [field.name, this.value(field.type, names)]))
    if (type === 'array') return this.blocks(() => this.value(items, names))
    if (type === 'map')
      return Object.fromEntries(this.blocks(() => [this.string(), this.value(values, names)] as const))
    if (type === 'enum') return symbols[Number(this.long())] ?? null
    if (type === 'fixed') return this.take(size)
    return this.value(type, names)
  }
}
