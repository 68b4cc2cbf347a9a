import pMap from 'p-map'
import { UsageError, UserError } from '../lib/cli/errors.ts'
import { openLogsOutsideRuns } from '../lib/runs/logs.ts'
import { discover } from '../lib/sources/discover.ts'
import { sourceOf } from '../lib/sources/registry.ts'
import type { AwsSettings } from '../lib/stores/open.ts'
import { placesIn } from '../lib/stores/uri.ts'

/**
 * Where a source is delivered: the place that is named, or of several the one that has its folders; that takes some LIST requests.
 * @throws UserError when none of them has, or more than one
 */
export async function placeOf(source: string, uris: string, aws: AwsSettings): Promise<string> {
  const places = placesIn(uris)
  const [only = uris] = places
  if (places.length === 1) return only
  const looked = await pMap(places, (uri) => look(source, uri, aws), { concurrency: 4 })
  aws.signal?.throwIfAborted()
  const [found, ...more] = looked.flatMap(({ uri, has }) => (has === true ? [uri] : []))
  // A bucket that may not be read is of no matter to a source that lies elsewhere.
  if (found === undefined) for (const { has } of looked) if (typeof has !== 'boolean') throw has
  if (found === undefined)
    throw new UserError(`${places.join(' and ')} have no ${source} logs`, {
      hint: 'npx zx scripts/inventory.mjs --logs URI tells what lies in one of them',
    })
  if (more.length > 0)
    throw new UsageError(`${[found, ...more].join(' and ')} have ${source} logs`, 'name one of them with --logs')
  return found
}

/** Whether it has the source; or why that cannot be seen. */
async function look(source: string, uri: string, aws: AwsSettings): Promise<{ uri: string; has: boolean | UserError }> {
  try {
    const { store, base } = await openLogsOutsideRuns(uri, aws)
    const search = { base, concurrency: 8, ...(aws.signal && { signal: aws.signal }) }
    const { branches } = await discover(store, sourceOf(source), search)
    return { uri, has: branches.length > 0 }
  } catch (error) {
    if (error instanceof UserError) return { uri, has: error }
    throw error
  }
}
