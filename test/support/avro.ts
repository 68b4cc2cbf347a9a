import { randomBytes } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'

type Schema = string | readonly Schema[] | { readonly type: Schema; readonly [more: string]: unknown }

function long(value: number | bigint): Buffer {
  let left = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))
  const bytes: number[] = []
  for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(left)])
}

const sized = (bytes: Buffer): Buffer => Buffer.concat([long(bytes.length), bytes])
const listed = (items: readonly Buffer[]): Buffer =>
  Buffer.concat(items.length === 0 ? [long(0)] : [long(items.length), ...items, long(0)])

/** A value of what a table of Iceberg needs: no maps, enumerations or floating numbers. */
function encoded(schema: Schema, value: unknown): Buffer {
  if (Array.isArray(schema)) {
    const at = schema.findIndex((branch) => (branch === 'null') === (value === null || value === undefined))
    return Buffer.concat([long(at), encoded(schema[at], value)])
  }
  if (typeof schema === 'object' && 'fields' in schema) {
    const fields = schema.fields as readonly { name: string; type: Schema }[]
    const record = value as Readonly<Record<string, unknown>>
    return Buffer.concat(fields.map(({ name, type }) => encoded(type, record[name])))
  }
  if (typeof schema === 'object' && 'items' in schema)
    return listed((value as readonly unknown[]).map((item) => encoded(schema.items as Schema, item)))
  const type = typeof schema === 'string' ? schema : (schema as { type: Schema }).type
  if (type === 'null') return Buffer.alloc(0)
  if (type === 'int' || type === 'long') return long(value as number)
  if (type === 'string') return sized(Buffer.from(String(value)))
  if (type === 'bytes') return sized(value as Buffer)
  throw new Error(`not written here: ${JSON.stringify(schema)}`)
}

/** An object container file of Avro with one block. */
export function avroFile(schema: Schema, records: readonly unknown[], codec: 'null' | 'deflate' = 'deflate'): Buffer {
  const sync = randomBytes(16)
  const body = Buffer.concat(records.map((record) => encoded(schema, record)))
  const metadata = { 'avro.schema': JSON.stringify(schema), 'avro.codec': codec }
  const entries = Object.entries(metadata).map(([name, value]) =>
    Buffer.concat([sized(Buffer.from(name)), sized(Buffer.from(value))]),
  )
  const packed = codec === 'deflate' ? deflateRawSync(body) : body
  return Buffer.concat([Buffer.from('Obj\x01'), listed(entries), sync, long(records.length), sized(packed), sync])
}
