import type { Leftover } from '../lib/aws/leftover.ts'
import { awsOf, stackOutputs } from '../lib/aws/settings.ts'
import { type CommandResult, type Context, defineCommand } from '../lib/cli/command.ts'
import { bytes, facts, plural } from '../lib/cli/format.ts'
import { flag, type Values } from '../lib/cli/options.ts'
import { awsOptions, guardOptions, runOptions } from '../lib/cli/shared-options.ts'
import { athenaOptions } from '../lib/engines/athena/athena.ts'
import { paths } from '../lib/runs/paths.ts'
import type { Run } from '../lib/runs/run.ts'
import { chosenRun } from '../lib/runs/workspace.ts'
import { awsLeftovers, removeInAws } from './aws/clean.ts'
import {
  isNothing,
  type Leftovers,
  leftoversOf,
  type Remnant,
  removeEverything,
  removeReplaceable,
} from './local/clean.ts'

const { overwrite: _, maxCost: __, ...shared } = { ...runOptions, ...guardOptions }

const options = {
  everything: flag({
    about:
      'remove the whole run folder, with pairs, model, verdicts and report, and reports over several runs that include it',
  }),
  ...shared,
  ...athenaOptions,
  ...awsOptions,
}

export const command = defineCommand({
  name: 'clean',
  summary: 'remove what a run has left that costs money or space',
  description:
    'Stops an endpoint that was left running, and removes the staged objects and drafts. Pairs, model, verdicts and report stay; stage brings the objects back. Nothing outside the run folder is touched: logs that were linked stay where they are. With a workspace in S3, clean first cancels what still works for the run and waits for its end: jobs of S3 Batch Operations, Athena queries, training and transform jobs. Then it also deletes the endpoint, its configurations and models, drops the tables of interrupted extractions and aborts failed uploads. It only deletes what the run has made.',
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
  options,
  async run(context, values) {
    const { everything, dryRun } = values
    const run = await chosenRun(values, context)
    if (run.folder === undefined) return cleanInAws(context, run, values)
    const leftovers = await leftoversOf(run, everything)
    if (isNothing(leftovers)) return nothing(run.id)
    const plan = planOf(leftovers)
    if (dryRun)
      return {
        json: {
          run: run.id,
          dryRun: true,
          wouldRemove: leftovers.remnants.map(({ name }) => name),
          ...endpointIn(leftovers),
        },
        text: [`would remove of run ${run.id}`, ...plan].join('\n'),
      }
    const action = everything ? `remove all of run ${run.id}` : `clean run ${run.id}`
    await context.approve({ action, plan: [`of run ${run.id}`, ...plan], kind: 'delete', typed: run.id })
    const removed = await (everything ? removeEverything : removeReplaceable)(run, context.signal)
    return renderCleaned(run.id, removed)
  },
})

const nothing = (run: string): CommandResult => ({
  json: { run, removed: [] },
  text: facts([
    ['run', run],
    ['removed', 'nothing to do'],
  ]),
})

async function cleanInAws(context: Context, run: Run, values: Values<typeof options>): Promise<CommandResult> {
  const { everything, dryRun } = values
  const { signal, sleep, talk } = context
  const said = new Set<string>()
  // What is looked up for the plan is looked up again before it is removed.
  const warn = (text: string) => {
    if (!said.has(text)) talk.warn(text)
    said.add(text)
  }
  const step = { run, options: { ...values, ...awsOf(values, context) }, signal, sleep, warn }
  const found = await awsLeftovers(step)
  if (found.length === 0 && !everything) {
    // A process that was killed at its end has removed everything, but neither recorded that nor released its lock.
    if (!dryRun && (await run.store.head(paths.lock)) !== undefined) await removeInAws(step)
    return nothing(run.id)
  }
  const plan = found.map((leftover) => `  ${leftover.what}: ${awsSizeOf(leftover)}`)
  if (everything) plan.push('  the run itself: its ledger')
  if (dryRun)
    return {
      json: { run: run.id, dryRun: true, wouldRemove: found.map(({ what }) => what) },
      text: [`would remove of run ${run.id}`, ...plan].join('\n'),
    }
  const action = everything ? `remove all of run ${run.id}` : `clean run ${run.id}`
  await context.approve({ action, plan: [`of run ${run.id} in AWS`, ...plan], kind: 'delete', typed: run.id })
  const removed = await removeInAws(step)
  const lines = removed.map(({ what, files, bytes: size, done = 'removed' }): [string, string] => [
    what,
    size > 0 ? `${filesText(files)}, ${bytes(size)} freed` : done,
  ])
  return { json: { run: run.id, removed }, text: facts([['run', run.id], ...lines]) }
}

const awsSizeOf = ({ note, files, bytes: size }: Leftover): string => note ?? `${filesText(files)}, ${bytes(size)}`

const endpointIn = ({ endpoint }: Leftovers) => (endpoint?.running === true ? { endpoint: endpoint.url } : {})

function planOf({ endpoint, remnants }: Leftovers): string[] {
  const lines = remnants.map((remnant) => `  ${remnant.name}: ${sizeOf(remnant)}`)
  if (endpoint === undefined) return lines
  return [`  endpoint ${endpoint.url}: ${endpoint.running ? 'running' : 'no longer running'}`, ...lines]
}

const filesText = (files: number): string => plural(files, 'file')

function sizeOf({ files, bytes: size, linkedBytes }: Remnant): string {
  const linked = linkedBytes > 0 ? `; ${bytes(linkedBytes)} of it are links to logs that stay` : ''
  return `${filesText(files)}, ${bytes(size)}${linked}`
}

function renderCleaned(run: string, removed: Awaited<ReturnType<typeof removeEverything>>): CommandResult {
  const lines = removed.map(({ what, files, bytes: size }): [string, string] => [
    what,
    what.startsWith('endpoint ') ? 'stopped' : `${filesText(files)}, ${bytes(size)} freed`,
  ])
  return { json: { run, removed }, text: facts([['run', run], ...lines]) }
}
