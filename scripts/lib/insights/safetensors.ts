import { endianness } from 'node:os'

/** The safetensors format (huggingface/safetensors): length of the header, a JSON header, raw little-endian numbers. Only F32 here. */

export interface Tensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** Tensors by name, in the order in which they are written. */
export type Tensors = ReadonlyMap<string, Tensor>

const LENGTH_BYTES = 8
/** Numbers begin at a multiple of this, so that they can be read in place. */
const ALIGNMENT = 8

export function writeSafetensors(tensors: Tensors): Uint8Array {
  let offset = 0
  const entries = [...tensors].map(([name, { shape, data }]) => {
    const data_offsets = [offset, offset + data.byteLength]
    offset += data.byteLength
    return [name, { dtype: 'F32', shape, data_offsets }]
  })
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)))
  const headerLength = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT
  const file = Buffer.alloc(LENGTH_BYTES + headerLength + offset, ' ')
  file.writeBigUInt64LE(BigInt(headerLength))
  json.copy(file, LENGTH_BYTES)
  let at = LENGTH_BYTES + headerLength
  for (const { data } of tensors.values()) at += littleEndian(bytesOf(data)).copy(file, at)
  return file
}

/** @throws Error that says what is wrong with the file */
export function readSafetensors(bytes: Uint8Array): Tensors {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const headerLength = file.length < LENGTH_BYTES ? Number.POSITIVE_INFINITY : Number(file.readBigUInt64LE())
  const start = LENGTH_BYTES + headerLength
  if (start > file.length) throw new Error('the file is shorter than its header says')
  const header = JSON.parse(file.toString('utf8', LENGTH_BYTES, start)) as Record<string, unknown>
  const numbers = file.subarray(start)
  let left = numbers.length
  const tensors = new Map<string, Tensor>()
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue
    const tensor = tensorOf(name, entry, numbers)
    tensors.set(name, tensor)
    left -= tensor.data.byteLength
    // Otherwise a small file could fill the memory.
    if (left < 0) throw new Error('tensors share their numbers')
  }
  return tensors
}

function tensorOf(name: string, entry: unknown, numbers: Buffer): Tensor {
  const { dtype, shape, data_offsets } = entry as { dtype?: unknown; shape?: number[]; data_offsets?: number[] }
  const [from = -1, to = -1] = data_offsets ?? []
  const count = (shape ?? [-1]).reduce((product, size) => product * size, 1)
  if (dtype !== 'F32' || shape === undefined || from < 0 || to > numbers.length || to - from !== count * 4)
    throw new Error(`tensor ${name} is not what its header says, or not F32`)
  const data = new Float32Array(count)
  littleEndian(numbers.subarray(from, to)).copy(bytesOf(data))
  return { shape, data }
}

const bytesOf = (data: Float32Array): Buffer => Buffer.from(data.buffer, data.byteOffset, data.byteLength)

/** Converts between this machine's byte order and the file's. */
const littleEndian = (bytes: Buffer): Buffer => (endianness() === 'LE' ? bytes : Buffer.from(bytes).swap32())
