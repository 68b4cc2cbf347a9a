import { join, resolve } from 'node:path'
import { defineCommand } from '../lib/cli/command.ts'
import { UsageError } from '../lib/cli/errors.ts'
import { bytes, count, facts, quoted } from '../lib/cli/format.ts'
import { choices, flag, number, parsed, text } from '../lib/cli/options.ts'
import { describeWindow, windowOf } from '../lib/runs/window.ts'
import { LABELS } from './folder.ts'
import { bytesOf } from './settings.ts'
import { simulate, simulated } from './simulate.ts'

export const command = defineCommand({
  name: 'simulate',
  summary: 'write a realistic log folder with known attacks in it',
  description:
    'Writes what AWS would deliver to the bucket of an organization: CloudTrail logs with their digests, logs of the other sources, and other things that lie beside them. Users come from their own networks, following the generative model of the IP Insights tutorial. In the last fifth of the window somebody else uses some of their names; labels.csv lists these attacks. The same settings give the same bytes.',
  examples: [
    { run: 'npx zx scripts/simulate.mjs --logs ./logs', does: 'ten days of 300 users' },
    {
      run: 'npx zx scripts/simulate.mjs --logs ./big-logs --source cloudtrail --size 2.5GB --users 2000',
      does: '2.5 GB of CloudTrail, uncompressed',
    },
  ],
  options: {
    logs: text({ about: 'folder to write into', value: 'DIR', required: true }),
    seed: number({
      about: 'seed of the random numbers: another seed gives other logs',
      default: 1,
      min: 0,
      max: 2 ** 31 - 1,
      integer: true,
    }),
    users: number({
      about: 'principals in CloudTrail; the other sources have a fifth as many clients',
      default: 300,
      min: 1,
      max: 1e6,
      integer: true,
    }),
    accounts: number({ about: 'accounts of the organization', default: 3, min: 1, max: 1000, integer: true }),
    from: text({
      about: 'start of the window, UTC; the day before it is simulated as well',
      value: 'TIME',
      default: '2026-03-02',
    }),
    to: text({
      about: 'end of the window, exclusive; the day after it is simulated as well',
      value: 'TIME',
      default: '2026-03-12',
    }),
    source: choices(simulated, { about: 'only these sources', value: 'NAME' }),
    events: number({
      about: 'total events of each source (default: as many as the users make)',
      min: 1,
      max: 1e8,
      integer: true,
    }),
    size: parsed({
      about: 'approximate uncompressed size of the logs of each source, in place of --events',
      value: 'SIZE',
      parse: bytesOf,
    }),
    overwrite: flag({ about: 'replace an earlier simulation, or write into a folder that is not empty' }),
  },
  async run(context, options) {
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(options.logs))
      throw new UsageError(
        `--logs ${options.logs}: simulate only writes into a folder`,
        'copy it to S3 with "aws s3 sync"',
      )
    if (options.events !== undefined && options.size !== undefined)
      throw new UsageError('--events and --size exclude each other')
    const folder = resolve(options.logs)
    const { seed, users, accounts, source, events, size } = options
    const sources = simulated.filter((name) => source.length === 0 || source.includes(name))
    const settings = { seed, users, accounts, window: windowOf(options, context.now()), sources, events, size }
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
        ['events', count(totals.events)],
        ['attacks', `${count(totals.attacks)}, listed in ${labels}`],
      ]),
      next: `npx zx scripts/inventory.mjs --logs ${quoted(options.logs)}`,
    }
  },
})
