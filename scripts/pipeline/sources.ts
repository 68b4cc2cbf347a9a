import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { UsageError } from '../lib/cli/errors.ts'
import { suggestion } from '../lib/cli/nearest.ts'
import { flagsOfWindow, sameCommand } from '../lib/runs/next.ts'
import { compactTime, DAY_MS, timeOf, windowOf } from '../lib/runs/window.ts'
import { sourceOf } from '../lib/sources/registry.ts'
import { settlingOf } from '../lib/sources/source.ts'

/**
 * The entity of each source. An entity belongs to one source; the others take their default.
 * @throws UsageError when none of them has it
 */
export function entitiesOf(sources: readonly string[], entity: string | undefined): Map<string, string | undefined> {
  const has = (id: string): boolean => entity !== undefined && Object.hasOwn(sourceOf(id).entities, entity)
  if (entity !== undefined && !sources.some(has)) {
    const known = sources.flatMap((id) => Object.keys(sourceOf(id).entities))
    const none = sources.length === 1 ? `${sources[0]} has no` : `neither ${sources.join(' nor ')} has an`
    throw new UsageError(`${none} entity "${entity}"`, suggestion(entity, known))
  }
  return new Map(sources.map((id) => [id, has(id) ? entity : undefined]))
}

interface WindowOptions {
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly last?: string | undefined
}

/** `--last` as `--from` and `--to`: one window for all steps and sources, and the same one on another day. */
export function withWindow<G extends WindowOptions>(given: G, sources: readonly string[], now: Date): G {
  if (given.last === undefined || sources.length === 0) return given
  const settling = Math.max(...sources.map((source) => settlingOf(sourceOf(source))))
  const { from, to } = windowOf(given, now, settling)
  return { ...given, ...flagsOfWindow(from.toISOString(), to.toISOString()) }
}

/** Commands that repeat a pipeline: over the same window, and over a longer one. */
export function adviceFor(command: Named, given: WindowOptions & Readonly<Record<string, unknown>>) {
  const again = sameCommand(command, given)
  if (given.from === undefined || given.to === undefined) return { again, longer: 'take a longer window' }
  const from = new Date(timeOf(given.from, '--from').getTime() - LONGER_DAYS * DAY_MS).toISOString()
  const longer = sameCommand(command, { ...given, ...flagsOfWindow(from, given.to) })
  return { again, longer: `take a longer window: ${longer}` }
}

type Named = Parameters<typeof sameCommand>[0]

/** So many days more give most principals enough accesses to learn from. */
const LONGER_DAYS = 10

/** What selects the data of several runs. */
interface Selection {
  readonly logs: string
  readonly account: readonly string[]
  readonly region: readonly string[]
  /** ISO, UTC. */
  readonly from: string
  readonly to: string
}

/** `cloudtrail-waf-20261120T0000Z-20261121T0000Z-3f9a1c`, as runs are named. It is known before any of them is done. */
export function nameOfAll(sources: readonly string[], { logs, account, region, from, to }: Selection): string {
  const place = logs.startsWith('s3://') ? logs : resolve(logs)
  const scope = [account, region].map((values) => [...new Set(values)].sort())
  const hash = createHash('sha256')
    .update(JSON.stringify([place, ...scope]))
    .digest('hex')
    .slice(0, 6)
  return [...sources, compactTime(new Date(from)), compactTime(new Date(to)), hash].join('-')
}
