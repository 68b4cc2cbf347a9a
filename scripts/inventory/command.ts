import { stackOutputs } from '../lib/aws/settings.ts'
import { type CommandResult, type Context, defineCommand } from '../lib/cli/command.ts'
import { UsageError, UserError } from '../lib/cli/errors.ts'
import { choices, number, text } from '../lib/cli/options.ts'
import { awsOptions, scopeOptions } from '../lib/cli/shared-options.ts'
import { ownSources } from '../lib/sources/own/own.ts'
import { knownIds, sourceOf } from '../lib/sources/registry.ts'
import { placesIn } from '../lib/stores/uri.ts'
import { explanationOf } from './explain.ts'
import { type Inventory, inventoryOf, type Search } from './place.ts'
import { stageCommand } from './render.ts'

const options = {
  ...scopeOptions,
  logs: text({
    about: 'where the logs are: s3://bucket[/prefix], several separated by commas, or a folder with the same keys',
    value: 'URI',
  }),
  explain: text({
    about:
      'say of this key which source and layout it has and which events it is read for, or where it parts from them; needs no logs',
    value: 'KEY',
    offline: true,
  }),
  source: choices(knownIds, { about: 'only these kinds of log', value: 'NAME' }),
  concurrency: number({ about: 'requests in flight at once', default: 16, min: 1, max: 256, integer: true }),
  ...awsOptions,
}

export const command = defineCommand({
  name: 'inventory',
  summary: 'show which logs are where: sources, accounts, regions, days',
  description:
    'Walks the folders that AWS writes (account, region, year, month, day) instead of listing the objects in them, so it is fast and cheap on a bucket of any size.',
  examples: [
    { run: 'npx zx scripts/inventory.mjs --logs ./logs', does: 'what there is' },
    {
      run: 'npx zx scripts/inventory.mjs --logs ./logs --account 012345678901 --output json',
      does: 'one account, with every region and web ACL listed separately',
    },
    {
      run: 'npx zx scripts/inventory.mjs --explain AWSLogs/111122223333/CloudTrail/us-east-2/2026/03/02/111122223333_CloudTrail_us-east-2_20260302T0210Z_a.json.gz',
      does: 'what a key means, or why it is not recognized',
    },
    { run: 'npx zx scripts/inventory.mjs', does: 'after setup: all logs that the stack may read' },
  ],
  stackOutputs,
  ownSources,
  options,
  async run(context, values) {
    if (values.explain !== undefined) {
      const chosen = values.source.length === 0 ? knownIds() : values.source
      return explanationOf(values.explain, chosen.map(sourceOf))
    }
    if (values.logs === undefined) throw new UsageError('no logs', 'add --logs FOLDER or --logs s3://bucket')
    const [place = '', ...more] = placesIn(values.logs)
    if (more.length > 0) return allOf(context, [place, ...more], values)
    const { inventory, text: shown } = await inventoryOf(context, place, values)
    return { json: { ...inventory }, text: shown, ...nextOf(inventory, values.logs, context.now()) }
  },
})

function nextOf({ sources: [first] }: Pick<Inventory, 'sources'>, logs: string, now: Date): { next?: string } {
  const next = first && stageCommand(first, logs, now)
  return next === undefined ? {} : { next }
}

/** Several places, one after the other; every entry names its place. A place that cannot be read is only warned about. */
async function allOf(context: Context, places: readonly string[], search: Search): Promise<CommandResult> {
  const told: { place: string; inventory: Inventory; text: string }[] = []
  const untold: UserError[] = []
  for (const place of places)
    try {
      told.push({ place, ...(await inventoryOf(context, place, search)) })
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      untold.push(error)
    }
  const [first] = told
  if (first === undefined) throw untold[0]
  for (const { message } of untold) context.talk.warn(message)
  const inventories = told.map(({ inventory }) => inventory)
  const placed = <T extends object>(logs: string, found: readonly T[]) => found.map((one) => ({ logs, ...one }))
  const withSources = told.find(({ inventory }) => inventory.sources.length > 0) ?? first
  return {
    json: {
      logs: places.join(),
      sources: inventories.flatMap(({ logs, sources }) => placed<object>(logs, sources)),
      others: inventories.flatMap(({ logs, others }) => placed(logs, others)),
      unknown: inventories.flatMap(({ logs, unknown }) => (unknown === undefined ? [] : [{ logs, ...unknown }])),
      listRequests: inventories.reduce((sum, { listRequests }) => sum + listRequests, 0),
    },
    text: told.map(({ inventory, text: shown }) => `${inventory.logs}\n\n${shown}`).join('\n\n\n'),
    ...nextOf(withSources.inventory, withSources.place, context.now()),
  }
}
