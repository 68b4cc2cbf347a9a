import { stackOutputs } from '../lib/aws/settings.ts'
import { type CommandResult, defineCommand } from '../lib/cli/command.ts'
import { withBudget } from '../lib/cli/contexts.ts'
import { duration } from '../lib/cli/format.ts'
import { choices, flag, number, text } from '../lib/cli/options.ts'
import {
  awsOptions,
  guardOptions,
  networksOption,
  sagemakerOptions,
  scopeOptions,
  windowOptions,
  workspaceOption,
} from '../lib/cli/shared-options.ts'
import { athenaOptions } from '../lib/engines/athena/athena.ts'
import { allowancesIn } from '../lib/runs/allowances.ts'
import { openProviders } from '../lib/runs/providers/providers.ts'
import { ownSources } from '../lib/sources/own/own.ts'
import { knownIds } from '../lib/sources/registry.ts'
import { command as scoreCommand } from '../score/command.ts'
import { findingsOptions, wantedFindings } from '../score/findings/options.ts'
import { command as stageCommand } from '../stage/command.ts'
import { checkDemo, DEMO_ALERTS, DEMO_FOLDER, renderDemoPlan, simulateLogs } from './demo.ts'
import { ALL, sourcesMeant } from './everything.ts'
import { resultLines, resultText, stepResults, type Taken, takeThrough } from './one.ts'
import { adviceFor, entitiesOf, withWindow } from './sources.ts'

export const command = defineCommand({
  name: 'pipeline',
  summary: 'take logs through all steps: stage, extract, train, score, report',
  description:
    'Runs the steps one after the other, as their own scripts do. A step that is done is not repeated, so an interrupted pipeline is simply started again. On this machine the model is served only while the pipeline scores. With a workspace in S3 the steps run in AWS, each with its own estimate; --max-cost limits their sum, and the endpoint stays until clean. Several sources have a run and a report each, and share one page: in AWS they run side by side, on this machine one after the other. If one fails, the others still finish.',
  examples: [
    {
      run: 'npx zx scripts/pipeline.mjs --demo',
      does: 'everything, on simulated logs with attacks in them, on this machine',
    },
    {
      run: 'npx zx scripts/pipeline.mjs --source cloudtrail --logs ./logs --from 2026-03-02 --to 2026-03-12',
      does: 'the same on your own logs',
    },
    {
      run: 'npx zx scripts/pipeline.mjs --source cloudtrail,waf --logs ./logs --from 2026-03-02 --to 2026-03-12',
      does: 'both sources, and one report over them',
    },
    {
      run: 'npx zx scripts/pipeline.mjs --source all --logs ./logs --from 2026-03-02 --to 2026-03-12',
      does: 'every source that inventory finds there',
    },
    {
      run: 'npx zx scripts/pipeline.mjs --source cloudtrail,waf --last 24h --stack prestage --max-cost 5',
      does: 'both in AWS after setup: logs, workspace and roles come from the stack',
    },
    {
      run: 'npx zx scripts/pipeline.mjs --source cloudtrail --logs s3://org-logs --last 24h --workspace s3://org-staging/prestage --batch-role arn:aws:iam::111122223333:role/prestage-batch --sagemaker-role arn:aws:iam::111122223333:role/prestage-sagemaker --max-cost 5',
      does: 'everything in AWS, for five dollars at most',
    },
    {
      run: 'npx zx scripts/pipeline.mjs --source cloudtrail --logs s3://org-logs --last 10d --findings asff --findings-account 111122223333 --findings-region us-east-1 --allow 203.0.113.0/24',
      does: 'what is flagged also as findings for AWS Security Hub; every night, nightly does this with one model',
    },
  ],
  stackOutputs,
  ownSources,
  options: {
    demo: flag({
      about: `simulate logs first, in ./${DEMO_FOLDER}; the runs are kept there as well, unless --workspace names another folder`,
      offline: true,
    }),
    source: choices(() => [...knownIds(), ALL], {
      about: 'kind of log, or all that are there; several share one report besides their own',
      value: 'NAME',
    }),
    ...scopeOptions,
    ...windowOptions,
    ...workspaceOption,
    entity: text({ about: 'who: principal, arn, user-agent, …; see extract --help', value: 'NAME' }),
    alertsPerDay: number({
      about: `alert budget per day (default: 10; with --demo ${DEMO_ALERTS}, since the demo has many attacks)`,
      min: 0,
    }),
    labels: text({ about: 'known attacks, to measure against: source,entity,ip,kind,time', value: 'FILE' }),
    copy: stageCommand.options.copy,
    batchRole: stageCommand.options.batchRole,
    poll: stageCommand.options.poll,
    rank: scoreCommand.options.rank,
    prior: scoreCommand.options.prior,
    allow: scoreCommand.options.allow,
    ...networksOption,
    ...findingsOptions,
    ...athenaOptions,
    ...sagemakerOptions,
    ...guardOptions,
    ...awsOptions,
  },
  async run(asker, options): Promise<CommandResult> {
    const context = withBudget(asker, options.maxCost, options.yes)
    const started = context.now().getTime()
    if (options.demo) checkDemo(options)
    // Now, not hours later in extract and score.
    wantedFindings(
      { accounts: options.account, regions: options.region },
      { ...options, alertsPerDay: options.alertsPerDay ?? 10 },
    )
    await openProviders(options.networks)
    await allowancesIn(options.allow, context.now())
    const sources = await sourcesMeant(context, options)
    if (sources.length > 0) entitiesOf(sources, options.entity)
    const taken: Taken = { steps: new Map() }
    const windowed = withWindow(options, sources, context.now())
    let given = { ...windowed, ...adviceFor(command, windowed), source: sources[0] }
    if (options.demo && options.dryRun) return renderDemoPlan(options.workspace, sources)
    if (options.demo) {
      const { result, inputs } = await simulateLogs(context, options.workspace, sources)
      taken.steps.set('simulate', result)
      given = {
        ...given,
        source: sources[0] ?? 'cloudtrail',
        ...inputs,
        alertsPerDay: options.alertsPerDay ?? DEMO_ALERTS,
      }
    }
    if (sources.length > 1) {
      const { takeSeveral } = await import('./several.ts')
      const { json, ...result } = await takeSeveral(context, sources, given)
      return { ...result, json: { ...json, ...stepResults(taken) } }
    }
    const run = await takeThrough(context, given, taken)
    if (run === undefined) return { json: { steps: stepResults(taken) }, text: taken.steps.get('stage')?.text ?? '' }
    const { report } = run.result('report')
    const took = duration(context.now().getTime() - started)
    return {
      json: { run: run.id, steps: stepResults(taken), report },
      text: resultText(taken, [...resultLines(run, taken, given.again), ['took', took], ['report', report]]),
    }
  },
})
