import { join, resolve } from 'node:path'
import { defineCommand } from '../lib/cli/command.ts'
import { UsageError } from '../lib/cli/errors.ts'
import { bytes, count, facts, quoted } from '../lib/cli/format.ts'
import { flag, list, number, parsed, text } from '../lib/cli/options.ts'
import { describeWindow, windowOf } from '../lib/runs/window.ts'
import { LABELS } from './folder.ts'
import { bytesOf, type Settings } from './settings.ts'
import { simulate, simulated } from './simulate.ts'

const sourceName = (name: string): string => {
  if (!simulated.some((source) => source === name)) throw new Error(`must be one of ${simulated.join(', ')}`)
  return name
}

export const command = defineCommand({
  name: 'simulate',
  summary: 'write a realistic log folder with known attacks in it',
  description:
    'Writes what AWS would deliver to the bucket of an organization: CloudTrail logs with their digests, WAF logs, and other things that lie beside them. Users come from their own networks, after the generative model of the IP Insights tutorial; in the last fifth of the window somebody else uses some of their names, which labels.csv tells. The same settings give the same bytes.',
  examples: [
    { run: 'npx zx scripts/simulate.mjs --logs ./logs', does: 'ten days of 300 users' },
    {
      run: 'npx zx scripts/simulate.mjs --logs ./big-logs --source cloudtrail --size 2.5GB --users 2000',
      does: '2.5 GB of CloudTrail, uncompressed',
    },
  ],
  options: {
    logs: text({ about: 'folder to write into', value: 'DIR', required: true }),
    seed: number({ about: 'another seed, other logs', default: 1, min: 0, max: 2 ** 31 - 1, integer: true }),
    users: number({
      about: 'principals in CloudTrail; WAF has a fifth as many user agents',
      default: 300,
      min: 1,
      max: 1e6,
      integer: true,
    }),
    accounts: number({ about: 'accounts of the organization', default: 3, min: 1, max: 1000, integer: true }),
    from: text({
      about: 'start of the window, UTC; a day before it is simulated too',
      value: 'TIME',
      default: '2026-03-02',
    }),
    to: text({
      about: 'end of the window, exclusive; a day after it is simulated too',
      value: 'TIME',
      default: '2026-03-12',
    }),
    source: list({ about: `only these sources (default: ${simulated.join(', ')})`, value: 'NAME', parse: sourceName }),
    events: number({
      about: 'events of each source in all (default: what the users do)',
      min: 1,
      max: 1e8,
      integer: true,
    }),
    size: parsed({
      about: 'uncompressed size of the logs of each source, about, instead of --events',
      value: 'SIZE',
      parse: bytesOf,
    }),
    overwrite: flag({ about: 'replace an earlier simulation, or write into a folder that is not empty' }),
  },
  async run(context, options) {
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(options.logs))
      throw new UsageError(
        `--logs ${options.logs}: only a folder can be simulated into`,
        'copy it to S3 with "aws s3 sync"',
      )
    if (options.events !== undefined && options.size !== undefined)
      throw new UsageError('--events and --size exclude each other')
    const folder = resolve(options.logs)
    const settings = settingsOf(options, windowOf(options, context.now()))
    const { totals, written } = await simulate(folder, settings, context, options)
    const labels = join(folder, LABELS)
    const { from, to } = settings.window
    return {
      json: {
        logs: folder,
        ...totals,
        labels,
        from: from.toISOString(),
        to: to.toISOString(),
        sources: settings.sources,
        repeated: written === 0,
      },
      text: facts([
        ['logs', folder],
        ['window', describeWindow(settings.window)],
        ['objects', `${count(totals.objects)} (${bytes(totals.bytes)})${written === 0 ? ', were there already' : ''}`],
        ['events', count(Number(totals.events))],
        ['attacks', `${count(Number(totals.attacks))}, listed in ${labels}`],
      ]),
      next: `npx zx scripts/inventory.mjs --logs ${quoted(options.logs)}`,
    }
  },
})

interface Given extends Pick<Settings, 'seed' | 'users' | 'accounts' | 'events' | 'size'> {
  readonly source: readonly string[]
}

function settingsOf(given: Given, window: Settings['window']): Settings {
  const { seed, users, accounts, source, events, size } = given
  const sources = source.length === 0 ? simulated : simulated.filter((name) => source.includes(name))
  return { seed, users, accounts, window, sources, events, size }
}
