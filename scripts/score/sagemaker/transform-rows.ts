import { UserError } from '../../lib/cli/errors.ts'
import { plural } from '../../lib/cli/format.ts'

/**
 * A batch transform answers without keys, in the order of its input. That it kept the order is proven by links: from the third on, each
 * block of lines begins with a copy of the first line of the block before the last, so the answer there must be the one that stood at that
 * block's head. A link lies in another block than what it copies, on either side of every border: payloads, which are no smaller than a
 * block, cannot change places unnoticed.
 */
export const BLOCK = 500

/** How far two answers to the same pair may lie apart: a container may add up in another order. */
const TOLERANCE = 1e-4

/** The lines with their links. */
export function* linked(lines: Iterable<string>): Generator<string> {
  let number = 0
  const heads: string[] = []
  for (const line of lines) {
    if (number % BLOCK === 0) {
      if (heads.length === 2) yield heads.shift() ?? ''
      heads.push(line)
    }
    number += 1
    yield line
  }
}

/** How many lines there are with links. */
export const linkedRows = (rows: number): number => rows + Math.max(0, Math.ceil(rows / BLOCK) - 2)

/**
 * Answers without those of the links.
 * @param where the file, for errors
 * @throws UserError when they are not one for each line, or not in the order of the lines
 */
export async function* unlinked(
  answers: AsyncIterable<number>,
  rows: number,
  where: string,
): AsyncGenerator<number, void> {
  const all = linkedRows(rows)
  const heads: number[] = []
  let [read, given] = [0, 0]
  for await (const answer of answers) {
    read += 1
    if (read > all) continue
    const atHead = given % BLOCK === 0
    if (atHead && heads.length === 2) {
      const head = heads.shift() ?? Number.NaN
      if (!(Math.abs(answer - head) <= TOLERANCE * Math.max(1, Math.abs(head)))) throw unordered(where, read)
      continue
    }
    if (atHead) heads.push(answer)
    given += 1
    yield answer
  }
  if (read !== all)
    throw new UserError(`${where}: ${plural(read, 'answer')} to ${plural(all, 'line')}, so none can be trusted`, {
      hint: AGAIN,
    })
}

const AGAIN = 'score again with --overwrite: another job does it'

const unordered = (where: string, line: number): UserError =>
  new UserError(`${where}: line ${line} answers to another pair than was sent there, so none can be trusted`, {
    hint: AGAIN,
  })
