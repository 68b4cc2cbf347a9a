import { createHash } from 'node:crypto'
import { awsOf, stackOutputs } from '../lib/aws/settings.ts'
import { type Context, defineCommand } from '../lib/cli/command.ts'
import { bytes, facts, quoted } from '../lib/cli/format.ts'
import { text } from '../lib/cli/options.ts'
import { awsOptions, networksOption, runOptions } from '../lib/cli/shared-options.ts'
import { hasPairs, toMakePairs } from '../lib/runs/pairs.ts'
import { HOLDOUT, reportStep, scorePaths, scoreStep } from '../lib/runs/paths.ts'
import { openProviders } from '../lib/runs/providers/providers.ts'
import type { StepName } from '../lib/runs/results.ts'
import type { Run } from '../lib/runs/run.ts'
import { chosenRun, openRun, otherRun, type RunChoice } from '../lib/runs/workspace.ts'
import { ownSources } from '../lib/sources/own/own.ts'

export const command = defineCommand({
  name: 'report',
  summary: 'show a run on one page',
  description:
    'Writes report.html: the pairs that do not fit and where their entities usually come from, when they came, hour by hour, what is allowed, the distribution of scores, the model compared with plain rules, the entities that could not be judged, and what happened to every event. All flagged pairs are listed, up to 10,000. The page is one file that loads nothing from the network, for screen (light or dark), phone and paper. Its own small script filters and sorts the tables and copies the commands that follow an alert; without scripts everything can be read all the same. The page about another run lies beside its verdicts.',
  examples: [
    { run: 'npx zx scripts/report.mjs --run latest', does: 'writes the page and prints its path' },
    {
      run: 'npx zx scripts/report.mjs --run latest --workspace ./prestage-demo/workspace --output json',
      does: 'the same for the demo, for a program to read',
    },
    {
      run: 'npx zx scripts/report.mjs --workspace s3://org-staging/prestage',
      does: 'of the latest run in S3, written there',
    },
    {
      run: 'npx zx scripts/report.mjs --run latest --from-run cloudtrail-20260312T0000Z-20260313T0000Z-3f9a1c',
      does: 'shows what the model says about the next day',
    },
  ],
  stackOutputs,
  ownSources,
  options: {
    fromRun: text({
      about: 'show the verdicts on this other run, or on the holdout (default: what was scored last)',
      value: 'ID|holdout',
    }),
    ...networksOption,
    ...runOptions,
    ...awsOptions,
  },
  async run(context, values) {
    const { overwrite, dryRun } = values
    const run = await chosenRun(values, context)
    // Fails for a run that is not even extracted, and says which step comes first.
    if (!run.isDone('extract')) run.result('train')
    const other = await judgedRun(context, run, values)
    const judged = other?.id ?? HOLDOUT
    const [scored, key] = [scoreStep(judged), scorePaths(judged).report]
    const isScored = run.isDone(scored)
    const path = run.store.localPath?.(key) ?? run.uriOf(key)
    const inputs: StepName[] = ['stage', 'extract', ...(['train', scored] as const).filter((step) => run.isDone(step))]
    const providers = await openProviders(values.networks)
    if (dryRun) return { json: { run: run.id, dryRun: true, report: path, inputs }, text: `would write ${path}` }
    const plan = {
      settings: { ...(providers && { networks: providers.digest }) },
      inputs,
      overwrite,
      onChange: 'redo',
      redoIf: async () => (await run.store.head(key)) === undefined,
    } as const
    const { repeated, ...result } = await run.step(reportStep(judged), plan, async () => {
      const [{ reportData }, { pageOf }] = await Promise.all([import('./collect.ts'), import('./page.ts')])
      const page = await pageOf(await reportData(run, other, { ...context, providers }))
      context.signal.throwIfAborted()
      await run.store.write(key, page)
      const digest = createHash('sha256').update(page).digest('hex')
      return { report: path, bytes: Buffer.byteLength(page), digest }
    })
    if (!repeated && isScored && !(await hasPairs(run, 'train')))
      context.talk.warn(
        `the training pairs no longer exist: the page does not say where entities usually come from. ${await toMakePairs(run)}`,
      )
    if (!isScored) context.talk.warn('nothing has been scored yet: the page says so and shows the model alone')
    return {
      json: { run: run.id, judged, ...result, repeated },
      text: facts([
        ['run', run.id],
        ['judged', other === undefined ? 'the holdout' : `run ${judged}`],
        ['report', `${path} (${bytes(result.bytes)})${repeated ? ', was written before' : ''}`],
        run.folder === undefined ? ['to open it', `aws s3 cp ${quoted(path)} .`] : undefined,
      ]),
    }
  },
})

/** The other run whose verdicts are shown; undefined for the holdout. Without a choice, whatever was scored last. */
async function judgedRun(context: Context, run: Run, choice: RunChoice & { readonly fromRun: string | undefined }) {
  const { workspace, fromRun } = choice
  if (fromRun === HOLDOUT) return undefined
  if (fromRun !== undefined) return otherRun({ ...choice, run: fromRun }, run, context)
  const [last] = Object.entries(run.ledger.steps)
    .filter(([step, { state }]) => /^score(\/|$)/.test(step) && state === 'done')
    .sort(([, a], [, b]) => ((a.finishedAt ?? '') < (b.finishedAt ?? '') ? 1 : -1))
  const [, id] = last?.[0].split('/') ?? []
  return id === undefined ? undefined : openRun(workspace, id, awsOf(choice, context))
}
