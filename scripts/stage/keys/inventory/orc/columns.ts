import { Bytes, type Inflate } from './bytes.ts'
import type { Column } from './file.ts'
import { bits, integers, octets } from './runs.ts'

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
export function valuesOf(column: Column, data: ColumnData, inflate: Inflate): () => Value {
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
