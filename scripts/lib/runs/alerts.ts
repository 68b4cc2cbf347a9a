import * as v from 'valibot'
import { messageOf, UserError } from '../cli/errors.ts'
import { escapedJson } from '../cli/format.ts'
import { fitted, listOf, number, record, time, whole } from '../cli/shapes.ts'
import { linesOf } from '../stores/lines.ts'
import type { Store } from '../stores/store.ts'
import { nextCommand } from './next.ts'
import { scorePaths, scoreStep } from './paths.ts'
import { pairProviderSchema, providerSchema } from './providers/provider.ts'
import type { Run } from './run.ts'

/** Values of an aspect that are kept. */
export const MOST_VALUES = 5

/** A value, as it stands in the logs, and in how many accesses. */
const counted = v.strictObject({ value: v.string(), events: whole })

/** What the logs say about the accesses of a pair in the window that was judged. */
const details = v.strictObject({
  first: time,
  last: time,
  accesses: whole,
  /** The most frequent values by aspect, such as `name`, `call` or `agent`: those of the source. Untrusted. */
  aspects: record(v.string(), listOf(counted)),
})

/** One flagged pair: a line of alerts.ndjson. */
const alert = v.strictObject({
  /** Decoded. */
  entity: v.string(),
  ip: v.string(),
  /** Whose network the address is in; absent where no file of networks says so. */
  provider: v.exactOptional(pairProviderSchema),
  anomalyScore: number,
  /** How often the pair occurs in what was judged. */
  accesses: whole,
  /** Training pairs of the entity. */
  events: whole,
  /** Why it is flagged, weightiest first; empty where only the score ranks. */
  reasons: listOf(v.string()),
  /** Where the entity usually comes from; empty when the training pairs are not available. */
  usual: listOf(v.strictObject({ network: v.string(), share: number, provider: v.exactOptional(providerSchema) })),
  /** Absent when the logs were not asked, or are gone. */
  details: v.exactOptional(details),
})

export type Alert = v.InferOutput<typeof alert>
export type Details = v.InferOutput<typeof details>
type Counted = v.InferOutput<typeof counted>

/** The most frequent values of an aspect; none where the logs say nothing. */
export const valuesOf = (known: Details | undefined, aspect: string): readonly string[] =>
  (known?.aspects[aspect] ?? []).map(({ value }) => value)

/** What the logs say about several pairs together. Undefined for none. */
export function mergedDetails(all: readonly Details[]): Details | undefined {
  const [first, ...others] = all
  return first && others.reduce(both, first)
}

function both(a: Details, b: Details): Details {
  const names = [...new Set([...Object.keys(a.aspects), ...Object.keys(b.aspects)])]
  return {
    first: a.first < b.first ? a.first : b.first,
    last: a.last > b.last ? a.last : b.last,
    accesses: a.accesses + b.accesses,
    aspects: Object.fromEntries(names.map((name) => [name, added(a.aspects[name], b.aspects[name])])),
  }
}

function added(a: readonly Counted[] = [], b: readonly Counted[] = []): Counted[] {
  const sums = new Map<string, number>()
  for (const { value, events } of [...a, ...b]) sums.set(value, (sums.get(value) ?? 0) + events)
  const all = [...sums].map(([value, events]) => ({ value, events }))
  return all.sort((x, y) => y.events - x.events || (x.value < y.value ? -1 : 1)).slice(0, MOST_VALUES)
}

/** Alerts in the result of `score`: the first ones. */
export const alertsIn = ({ alerts = [] }: Readonly<Record<string, unknown>>): readonly Alert[] =>
  fitted(listOf(alert), alerts)

/** `iam.amazonaws.com:CreateUser` as policies write it: `iam:CreateUser`. */
export const callText = (call: string): string => call.replace('.amazonaws.com:', ':')

/** Writes alerts, one JSON object a line; control characters in names are escaped. */
export async function writeAlertFile(store: Store, key: string, alerts: readonly Alert[]): Promise<void> {
  await store.write(key, escapedJson(alerts.map((one) => `${JSON.stringify(one)}\n`).join('')))
}

/**
 * The alerts on what was judged, most anomalous first; empty when an earlier version scored it.
 * @param judged `holdout`, or the id of the run that was judged
 * @throws UserError when the file is damaged
 */
export async function alertsOf(run: Run, judged: string): Promise<Alert[]> {
  const key = scorePaths(judged).alerts
  const alerts: Alert[] = []
  if ((await run.store.head(key)) === undefined) return alerts
  for await (const line of linesOf(await run.store.read(key)))
    try {
      alerts.push(fitted(alert, JSON.parse(line)))
    } catch (error) {
      throw new UserError(`${run.uriOf(key)}:${alerts.length + 1} is no alert: ${messageOf(error)}`, {
        hint: `${nextCommand(scoreStep(judged), run)} --overwrite`,
      })
    }
  return alerts
}

/** Tells alerts apart: entity and address. */
export const pairKey = ({ entity, ip }: Pick<Alert, 'entity' | 'ip'>): string => `${ip} ${entity}`
