import { type FileHandle, open } from 'node:fs/promises'
import { Bytes, type Inflate, inflateOf } from './bytes.ts'
import { parseMessage } from './protobuf.ts'
import { bits, integers, octets } from './runs.ts'

/**
 * The rows of an ORC file as S3 Inventory writes it: a flat struct of booleans, whole numbers and text. Only the columns that
 * are asked for are read, stripe by stripe; one that the file does not have is null.
 * @param names of columns, which is the order of the values
 * @throws Error saying what about the file is wrong or not known here
 */
export async function* orcRows(path: string, names: readonly string[]): AsyncGenerator<Value[]> {
  const file = await open(path)
  try {
    const tail = await readTail(file)
    const columns = names.map((name) => tail.columns.find((column) => column.name === name))
    for (const stripe of tail.stripes) {
      const data = await readStripe(file, tail, stripe, columns)
      const next = columns.map((column) => {
        const own = column && data.get(column.id)
        return column && own ? columnReader(column, own, tail.inflate) : () => null
      })
      for (let row = 0; row < stripe.rows; row++) yield next.map((value) => value())
    }
  } finally {
    await file.close()
  }
}

/** What a stripe holds of the columns, by their ids. */
async function readStripe(
  file: FileHandle,
  { inflate }: Tail,
  { offset, indexLength, dataLength, footerLength }: Stripe,
  columns: readonly (Column | undefined)[],
): Promise<Map<number, ColumnData>> {
  const raw = await readAt(file, offset + indexLength + dataLength, footerLength)
  const footer = parseMessage(new Bytes(raw, inflate).rest())
  const encodings = footer.messages(2)
  const wanted = new Map<number, { encoding: number; dictionarySize: number; streams: Map<number, Buffer> }>()
  for (const column of columns) {
    const encoding = column && encodings[column.id]
    if (column && !encoding) throw new Error(`its column ${column.name} has no encoding`)
    if (column && encoding)
      wanted.set(column.id, {
        encoding: encoding.number(1),
        dictionarySize: encoding.number(2),
        streams: new Map(),
      })
  }
  let at = offset
  for (const stream of footer.messages(1)) {
    const [kind, column, length] = [stream.number(1), stream.number(2), stream.number(3)]
    // Index streams precede the data; no column reads them.
    if (at >= offset + indexLength) wanted.get(column)?.streams.set(kind, await readAt(file, at, length))
    at += length
  }
  return wanted
}

/** Kinds of types: `Type.Kind` of the ORC specification. */
const KINDS = [
  'boolean',
  'tinyint',
  'smallint',
  'int',
  'bigint',
  'float',
  'double',
  'string',
  'binary',
  'timestamp',
  'array',
  'map',
  'struct',
  'uniontype',
  'decimal',
  'date',
  'varchar',
  'char',
  'timestamp with local time zone',
] as const

export type Kind = (typeof KINDS)[number]

export interface Column {
  readonly name: string
  /** Number of its type, by which streams name it. */
  readonly id: number
  readonly kind: Kind
}

/** A group of rows, and its place in the file. */
interface Stripe {
  readonly offset: number
  readonly indexLength: number
  readonly dataLength: number
  readonly footerLength: number
  readonly rows: number
}

/** What the tail of a file says about it. */
interface Tail {
  readonly inflate: Inflate
  readonly columns: readonly Column[]
  readonly stripes: readonly Stripe[]
}

/** Reads the tail of a file: "File Tail", ORC specification. @throws Error for another file, or an unknown feature */
async function readTail(file: FileHandle): Promise<Tail> {
  const { size } = await file.stat()
  const end = await readAt(file, Math.max(0, size - 256), Math.min(size, 256))
  const postscriptLength = end.at(-1) ?? 0
  const postscript = end.subarray(Math.max(0, end.length - 1 - postscriptLength), -1)
  if (!postscript.subarray(-3).equals(Buffer.from('ORC'))) throw new Error('it is no ORC file')
  const about = parseMessage(postscript)
  const inflate = inflateOf(about.number(2), about.number(3) || LONGEST_BLOCK)
  const length = about.number(1)
  const footer = parseMessage(
    new Bytes(await readAt(file, size - 1 - postscriptLength - length, length), inflate).rest(),
  )
  const stripes = footer.messages(3).map((stripe) => ({
    offset: stripe.number(1),
    indexLength: stripe.number(2),
    dataLength: stripe.number(3),
    footerLength: stripe.number(4),
    rows: stripe.number(5),
  }))
  return { inflate, columns: columnsOf(footer.messages(4)), stripes }
}

