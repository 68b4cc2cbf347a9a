import type { Leftover } from '../lib/aws/leftover.ts'
import { awsOf, stackOutputs } from '../lib/aws/settings.ts'
import { type CommandResult, defineCommand } from '../lib/cli/command.ts'
import { bytes, facts, plural } from '../lib/cli/format.ts'
import { flag } from '../lib/cli/options.ts'
import { awsOptions, guardOptions, runOptions } from '../lib/cli/shared-options.ts'
import { athenaOptions } from '../lib/engines/athena/athena.ts'
import { paths } from '../lib/runs/paths.ts'
import type { Removal } from '../lib/runs/results.ts'
import { chosenRun } from '../lib/runs/workspace.ts'
import { ownSources } from '../lib/sources/own/own.ts'
import { awsLeftovers } from './aws/clean.ts'
import { removeAll, removeEach } from './leftovers.ts'
import { localLeftovers } from './local/clean.ts'

const { overwrite: _, maxCost: __, ...shared } = { ...runOptions, ...guardOptions }

export const command = defineCommand({
  name: 'clean',
  summary: 'remove what a run has left that costs money or space',
  description:
    'Stops an endpoint that was left running, and removes the staged objects and drafts. Pairs, model, verdicts and report stay; stage brings the objects back. Nothing outside the run folder is touched: logs that were linked stay where they are. With a workspace in S3, clean first cancels what still runs, and waits for its end: jobs of S3 Batch Operations, Athena queries, training and transform jobs. Then it also deletes the endpoint, its configurations and models, drops the tables of interrupted extractions and aborts failed uploads. It only deletes what the run has created.',
  examples: [
    { run: 'npx zx scripts/clean.mjs --run latest --dry-run', does: 'shows what would be removed' },
    { run: 'npx zx scripts/clean.mjs --run latest', does: 'removes it, after you have typed the id of the run' },
    {
      run: 'npx zx scripts/clean.mjs --run cloudtrail-20260302T0000Z-20260312T0000Z-3f9a1c --everything --yes',
      does: 'removes the whole run, model and report included, without a question',
    },
    {
      run: 'npx zx scripts/clean.mjs --workspace s3://org-staging/prestage --dry-run',
      does: 'what the latest run in S3 has left in AWS: endpoint, jobs, objects, tables',
    },
  ],
  stackOutputs,
  ownSources,
  options: {
    everything: flag({
      about:
        'remove the whole run folder, with pairs, model, verdicts and report, and reports over several runs that include it',
    }),
    ...shared,
    ...athenaOptions,
    ...awsOptions,
  },
  async run(context, values) {
    const { everything, dryRun } = values
    const { signal, sleep, talk } = context
    const run = await chosenRun(values, context)
    const said = new Set<string>()
    // What is looked up for the plan is looked up again before it is removed.
    const warn = (text: string) => {
      if (!said.has(text)) talk.warn(text)
      said.add(text)
    }
    const step = { run, options: { ...values, ...awsOf(values, context) }, signal, sleep, warn }
    const leftovers = () => (run.folder === undefined ? awsLeftovers(step) : localLeftovers(run, everything))
    const remove = () => removeAll(run, everything, () => removeEach(leftovers(), signal))
    const found: Leftover[] = []
    for await (const group of leftovers()) found.push(...group)
    if (found.length === 0) {
      // A process that was killed at its end has removed everything, but neither recorded that nor released its lock.
      if (!dryRun && (await run.store.head(paths.lock)) !== undefined) await remove()
      return renderCleaned(run.id, [])
    }
    const plan = found.map((leftover) => `  ${leftover.what}: ${sizeOf(leftover)}`)
    if (dryRun)
      return {
        json: { run: run.id, dryRun: true, wouldRemove: found.map(({ what }) => what) },
        text: [`would remove of run ${run.id}`, ...plan].join('\n'),
      }
    const action = everything ? `remove all of run ${run.id}` : `clean run ${run.id}`
    await context.approve({ action, plan: [`of run ${run.id}`, ...plan], kind: 'delete', typed: run.id })
    return renderCleaned(run.id, await remove())
  },
})

const filesText = (files: number, size: number): string => `${plural(files, 'file')}, ${bytes(size)}`

const sizeOf = ({ note, files, bytes: size }: Leftover): string => note ?? filesText(files, size)

function renderCleaned(run: string, removed: readonly Removal[]): CommandResult {
  const lines = removed.map(({ what, files, bytes: size, done }): [string, string] => [
    what,
    done ?? (files > 0 ? `${filesText(files, size)} freed` : 'removed'),
  ])
  return {
    json: { run, removed },
    text: facts([
      ['run', run],
      ...(lines.length > 0 ? lines : [['removed', 'nothing to do'] satisfies [string, string]]),
    ]),
  }
}
