import { createHash } from 'node:crypto'
import { stackOutputs } from '../lib/aws/stack-outputs.ts'
import { defineCommand } from '../lib/cli/command.ts'
import { bytes, facts, quoted } from '../lib/cli/format.ts'
import { awsOptions, runOptions } from '../lib/cli/shared-options.ts'
import { hasPairs, toMakePairs } from '../lib/runs/pairs.ts'
import { paths } from '../lib/runs/paths.ts'
import type { StepName } from '../lib/runs/results.ts'
import { chosenRun } from '../lib/runs/workspace.ts'

export const command = defineCommand({
  name: 'report',
  summary: 'show a run on one page',
  description:
    'Writes report.html: what does not fit and where those entities usually come from, how the scores lie, how the model does against plain rules, what could not be judged, and what became of every event. One file without scripts that asks the network for nothing; for screen, light or dark, and paper.',
  examples: [
    { run: 'npx zx scripts/report.mjs --run latest', does: 'writes the page and prints its path' },
    {
      run: 'npx zx scripts/report.mjs --run latest --workspace ./prestage-demo/workspace --output json',
      does: 'the same for the demo, for a program to read',
    },
    {
      run: 'npx zx scripts/report.mjs --workspace s3://org-staging/prestage',
      does: 'of the latest run in S3, beside its verdicts there',
    },
  ],
  stackOutputs,
  options: { ...runOptions, ...awsOptions },
  async run(context, values) {
    const { overwrite, dryRun } = values
    const run = await chosenRun(values, context)
    run.result('train')
    const path = run.store.localPath?.(paths.report) ?? run.uriOf(paths.report)
    const inputs: StepName[] = ['stage', 'extract', 'train']
    if (run.isDone('score')) inputs.push('score')
    if (dryRun) return { json: { run: run.id, dryRun: true, report: path, inputs }, text: `would write ${path}` }
    const plan = {
      settings: {},
      inputs,
      overwrite,
      onChange: 'redo',
      redoIf: async () => (await run.store.head(paths.report)) === undefined,
    } as const
    const { repeated, ...result } = await run.step('report', plan, async () => {
      const [{ reportData }, { pageOf }] = await Promise.all([import('./collect.ts'), import('./page.ts')])
      const page = await pageOf(await reportData(run, context.signal))
      context.signal.throwIfAborted()
      await run.store.write(paths.report, page)
      const digest = createHash('sha256').update(page).digest('hex')
      return { report: path, bytes: Buffer.byteLength(page), digest }
    })
    if (!repeated && run.isDone('score') && !(await hasPairs(run, 'train')))
      context.talk.warn(
        `the training pairs are not there any more: the page does not say where entities usually come from. ${await toMakePairs(run)}`,
      )
    if (!run.isDone('score'))
      context.talk.warn('nothing has been scored yet: the page says so and shows the model alone')
    return {
      json: { run: run.id, ...result, repeated },
      text: facts([
        ['run', run.id],
        ['report', `${path} (${bytes(result.bytes)})${repeated ? ', was written before' : ''}`],
        run.folder === undefined ? ['to open it', `aws s3 cp ${quoted(path)} .`] : undefined,
      ]),
    }
  },
})
