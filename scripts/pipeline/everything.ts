import type { Context } from '../lib/cli/command.ts'
import { UserError } from '../lib/cli/errors.ts'
import { distinctSources } from '../lib/sources/registry.ts'
import type { AwsSettings } from '../lib/stores/open.ts'
import { placesIn } from '../lib/stores/uri.ts'
import { noLogs } from '../stage/request.ts'

/** In place of a name: every source that lies where the logs are. */
export const ALL = 'all'

interface Wanted extends AwsSettings {
  readonly demo: boolean
  readonly source: readonly string[]
  readonly logs: string | undefined
  readonly account: readonly string[]
  readonly region: readonly string[]
}

/** The sources that are meant, each once. For `all`, the logs are looked at as `inventory` does. @throws UserError when none is there */
export async function sourcesMeant(context: Context, wanted: Wanted): Promise<string[]> {
  if (!wanted.source.includes(ALL)) return distinctSources(wanted.source)
  if (wanted.demo) return distinctSources((await import('../simulate/simulate.ts')).simulated)
  if (wanted.logs === undefined) throw noLogs()
  const { inventoryOf } = await import('../inventory/place.ts')
  const places = placesIn(wanted.logs)
  const found = new Set<string>()
  for (const place of places)
    try {
      const { inventory } = await inventoryOf(context, place, { ...wanted, source: [], concurrency: 16 })
      for (const { source } of inventory.sources) found.add(source)
    } catch (error) {
      // A place of several that has nothing, or may not be read, is told; the others count.
      if (!(error instanceof UserError) || places.length === 1) throw error
      context.talk.warn(error.message)
    }
  const sources = distinctSources([...found])
  if (sources.length === 0)
    throw new UserError(`${places.join(' and ')} have no logs of any source`, {
      hint: 'npx zx scripts/inventory.mjs --logs URI tells what lies there',
    })
  context.talk.info(`there are logs of ${sources.join(', ')}`)
  return sources
}
