import { encodeEntity } from '../lib/insights/entity-codec.ts'
import { windowOfRequest } from '../lib/runs/request.ts'
import type { Run } from '../lib/runs/run.ts'
import { type Span, spansOf } from '../lib/runs/times.ts'
import type { Verdict } from '../lib/runs/verdicts.ts'
import type { Slots, Timeline, Timelines } from './data.ts'

/** Entities that have a timeline. */
const MOST = 100
/** Slots of time that a line is divided into: more would be thinner than a pixel. */
const MOST_SLOTS = 480
const HOUR = 3_600_000

interface Judged {
  /** The run whose accesses were judged. */
  readonly run: Run
  /** When what was judged begins: for the run itself, its holdout. */
  readonly from: Date
}

/**
 * When the entities of the most anomalous flagged pairs came from where, hour by hour; what came before the judged time was never
 * flagged. Undefined when nothing is flagged, or the run no longer has its event times.
 * @param flagged most anomalous first
 */
export async function timelinesOf(judged: Judged, flagged: readonly Verdict[]): Promise<Timelines | undefined> {
  const window = windowOfRequest(judged.run.request)
  const [from, to] = [window.from.getTime(), window.to.getTime()]
  const step = HOUR * Math.max(1, Math.ceil((to - from) / HOUR / MOST_SLOTS))
  const names = [...new Set(flagged.map(({ entity }) => entity))]
  const known = new Map(names.slice(0, MOST).map((entity) => [encodeEntity(entity), new Line(entity)]))
  if (known.size === 0) return undefined
  const spans = await spansOf(judged.run, (entity) => known.has(entity))
  if (spans === undefined) return undefined
  const odd = new Set(flagged.map(({ entity, ip }) => `${encodeEntity(entity)},${ip}`))
  for await (const [pair, span] of spans) {
    if (span.first < from || span.first >= to) continue
    const isOdd = odd.has(pair) && span.first >= judged.from.getTime()
    known.get(pair.slice(0, pair.lastIndexOf(',')))?.add(Math.floor((span.first - from) / step), span, isOdd)
  }
  return {
    from: window.from.toISOString(),
    to: window.to.toISOString(),
    judgedFrom: judged.from.toISOString(),
    slots: Math.ceil((to - from) / step),
    hours: step / HOUR,
    lines: [...known.values()].map((line) => line.done()),
    entities: names.length,
  }
}

/** The accesses of one entity, slot by slot. */
class Line {
  private readonly entity: string
  private readonly usual = new Map<number, number>()
  private readonly odd = new Map<number, number>()
  private first = Number.POSITIVE_INFINITY

  constructor(entity: string) {
    this.entity = entity
  }

  add(slot: number, { first, accesses }: Span, isOdd: boolean): void {
    const slots = isOdd ? this.odd : this.usual
    slots.set(slot, (slots.get(slot) ?? 0) + accesses)
    if (isOdd) this.first = Math.min(this.first, first)
  }

  done(): Timeline {
    const { entity, usual, odd, first } = this
    return {
      entity,
      usual: ascending(usual),
      odd: ascending(odd),
      ...(Number.isFinite(first) && { firstOdd: new Date(first).toISOString() }),
    }
  }
}

const ascending = (slots: ReadonlyMap<number, number>): Slots => [...slots].sort(([a], [b]) => a - b)
