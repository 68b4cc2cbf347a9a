import { UserError } from '../../lib/cli/errors.ts'
import { encodeEntity } from '../../lib/insights/entity-codec.ts'
import { paths } from '../../lib/runs/paths.ts'
import type { Run } from '../../lib/runs/run.ts'
import type { Window } from '../../lib/runs/window.ts'
import { linesOf } from '../../lib/stores/lines.ts'
import type { PairVerdict } from '../tally.ts'
import type { Sighting, Span } from './finding.ts'

/** When a pair was accessed; nothing where that is not known. */
export type Times = (verdict: PairVerdict) => readonly Span[]

const ROW = /^([^,]+,[\d.]+),(\d+),(\d+),(\d+)$/

/** Event times of some pairs of a run within a window; undefined where its extraction has not kept any. */
export async function timesOf(run: Run, verdicts: readonly PairVerdict[], window: Window): Promise<Times | undefined> {
  const spans = new Map<string, Span[]>(verdicts.map((verdict) => [keyOf(verdict), []]))
  const [from, to] = [window.from.getTime(), window.to.getTime()]
  let files = 0
  for await (const { key } of run.store.list({ prefix: paths.times })) {
    files += 1
    for await (const [pair, span] of spansIn(run, key))
      if (span.first >= from && span.first < to) spans.get(pair)?.push(span)
  }
  return files === 0 ? undefined : (verdict) => spans.get(keyOf(verdict)) ?? []
}

async function* spansIn(run: Run, key: string): AsyncGenerator<[pair: string, span: Span]> {
  for await (const line of linesOf(await run.store.read(key))) {
    const [, pair, first, last, accesses] = ROW.exec(line) ?? []
    if (pair === undefined) throw new UserError(`${key} is damaged`, { hint: 'extract again with --overwrite' })
    yield [pair, { first: Number(first), last: Number(last), accesses: Number(accesses) }]
  }
}

const keyOf = ({ entity, ip }: PairVerdict): string => `${encodeEntity(entity)},${ip}`

/** The accesses of a pair; without times all of them at once, between the bounds of what was judged. */
export function sightingsOf(verdict: PairVerdict, times: Times | undefined, { from, to }: Window): Sighting[] {
  const spans = times?.(verdict) ?? []
  if (spans.length > 0) return spans.map((span) => ({ verdict, ...span }))
  return [{ verdict, first: from.getTime(), last: to.getTime() - 1, accesses: verdict.accesses }]
}
