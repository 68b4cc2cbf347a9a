import type { Context } from '../../lib/cli/command.ts'
import { UserError } from '../../lib/cli/errors.ts'
import { count } from '../../lib/cli/format.ts'
import { sourceInForm } from '../../lib/engines/athena/form.ts'
import { addressSql, type Engine, encodedSql, identifier, literal, renderSql } from '../../lib/engines/render.ts'
import { decodeEntity, encodeEntity } from '../../lib/insights/entity-codec.ts'
import { type Details, MOST_VALUES, pairKey } from '../../lib/runs/alerts.ts'
import type { Checkpoint, Saved } from '../../lib/runs/checkpoints.ts'
import { totalOf } from '../../lib/runs/cost.ts'
import { otherDefinition } from '../../lib/runs/definition.ts'
import type { StepRecord } from '../../lib/runs/ledger.ts'
import { OF_FILES, windowOfRequest } from '../../lib/runs/request.ts'
import type { StepName } from '../../lib/runs/results.ts'
import type { Run } from '../../lib/runs/run.ts'
import { scanCosts, stagedTotals } from '../../lib/runs/staged.ts'
import { proveInPlace } from '../../lib/runs/unmoved.ts'
import type { Window } from '../../lib/runs/window.ts'
import { sourceOf } from '../../lib/sources/registry.ts'
import { type Source, sourceFor } from '../../lib/sources/source.ts'
import type { AwsSettings } from '../../lib/stores/open.ts'

export interface LookupOptions {
  readonly details: 'yes' | 'no'
  readonly workgroup: string
  readonly database: string
  /** Minutes. */
  readonly queryTimeout: number
}

/** A pair whose accesses are looked up. */
export interface Pair {
  /** Decoded. */
  readonly entity: string
  readonly ip: string
}

/** The logs of what is judged, as an engine asks them. */
export interface Logs {
  /** The run whose logs they are. */
  readonly judged: Run
  readonly source: Source
  /** Event times of what is judged. */
  readonly window: Window
  readonly context: Context
}

type Found = ReadonlyMap<string, Details>

/** Rows of alerts.sql. */
export type Rows = readonly (readonly (string | null)[])[]

/** What asks the logs about flagged pairs. */
export interface Lookup {
  /** Estimate of one scan with Athena; nothing on this machine, or where an unfinished attempt has paid for it. */
  readonly usd: number
  /** What the logs say about these pairs, by `pairKey`. @throws UserError when they cannot be asked */
  ask(pairs: readonly Pair[], checkpoint?: Checkpoint<Saved<'score'>>): Promise<Found>
}

/** A statement in Athena has at most 262,144 bytes ("Service quotas", Athena user guide), and some are for its relations. */
const MOST_BYTES = 200_000

/** What the ledger says about scoring, the holdout or another run. */
export type ScoreRecord = Pick<StepRecord<Extract<StepName, `score${string}`>>, 'state' | 'checkpoint'>

interface LookupInput {
  /** The run whose model judges, and the run whose accesses are judged. */
  readonly run: Run
  readonly judged: Run
  readonly context: Context
  readonly aws: AwsSettings
  /** An unfinished attempt. */
  readonly left: ScoreRecord | undefined
}

