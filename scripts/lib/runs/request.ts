import { createHash } from 'node:crypto'
import * as v from 'valibot'
import { time } from '../cli/shapes.ts'
import { compactTime, type Window } from './window.ts'

/** Everything that selects data. Two equal requests are the same run. */
export const requestSchema = v.strictObject({
  source: v.string(),
  /** URI as openStore knows it. */
  logs: v.string(),
  from: time,
  to: time,
  accounts: v.array(v.string()),
  regions: v.array(v.string()),
  /** How the keys are found: list, digest, inventory, metadata, file; or that files of pairs took the place of logs. */
  keys: v.string(),
  /** The inventory's manifest or the file of keys, where one is used. */
  keysFrom: v.optional(v.string()),
})

/** `keys` of a run whose pairs were given as files: it has no logs, and its window is empty. */
export const OF_FILES = 'pairs'

export type Request = v.InferOutput<typeof requestSchema>

export const windowOfRequest = (request: Request): Window => ({
  from: new Date(request.from),
  to: new Date(request.to),
})

/** `<source>-<from>-<to>-<hash>`. The order of accounts and regions does not matter. */
export function runIdOf(request: Request): string {
  const hash = createHash('sha256').update(canonical(request)).digest('hex').slice(0, 6)
  const { from, to } = windowOfRequest(request)
  return `${request.source}-${compactTime(from)}-${compactTime(to)}-${hash}`
}

/** Whether two requests select the same data. The part of the hash in an id is too short to decide that. */
export const isSameRequest = (a: Request, b: Request): boolean => canonical(a) === canonical(b)

function canonical(request: Request): string {
  const { from, to } = windowOfRequest(request)
  const selection = {
    ...request,
    from: from.toISOString(),
    to: to.toISOString(),
    accounts: [...new Set(request.accounts)].sort(),
    regions: [...new Set(request.regions)].sort(),
  }
  return JSON.stringify(Object.fromEntries(Object.entries(selection).sort(([a], [b]) => (a < b ? -1 : 1))))
}
