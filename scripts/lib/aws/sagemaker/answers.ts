import { UserError } from '../../cli/errors.ts'
import { plural } from '../../cli/format.ts'

/**
 * The dot products of an answer in JSON Lines, one for each pair of the request. Answers carry no keys: with one too few or too many,
 * none can be trusted.
 * @param where the source, for errors
 * @throws UserError unless there is exactly one finite number for each pair
 */
export function dotProductsIn(text: string, pairs: number, where: string): Float64Array {
  const lines = text.trim() === '' ? [] : text.trim().split('\n')
  if (lines.length !== pairs)
    throw new UserError(
      `${where}: ${plural(lines.length, 'answer')} to ${plural(pairs, 'pair')}, so none can be trusted`,
    )
  return Float64Array.from(lines, (line, i) => dotProductIn(line, i + 1, where))
}

/** @param number of the line, from 1. @throws UserError when the line holds no finite dot product */
export function dotProductIn(line: string, number: number, where: string): number {
  try {
    const value: unknown = (JSON.parse(line) as { dot_product?: unknown } | null)?.dot_product
    if (typeof value === 'number' && Number.isFinite(value)) return value
  } catch {}
  throw new UserError(`${where}: answer ${number} has no dot_product: ${JSON.stringify(line.slice(0, 80))}`)
}
