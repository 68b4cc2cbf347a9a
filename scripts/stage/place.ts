import pMap from 'p-map'
import { UsageError, UserError } from '../cli/errors.ts'
import { discover } from '../sources/discover.ts'
import { sourceOf } from '../sources/registry.ts'
import { type AwsSettings, openLogs } from '../stores/open.ts'
import { placesIn } from '../stores/uri.ts'

/**
 * Where a source is delivered: the place that is named, or of several the one that has its folders; that takes some LIST requests.
 * @throws UserError when none of them has, or more than one
 */
export async function placeOf(source: string, uris: string, aws: AwsSettings): Promise<string> {
  const places = placesIn(uris)
  const [only = uris] = places
  if (places.length === 1) return only
  const holds = await pMap(places, (uri) => isDelivered(source, uri, aws), { concurrency: 4 })
  const [found, ...more] = places.filter((_, i) => holds[i])
  if (found === undefined)
    throw new UserError(`${places.join(' and ')} have no ${source} logs`, {
      hint: 'npx zx scripts/inventory.mjs --logs URI tells what lies in one of them',
    })
  if (more.length > 0)
    throw new UsageError(`${[found, ...more].join(' and ')} have ${source} logs`, 'name one of them with --logs')
  return found
}

async function isDelivered(source: string, uri: string, aws: AwsSettings): Promise<boolean> {
  const { store, base } = await openLogs(uri, aws)
  const { branches } = await discover(store, sourceOf(source), {
    base,
    concurrency: 8,
    ...(aws.signal && { signal: aws.signal }),
  })
  return branches.length > 0
}
