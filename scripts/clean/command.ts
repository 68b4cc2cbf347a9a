import { defineCommand, type Outcome } from '../cli/command.ts'
import { bytes, count, facts } from '../cli/format.ts'
import { flag } from '../cli/options.ts'
import { guardOptions, runOptions } from '../cli/shared-options.ts'
import { openRun } from '../runs/workspace.ts'
import { isNothing, type Leftovers, leftoversOf, removeEverything, removeReplaceable } from './clean.ts'
import type { Remnant } from './remnants.ts'

const { overwrite: _, maxCost: __, ...options } = { ...runOptions, ...guardOptions }

export const command = defineCommand({
  name: 'clean',
  summary: 'remove what a run left that costs money or space',
  description:
    'Stops an endpoint that was left running and removes the staged objects and drafts. Pairs, model, verdicts and report stay; staging again brings the objects back. Nothing outside the run folder is touched: logs that were linked stay where they are.',
  examples: [
    { run: 'npx zx scripts/clean.mjs --run latest --dry-run', does: 'shows what would go' },
    { run: 'npx zx scripts/clean.mjs --run latest', does: 'removes it, after you have typed the id of the run' },
    {
      run: 'npx zx scripts/clean.mjs --run cloudtrail-20260302T0000Z-20260312T0000Z-3f9a1c --everything --yes',
      does: 'removes the whole run, model and report included, without a question',
    },
  ],
  options: {
    everything: flag({ about: 'the whole run folder, with pairs, model, verdicts and report' }),
    ...options,
  },
  async run(context, { workspace, run: id, everything, dryRun }) {
    const run = await openRun(workspace, id)
    const leftovers = await leftoversOf(run, everything)
    if (isNothing(leftovers))
      return {
        json: { run: run.id, removed: [] },
        text: facts([
          ['run', run.id],
          ['removed', 'nothing to do'],
        ]),
      }
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
    return outcomeOf(run.id, removed)
  },
})

const endpointIn = ({ endpoint }: Leftovers) => (endpoint?.running === true ? { endpoint: endpoint.url } : {})

function planOf({ endpoint, remnants }: Leftovers): string[] {
  const lines = remnants.map((remnant) => `  ${remnant.name}: ${sizeOf(remnant)}`)
  if (endpoint === undefined) return lines
  return [`  endpoint ${endpoint.url}: ${endpoint.running ? 'running' : 'no longer running'}`, ...lines]
}

const filesText = (files: number): string => `${count(files)} ${files === 1 ? 'file' : 'files'}`

function sizeOf({ files, bytes: size, linkedBytes }: Remnant): string {
  const linked = linkedBytes > 0 ? `; ${bytes(linkedBytes)} of it are links to logs that stay` : ''
  return `${filesText(files)}, ${bytes(size)}${linked}`
}

function outcomeOf(run: string, removed: Awaited<ReturnType<typeof removeEverything>>): Outcome {
  const lines = removed.map(({ what, files, bytes: size }): [string, string] => [
    what,
    what.startsWith('endpoint ') ? 'stopped' : `${filesText(files)}, ${bytes(size)} freed`,
  ])
  return { json: { run, removed }, text: facts([['run', run], ...lines]) }
}