/** Where the file does not say. */
const LONGEST_BLOCK = 2 ** 18

function columnsOf(types: ReturnType<ReturnType<typeof parseMessage>['messages']>): Column[] {
  const [root] = types
  if (root === undefined || KINDS[root.number(1)] !== 'struct') throw new Error('its rows are no struct')
  const names = root.texts(3)
  return root.numbers(2).map((id, i) => {
    const kind = KINDS[types[id]?.number(1) ?? -1]
    if (kind === undefined) throw new Error(`its column ${names[i]} is of a type that is not known`)
    return { name: names[i] ?? '', id, kind }
  })
}

/** Reads bytes of a file. @throws Error when the file ends before */
async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { size } = await file.stat()
  if (position < 0 || position + length > size) throw new Error('it is cut off')
  const buffer = Buffer.alloc(length)
  for (let got = 0; got < length; ) {
    const { bytesRead } = await file.read(buffer, got, length - got, position + got)
    if (bytesRead === 0) throw new Error('it is cut off')
    got += bytesRead
  }
  return buffer
}

export type Value = string | number | boolean | null

/** What a stripe says of a column: its encoding and its streams. */
export interface ColumnData {
  /** `ColumnEncoding.Kind`: DIRECT, DICTIONARY, DIRECT_V2, DICTIONARY_V2. */
  readonly encoding: number
  readonly dictionarySize: number
  /** Raw bytes by kind of stream. */
  readonly streams: ReadonlyMap<number, Buffer>
}

/** Kinds of streams: `Stream.Kind` of the ORC specification. */
const STREAM = { present: 0, data: 1, length: 2, dictionaryData: 3 } as const

/** The values of a column in a stripe, one at a time. "Column Encodings", ORC specification. @throws Error for a type not known here */
function columnReader(column: Column, data: ColumnData, inflate: Inflate): () => Value {
  const stream = (kind: number) => new Bytes(data.streams.get(kind) ?? Buffer.alloc(0), inflate)
  const next = presentValues(column, data, stream)
  if (!data.streams.has(STREAM.present)) return next
  const isPresent = bits(stream(STREAM.present))
  return () => (isPresent() ? next() : null)
}

type Open = (kind: number) => Bytes

function presentValues({ name, kind }: Column, data: ColumnData, stream: Open): () => Value {
  if (data.encoding > 3) throw new Error(`its column ${name} has an encoding that is not known`)
  const version = data.encoding >= 2 ? 2 : 1
  switch (kind) {
    case 'boolean':
      return bits(stream(STREAM.data))
    case 'tinyint': {
      const next = octets(stream(STREAM.data))
      return () => (next() << 24) >> 24
    }
    case 'smallint':
    case 'int':
    case 'bigint':
      return integers(stream(STREAM.data), { signed: true, version })
    case 'string':
    case 'varchar':
    case 'char':
      return data.encoding % 2 === 1 ? fromDictionary(data, stream, version) : direct(stream, version)
    default:
      throw new Error(`its column ${name} is of type ${kind}, which is not read here`)
  }
}

function direct(stream: Open, version: 1 | 2): () => string {
  const [bytes, lengths] = [stream(STREAM.data), integers(stream(STREAM.length), { signed: false, version })]
  return () => bytes.take(lengths()).toString()
}

function fromDictionary({ dictionarySize }: ColumnData, stream: Open, version: 1 | 2): () => string {
  const lengths = integers(stream(STREAM.length), { signed: false, version })
  const bytes = stream(STREAM.dictionaryData)
  const words: string[] = []
  while (words.length < dictionarySize) words.push(bytes.take(lengths()).toString())
  const indexes = integers(stream(STREAM.data), { signed: false, version })
  return () => {
    const word = words[indexes()]
    if (word === undefined) throw new Error('a word is not in its dictionary')
    return word
  }
}
