/** A protocol buffers message; its fields are read by their numbers. */
export interface Message {
  /** The last value; 0 where there is none. */
  number(field: number): number
  /** All values, packed or one by one. */
  numbers(field: number): number[]
  messages(field: number): Message[]
  texts(field: number): string[]
}

/** Reads a message: "Encoding", Protocol Buffers documentation. @throws Error when the bytes are not one */
export function parseMessage(bytes: Buffer): Message {
  const values = new Map<number, (number | Buffer)[]>()
  const cursor = { bytes, at: 0 }
  while (cursor.at < bytes.length) {
    const tag = varint(cursor)
    const field = Math.floor(tag / 8)
    const known = values.get(field) ?? []
    values.set(field, known)
    known.push(fieldValue(cursor, tag % 8))
  }
  const all = (field: number) => values.get(field) ?? []
  return {
    number: (field) => all(field).flatMap(numbersIn).at(-1) ?? 0,
    numbers: (field) => all(field).flatMap(numbersIn),
    messages: (field) => all(field).flatMap((value) => (typeof value === 'number' ? [] : parseMessage(value))),
    texts: (field) => all(field).map((value) => value.toString()),
  }
}

interface Cursor {
  readonly bytes: Buffer
  at: number
}

function fieldValue(cursor: Cursor, kind: number): number | Buffer {
  switch (kind) {
    case 0:
      return varint(cursor)
    case 1:
      return take(cursor, 8)
    case 2:
      return take(cursor, varint(cursor))
    case 5:
      return take(cursor, 4)
    default:
      throw new Error('a message has a field of an unknown kind')
  }
}

function take(cursor: Cursor, length: number): Buffer {
  if (length > cursor.bytes.length - cursor.at) throw new Error('a message is cut off')
  cursor.at += length
  return cursor.bytes.subarray(cursor.at - length, cursor.at)
}

function varint(cursor: Cursor): number {
  let value = 0
  for (let scale = 1; scale <= 2 ** 63; scale *= 128) {
    const byte = cursor.bytes[cursor.at++]
    if (byte === undefined) throw new Error('a message is cut off')
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return value
  }
  throw new Error('a message has a number of more than 64 bits')
}

function numbersIn(value: number | Buffer): number[] {
  if (typeof value === 'number') return [value]
  const cursor = { bytes: value, at: 0 }
  const numbers: number[] = []
  while (cursor.at < value.length) numbers.push(varint(cursor))
  return numbers
}