/** Undefined when nobody wants to know, or the logs are gone, which is said. */
export async function lookupFor(options: LookupOptions, input: LookupInput): Promise<Lookup | undefined> {
  const { run, judged, context, aws, left } = input
  if (options.details === 'no' || judged.request.keys === OF_FILES) return undefined
  const staged = await totalsOf(judged, context, aws)
  if (staged === undefined) return undefined
  const isHere = judged.folder !== undefined
  const kind = sourceFor(sourceOf(judged.request.source), judged.result('extract').entity)
  const changed = await otherDefinition(judged)
  if (changed !== undefined) context.talk.warn(changed)
  const source = isHere ? kind : await sourceInForm(kind, judged)
  const window = judged.id === run.id ? run.holdout() : windowOfRequest(judged.request)
  const logs: Logs = { judged, source, window, context }
  const athena = { ...options, ...aws }
  const isPaid =
    isHere || (left !== undefined && (await (await import('./athena.ts')).isLookupPaid(left, logs, athena)))
  return {
    usd: isPaid ? 0 : totalOf(scanCosts(staged, source.scans)),
    ask: async (pairs, checkpoint) => {
      if (pairs.length === 0) return new Map()
      const asked = within(pairs, MOST_BYTES)
      if (asked.length < pairs.length)
        context.talk.warn(
          `only the first ${count(asked.length)} alerts have details: the names of more are too long for a query`,
        )
      const sql = await statementOf(asked, logs, isHere ? 'duckdb' : 'athena')
      if (isHere) return foundIn(await (await import('./duckdb.ts')).lookUpInDuckdb(asked, sql, logs))
      const { lookUpInAthena } = await import('./athena.ts')
      return foundIn(await lookUpInAthena(sql, logs, athena, checkpoint))
    },
  }
}

/** Undefined without logs. */
async function totalsOf(judged: Run, { talk }: Context, aws: AwsSettings) {
  try {
    await proveInPlace(judged, aws)
    return await stagedTotals(judged)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    talk.warn(`alerts do not say what was done: ${error.message}. ${error.hint ?? ''}`)
    return undefined
  }
}

/** The first pairs whose rows have no more bytes than these in all. */
function within(pairs: readonly Pair[], most: number): readonly Pair[] {
  let left = most
  const end = pairs.findIndex((pair) => {
    left -= Buffer.byteLength(rowSql(pair)) + 2
    return left < 0
  })
  return end === -1 ? pairs : pairs.slice(0, end)
}

const rowSql = ({ entity, ip }: Pair): string => `(${literal(encodeEntity(entity))}, ${literal(ip)})`

async function statementOf(pairs: readonly Pair[], { judged, source, window }: Logs, engine: Engine): Promise<string> {
  const { entity } = judged.result('extract')
  const choice = Object.hasOwn(source.entities, entity) ? source.entities[entity] : undefined
  if (choice === undefined) throw new Error(`${source.id} has no entity ${entity}`)
  const dedupes = judged.ledger.steps.extract?.settings.dedupe === true
  const aspects = Object.entries(source.aspects)
  const columnOf = (aspect: string) => identifier(`${aspect}_value`)
  return renderSql('alerts.sql', {
    aspects: aspects.map(([aspect]) => `(${literal(aspect)})`).join(', '),
    chosen: aspects.map(([aspect, sql]) => `${sql} as ${columnOf(aspect)}`).join(', '),
    columns: aspects.map(([aspect]) => columnOf(aspect)).join(', '),
    values: aspects.map(([aspect]) => `when ${literal(aspect)} then ${columnOf(aspect)}`).join(' '),
    flagged: pairs.map(rowSql).join(', '),
    address: addressSql(engine),
    entity: identifier(choice.column),
    encoded: encodedSql('entity'),
    from: String(window.from.getTime()),
    to: String(window.to.getTime()),
    delivery: dedupes ? await renderSql('delivery.sql') : '1',
    most: String(MOST_VALUES),
  })
}

/** The rows of alerts.sql, pair by pair. */
function foundIn(rows: Rows): Found {
  const found = new Map<string, Details>()
  const lists = new Map<string, Record<string, { value: string; events: number }[]>>()
  for (const [entity, ip, aspect, value, events, first, last] of rows) {
    const key = pairKey({ entity: decodeEntity(entity ?? ''), ip: ip ?? '' })
    const aspects = lists.get(key) ?? {}
    lists.set(key, aspects)
    const [name, accesses] = [aspect ?? '', Number(events)]
    if (name === 'all') found.set(key, { first: isoOf(first), last: isoOf(last), accesses, aspects })
    else aspects[name] = [...(aspects[name] ?? []), { value: value ?? '', events: accesses }]
  }
  return found
}

const isoOf = (ms: string | null | undefined): string => new Date(Number(ms)).toISOString()
