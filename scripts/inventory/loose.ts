import { nameParser, type ParsedKey } from '../lib/sources/layout.ts'
import { type Source, sourceParser } from '../lib/sources/source.ts'
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
  /** Objects whose names are not recognized, with a few examples. */
  readonly unknown: { readonly objects: number; readonly examples: readonly string[] }
  /** Whether there were more objects than were read. */
  readonly cut: boolean
}

/** A folder with more objects was hardly gathered by hand. */
const MOST = 100_000
const EXAMPLES = 3
/** Such a name may be a log of an unknown kind, which makes it the better example. */
const LOG_NAME = /\.(?:json|jsonl|ndjson|log|csv|parquet|gz|zst)$/i

interface Gathered {
  readonly accounts: Set<string>
  readonly regions: Set<string>
  /** Milliseconds since 1970. */
  first: number
  last: number
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
  const parsers = sources.map((source) => ({ source: source.id, parse: sourceParser(source, nameParser) }))
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

const empty = (): Gathered => ({
  accounts: new Set(),
  regions: new Set(),
  first: Infinity,
  last: -Infinity,
  objects: 0,
  bytes: 0,
})

function add(
  gathered: Gathered,
  { variables: { account, region }, time }: Pick<ParsedKey, 'variables' | 'time'>,
  size: number,
): void {
  gathered.objects += 1
  gathered.bytes += size
  if (account !== undefined) gathered.accounts.add(account)
  if (region !== undefined) gathered.regions.add(region)
  gathered.first = Math.min(gathered.first, time.getTime())
  gathered.last = Math.max(gathered.last, time.getTime())
}

const foundOf = (bySource: ReadonlyMap<string, Gathered>): LooseFound[] =>
  [...bySource].map(([source, { accounts, regions, first, last, objects, bytes }]) => ({
    source,
    layout: 'loose',
    accounts: [...accounts].sort(),
    regions: [...regions].sort(),
    first: dayOf(first),
    last: dayOf(last),
    objects,
    bytes,
  }))

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10)
