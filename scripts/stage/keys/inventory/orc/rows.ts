import { type FileHandle, open } from 'node:fs/promises'
import { Bytes } from './bytes.ts'
import { type ColumnData, type Value, valuesOf } from './columns.ts'
import { messageOf } from './protobuf.ts'
import { type Column, readAt, readTail, type Stripe, type Tail } from './tail.ts'

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
        return column && own ? valuesOf(column, own, tail.inflate) : () => null
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
  const footer = messageOf(new Bytes(raw, inflate).rest())
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
    // Indexes lie before the data; they are of kinds that no column reads.
    if (at >= offset + indexLength) wanted.get(column)?.streams.set(kind, await readAt(file, at, length))
    at += length
  }
  return wanted
}
