import type { FileHandle } from 'node:fs/promises'
import { Bytes, type Inflate, inflateOf } from './bytes.ts'
import { messageOf } from './protobuf.ts'

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

/** A group of rows, and where it lies in the file. */
export interface Stripe {
  readonly offset: number
  readonly indexLength: number
  readonly dataLength: number
  readonly footerLength: number
  readonly rows: number
}

/** What the end of a file says about it. */
export interface Tail {
  readonly inflate: Inflate
  readonly columns: readonly Column[]
  readonly stripes: readonly Stripe[]
}

/** Reads the end of a file. "File Tail", ORC specification. @throws Error for what is no ORC file or is not known here */
export async function readTail(file: FileHandle): Promise<Tail> {
  const { size } = await file.stat()
  const end = await readAt(file, Math.max(0, size - 256), Math.min(size, 256))
  const postscriptLength = end.at(-1) ?? 0
  const postscript = end.subarray(Math.max(0, end.length - 1 - postscriptLength), -1)
  if (!postscript.subarray(-3).equals(Buffer.from('ORC'))) throw new Error('it is no ORC file')
  const about = messageOf(postscript)
  const inflate = inflateOf(about.number(2), about.number(3) || LONGEST_BLOCK)
  const length = about.number(1)
  const footer = messageOf(new Bytes(await readAt(file, size - 1 - postscriptLength - length, length), inflate).rest())
  const stripes = footer.messages(3).map((stripe) => ({
    offset: stripe.number(1),
    indexLength: stripe.number(2),
    dataLength: stripe.number(3),
    footerLength: stripe.number(4),
    rows: stripe.number(5),
  }))
  return { inflate, columns: columnsOf(footer.messages(4)), stripes }
}

/** When the file does not say it. */
const LONGEST_BLOCK = 2 ** 18

function columnsOf(types: ReturnType<ReturnType<typeof messageOf>['messages']>): Column[] {
  const [root] = types
  if (root === undefined || KINDS[root.number(1)] !== 'struct') throw new Error('its rows are no struct')
  const names = root.texts(3)
  return root.numbers(2).map((id, i) => {
    const kind = KINDS[types[id]?.number(1) ?? -1]
    if (kind === undefined) throw new Error(`its column ${names[i]} is of a type that is not known`)
    return { name: names[i] ?? '', id, kind }
  })
}

/** So many bytes of a file. @throws Error when it does not have them */
export async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
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
