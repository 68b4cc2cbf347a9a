import type { Context } from '../lib/cli/command.ts'
import { UserError } from '../lib/cli/errors.ts'
import { count, plural } from '../lib/cli/format.ts'
import { openLogsOutsideRuns } from '../lib/runs/workspace.ts'
import { scopesThere, scopeText } from '../lib/sources/discover.ts'
import { knownIds, sourceOf } from '../lib/sources/registry.ts'
import { type AwsSettings, type Logs, linkWarnings } from '../lib/stores/open.ts'
import { type LooseFound, type LooseSurvey, surveyLoose } from './loose.ts'
import { looseText, surveyText } from './render.ts'
import { type Found, type Other, othersOf, remembering, type Survey, survey } from './survey.ts'

/** What to look for, and how. */
export interface Search extends AwsSettings {
  readonly account: readonly string[]
  readonly region: readonly string[]
  /** Ids; none for all. */
  readonly source: readonly string[]
  readonly concurrency: number
}

/** What lies in one place. */
export interface Inventory {
  readonly logs: string
  readonly sources: readonly Found[] | readonly LooseFound[]
  readonly others: readonly Other[]
  /** Of logs that are known by their names alone. */
  readonly unknown?: LooseSurvey['unknown']
  readonly listRequests: number
}

/** @returns the inventory as data and as text. @throws UserError when nothing matches, or the place cannot be read */
export async function inventoryOf(
  context: Context,
  uri: string,
  wanted: Search,
): Promise<{ inventory: Inventory; text: string }> {
  const { account, region, source, concurrency } = wanted
  const logs = await openLogsOutsideRuns(uri, wanted)
  const lister = remembering(logs.store, logs.base)
  const sources = (source.length === 0 ? knownIds() : source).map(sourceOf)
  const scope = { accounts: account, regions: region }
  const search = { base: logs.base, concurrency, signal: context.signal }
  const result = await survey(logs.store, lister, sources, { ...search, ...scope })
  const others = await othersOf(lister, result.roots, { ...search, ...scope })
  for (const text of [...result.skipped, ...linkWarnings(logs)]) context.talk.warn(text)
  if (result.found.length === 0) {
    const everything = await survey(logs.store, lister, sources, search)
    if (everything.found.length > 0) throw outOfScope(logs, everything, wanted)
    if (others.length === 0) return loose(context, logs, wanted)
  }
  const { listRequests, localPath } = logs.store
  const listed =
    localPath === undefined ? plural(listRequests, 'LIST request') : `${plural(listRequests, 'folder')} read`
  return {
    inventory: { logs: logs.uri, sources: result.found, others, listRequests },
    text: `${surveyText(result.found, others)}\n\n${listed}`,
  }
}

const outOfScope = (logs: Logs, { found }: Survey, { account, region }: Search): UserError =>
  new UserError(`${logs.uri} has logs, but none of ${scopeText(account, region)}`, {
    hint: scopesThere(found.flatMap(({ branches }) => branches)),
  })

/** For logs outside the folders that AWS writes: the names of the objects tell. */
async function loose(context: Context, logs: Logs, { source }: Search) {
  const sources = (source.length === 0 ? knownIds() : source).map(sourceOf)
  const { found, objects, unknown, cut } = await surveyLoose(logs.store, sources, logs.base, context.signal)
  const { listRequests } = logs.store
  if (objects === 0)
    throw new UserError(`${logs.uri} is empty`, { hint: 'name the folder or prefix that holds AWSLogs/' })
  if (found.length === 0)
    throw new UserError(
      `${logs.uri} has no logs of ${sources.map(({ id }) => id).join(' or ')}: neither AWSLogs/ nor names such as AWS gives`,
      { hint: `there is, for example, ${unknown.examples.map((key) => JSON.stringify(key)).join(', ')}` },
    )
  if (cut) context.talk.warn(`only the first ${count(objects)} objects were looked at`)
  return {
    inventory: { logs: logs.uri, sources: found, others: [], unknown, listRequests },
    text: looseText(found, unknown),
  }
}
