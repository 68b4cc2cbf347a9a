import * as v from 'valibot'
import { messageOf, UserError } from '../cli/errors.ts'
import { escapedJson } from '../cli/format.ts'
import { fitted, listOf, number, record, time, whole } from '../cli/shapes.ts'
import type { Store } from '../stores/store.ts'
import { trainReasons } from './models.ts'
import { NIGHTS } from './paths.ts'

/** An alert as it was told. Names are untrusted. */
const toldAlert = v.strictObject({
  entity: v.string(),
  ip: v.string(),
  /** Its name in the logs, its account, and what it called most; empty where the logs were not asked. */
  name: v.string(),
  account: v.string(),
  call: v.string(),
  anomalyScore: number,
  /** The weightiest reason; empty where only the score ranks. */
  reason: v.string(),
})

/** A name and how much of a change it makes up. */
const part = v.strictObject({ name: v.string(), pairs: whole })

/** What may jump: pairs that do not fit, entities that are not known, records that are no accesses. */
export const driftKinds = ['unfit', 'unseen', 'dropped'] as const
export type DriftKind = (typeof driftKinds)[number]

/** What no longer fits, and what makes up the difference. */
const drift = v.strictObject({
  /** Whether this was told; false where it goes on since the night before. */
  isTold: v.boolean(),
  kinds: listOf(v.picklist(driftKinds)),
  /** What was measured, in words. */
  reasons: listOf(v.string()),
  accounts: listOf(part),
  entities: listOf(part),
  networks: listOf(part),
})

/** A model that was trained before the day was judged. */
const trained = v.strictObject({ run: v.string(), why: v.picklist(trainReasons), isBetter: v.boolean() })

const judged = v.strictObject({
  /** The run that was judged, and the one whose model judged it. */
  run: v.string(),
  model: v.string(),
  trained: v.nullable(trained),
  /** Records of the window, and what became of them. */
  events: whole,
  accesses: whole,
  dropped: record(v.string(), whole),
  /** Distinct pairs by verdict. */
  scored: whole,
  unseen: whole,
  sparse: whole,
  flagged: whole,
  /** Below the threshold that leaves just the budget on the holdout. */
  unfit: whole,
  budget: number,
  told: listOf(toldAlert),
  /** Flagged pairs whose alert was told before and goes on. */
  goingOn: whole,
  /** New alerts that are not told, because the model no longer fits: the day's page has them. */
  capped: whole,
  drift: v.nullable(drift),
  /** Key of the day's page in the workspace. */
  report: v.string(),
  /** URIs. */
  findings: listOf(v.string()),
})

const nightSchema = v.strictObject({
  version: v.literal(1),
  source: v.string(),
  from: time,
  to: time,
  /** When this was noted. */
  at: time,
  /** `no-logs` is tried again while it is among the days to make up for; `left-out` is a day beyond them. */
  state: v.picklist(['judged', 'no-logs', 'left-out']),
  judged: v.nullable(judged),
  /** Set where there is something to tell of it until whoever is told of nights has been told. */
  isUntold: v.optional(v.literal(true)),
})

/** What the night of one day has come to: `nights/<source>/<day>.json` in the workspace. */
export type Night = v.InferOutput<typeof nightSchema>
export type Judged = v.InferOutput<typeof judged>
export type Drift = v.InferOutput<typeof drift>
export type ToldAlert = v.InferOutput<typeof toldAlert>

/** `2026-03-02` for a whole day, otherwise its beginning and its end. */
export function nightName({ from, to }: Pick<Night, 'from' | 'to'>): string {
  const [first, end] = [new Date(from), new Date(to)]
  const isDay = first.getTime() % DAY === 0 && end.getTime() - first.getTime() === DAY
  return isDay ? from.slice(0, 10) : `${minute(first)}-${minute(end)}`
}

const DAY = 86_400_000
const minute = (at: Date): string => at.toISOString().slice(0, 16).replace(/[-:]/g, '')

const keyOf = (night: Pick<Night, 'source' | 'from' | 'to'>): string =>
  `${NIGHTS}${night.source}/${nightName(night)}.json`

export const removeNight = (root: Store, night: Night): Promise<void> => root.remove(keyOf(night))

/** All nights of a source, oldest day first. @throws UserError when a file is damaged */
export async function nightsOf(root: Store, source: string): Promise<Night[]> {
  const nights: Night[] = []
  for await (const { key } of root.list({ prefix: `${NIGHTS}${source}/` })) {
    if (!key.endsWith('.json')) continue
    try {
      nights.push(fitted(nightSchema, JSON.parse((await root.text(key)) ?? '')))
    } catch (error) {
      throw new UserError(`${root.uriOf(key)} cannot be read: ${messageOf(error)}`, {
        hint: 'remove it: the next night judges that day again',
      })
    }
  }
  return nights.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : a.to < b.to ? -1 : 1))
}

/** Alerts, a drift that is told, or a day on which nothing was judged. */
export const hasSomething = ({ state, judged }: Night): boolean =>
  state !== 'judged' || (judged?.told.length ?? 0) > 0 || judged?.drift?.isTold === true

/** Notes that nights were told: until then the next start tells them again. */
export async function markTold(root: Store, nights: readonly Night[]): Promise<void> {
  for (const { isUntold, ...night } of nights) if (isUntold) await writeNight(root, night)
}

/** Written whole. */
export async function writeNight(root: Store, night: Night): Promise<void> {
  await root.write(keyOf(night), `${escapedJson(JSON.stringify(fitted(nightSchema, night), null, 2))}\n`)
}
