import { nameParser } from '../lib/sources/layout.ts'
import type { Source } from '../lib/sources/source.ts'
import type { Store } from '../lib/stores/store.ts'

/** Objects of a source outside of its folders, known by their names alone. */
export interface LooseFound {
  readonly source: string
  readonly layout: 'loose'
  readonly accounts: readonly string[]
  readonly regions: readonly string[]
  readonly first: string
  readonly last: string
  readonly objects: number
  readonly bytes: number
}

export interface LooseSurvey {
  readonly found: readonly LooseFound[]
  readonly objects: number
  /** Objects whose names say nothing, with a few examples. */
  readonly unknown: { readonly objects: number; readonly examples: readonly string[] }
  /** Whether there were more objects than are looked at. */
  readonly cut: boolean
}

/** More objects than this are no folder that somebody gathered by hand. */
const MOST = 100_000
const EXAMPLES = 3
/** Such a name may be a log of a kind that is not known: the better example. */
const LOG_NAME = /\.(?:json|jsonl|ndjson|log|csv|parquet|gz|zst)$/i

interface Gathered {
  readonly accounts: Set<string>
  readonly regions: Set<string>
  readonly times: number[]
  objects: number
  bytes: number
}

/** Describes logs that were copied out of their folders, by the names of the objects. */
export async function surveyLoose(
  store: Store,
  sources: readonly Source[],
  base: string,
  signal: AbortSignal,
): Promise<LooseSurvey> {
  const parsers = sources.flatMap((source) =>
    source.layouts.map((layout) => ({ source: source.id, parse: nameParser(layout) })),
  )
  const bySource = new Map<string, Gathered>()
  const [likely, others]: [string[], string[]] = [[], []]
  let [objects, unknown, cut] = [0, 0, false]
  for await (const { key, size } of store.list({ prefix: base })) {
    signal.throwIfAborted()
    if (objects === MOST) {
      cut = true
      break
    }
    objects += 1
    const match = parsers.map(({ source, parse }) => ({ source, parsed: parse(key) })).find(({ parsed }) => parsed)
    if (match?.parsed === undefined) {
      unknown += 1
      const examples = LOG_NAME.test(key) ? likely : others
      if (examples.length < EXAMPLES) examples.push(key)
      continue
    }
    const gathered = bySource.get(match.source) ?? empty()
    bySource.set(match.source, gathered)
    add(gathered, match.parsed, size)
  }
  const examples = [...likely, ...others].slice(0, EXAMPLES)
  return { found: foundOf(bySource), objects, unknown: { objects: unknown, examples }, cut }
}

const empty = (): Gathered => ({ accounts: new Set(), regions: new Set(), times: [], objects: 0, bytes: 0 })

function add(
  gathered: Gathered,
  { variables, time }: { variables: Readonly<Record<string, string>>; time: Date },
  size: number,
): void {
  gathered.objects += 1
  gathered.bytes += size
  if (variables.account !== undefined) gathered.accounts.add(variables.account)
  if (variables.region !== undefined) gathered.regions.add(variables.region)
  const at = time.getTime()
  const [first = at, last = at] = gathered.times
  gathered.times.splice(0, 2, Math.min(first, at), Math.max(last, at))
}

const foundOf = (bySource: ReadonlyMap<string, Gathered>): LooseFound[] =>
  [...bySource].map(([source, { accounts, regions, times, objects, bytes }]) => ({
    source,
    layout: 'loose',
    accounts: [...accounts].sort(),
    regions: [...regions].sort(),
    first: dayOf(times[0]),
    last: dayOf(times[1]),
    objects,
    bytes,
  }))

const dayOf = (time = 0): string => new Date(time).toISOString().slice(0, 10)
