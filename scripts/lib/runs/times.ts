import { UserError } from '../cli/errors.ts'
import { linesOf } from '../stores/lines.ts'
import { nextCommand } from './next.ts'
import { paths } from './paths.ts'
import type { Run } from './run.ts'

/** Accesses of a pair within one hour. Event times in milliseconds since 1970. */
export interface Span {
  readonly first: number
  readonly last: number
  readonly accesses: number
}

const ROW = /^([^,]+,[\da-f.:]+),(\d+),(\d+),(\d+)$/

/**
 * When the pairs of a run occurred, by `entity,ip` as pairs are written; undefined if the run has no files of them.
 * @param isWanted asked about each row's entity, encoded
 */
export async function spansOf(
  run: Run,
  isWanted: (entity: string) => boolean,
): Promise<AsyncGenerator<[pair: string, span: Span]> | undefined> {
  const keys: string[] = []
  for await (const { key } of run.store.list({ prefix: paths.times })) keys.push(key)
  return keys.length === 0 ? undefined : spansIn(run, keys, isWanted)
}

async function* spansIn(
  run: Run,
  keys: readonly string[],
  isWanted: (entity: string) => boolean,
): AsyncGenerator<[pair: string, span: Span]> {
  for (const key of keys)
    for await (const line of linesOf(await run.store.read(key))) {
      // Most rows of a large run are about others.
      if (!isWanted(line.slice(0, Math.max(0, line.indexOf(','))))) continue
      const [, pair, first, last, accesses] = ROW.exec(line) ?? []
      if (pair === undefined)
        throw new UserError(`${run.uriOf(key)} is damaged`, { hint: `${nextCommand('extract', run)} --overwrite` })
      yield [pair, { first: Number(first), last: Number(last), accesses: Number(accesses) }]
    }
}
