import { AwsError } from '../http.ts'
import { type BucketCall, wholeNumber } from './call.ts'
import type { StoredObject } from './stored.ts'

export interface Range {
  readonly from: number
  readonly to: number
  readonly partial: boolean
  readonly headers: Record<string, string>
}

/** The bytes that a read asks for, by part number or range; a range that cannot be read is ignored, as HTTP says. */
export function byteRange({ headers, query }: BucketCall, object: StoredObject): Range {
  const part = query.get('partNumber')
  if (part !== undefined) return partRange(wholeNumber(part, 'partNumber', 1, 1, 10_000), object)
  const { size } = object
  const match = /^bytes=(\d*)-(\d*)$/.exec(headers.range ?? '')
  const [, first = '', last = ''] = match ?? []
  if (first === '' && last === '') return { from: 0, to: size, partial: false, headers: {} }
  const from = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const to = first === '' || last === '' ? size : Math.min(size, Number(last) + 1)
  if (first !== '' && last !== '' && Number(last) < from) return { from: 0, to: size, partial: false, headers: {} }
  if (from >= size || (first === '' && Number(last) === 0))
    throw new AwsError('InvalidRange', 416, 'The requested range is not satisfiable', {
      fields: { ActualObjectSize: String(size) },
      headers: { 'content-range': `bytes */${size}` },
    })
  return { from, to, partial: true, headers: { 'content-range': `bytes ${from}-${to - 1}/${size}` } }
}

function partRange(number: number, object: StoredObject): Range {
  const { size, parts = [size] } = object
  const multipart = object.parts !== undefined
  const length = parts[number - 1]
  if (length === undefined) throw new AwsError('InvalidPartNumber', 416, 'The requested partnumber is not satisfiable')
  const from = parts.slice(0, number - 1).reduce((sum, one) => sum + one, 0)
  if (size === 0) return { from: 0, to: 0, partial: false, headers: {} }
  const headers = {
    'content-range': `bytes ${from}-${from + length - 1}/${size}`,
    ...(multipart && { 'x-amz-mp-parts-count': String(parts.length) }),
  }
  return { from, to: from + length, partial: true, headers }
}
