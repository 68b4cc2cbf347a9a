import { defineCommand, type Outcome } from '../cli/command.ts'
import type { Context } from '../cli/context.ts'
import { UsageError } from '../cli/errors.ts'
import { duration, facts } from '../cli/format.ts'
import { choice, flag, number, text } from '../cli/options.ts'
import {
  awsOptions,
  guardOptions,
  sagemakerOptions,
  scopeOptions,
  windowOptions,
  workspaceOption,
} from '../cli/shared-options.ts'
import { athenaOptions } from '../engines/athena.ts'
import { command as scoreCommand } from '../score/command.ts'
import { findingsOptions, wantedFindings } from '../score/findings/options.ts'
import { sourceIds } from '../sources/registry.ts'
import { command as stageCommand } from '../stage/command.ts'
import { locationOf } from '../stores/uri.ts'
import { withBudget } from './budget.ts'
import { DEMO_ALERTS, DEMO_FOLDER, simulateLogs } from './demo.ts'
import { serving } from './serving.ts'
import { take } from './steps.ts'

export const command = defineCommand({
  name: 'pipeline',
  summary: 'take logs through all steps: stage, extract, train, score, report',
  description:
    'Runs the steps one after the other, each as its own script would. What is done is not done again, so an interrupted pipeline is simply started again. On this machine the endpoint is served only while it scores. With a workspace in S3 the steps run in AWS, each with its own estimate; --max-cost limits them all together, and the endpoint stays until clean.',
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
      run: 'npx zx scripts/pipeline.mjs --source cloudtrail --logs s3://org-logs --last 24h --workspace s3://org-staging/prestage --batch-role arn:aws:iam::111122223333:role/prestage-batch --sagemaker-role arn:aws:iam::111122223333:role/prestage-sagemaker --max-cost 5',
      does: 'everything in AWS, for five dollars at most',
    },
    {
      run: 'npx zx scripts/pipeline.mjs --source cloudtrail --logs s3://org-logs --last 24h --findings asff --findings-account 111122223333 --findings-region us-east-1 --allow 203.0.113.0/24',
      does: 'every night: what is flagged also as findings for AWS Security Hub',
    },
  ],
  options: {
    demo: flag({ about: `simulate logs first, in ./${DEMO_FOLDER}`, offline: true }),
    source: choice(sourceIds, { about: 'kind of log' }),
    ...scopeOptions,
    ...windowOptions,
    ...workspaceOption,
    entity: text({ about: 'who: principal, arn, user-agent, …; see extract --help', value: 'NAME' }),
    alertsPerDay: number({
      about: `alerts a day that somebody can look at (default: 10; with --demo ${DEMO_ALERTS}, since it has many attacks)`,
      min: 0,
    }),
    labels: text({ about: 'known attacks, to measure against: source,entity,ip,kind,time', value: 'FILE' }),
    copy: stageCommand.options.copy,
    batchRole: stageCommand.options.batchRole,
    poll: stageCommand.options.poll,
    allow: scoreCommand.options.allow,
    ...findingsOptions,
    ...athenaOptions,
    ...sagemakerOptions,
    ...guardOptions,
    ...awsOptions,
  },
  async run(asker, options) {
    const context = withBudget(asker, options.maxCost, options.yes)
    const started = context.now().getTime()
    if (options.demo && (options.logs !== undefined || options.from !== undefined || options.last !== undefined))
      throw new UsageError(
        '--demo brings its own logs and window',
        'leave --logs and the window out, or leave --demo out',
      )
    // Hours before score would say it.
    wantedFindings(
      { accounts: options.account, regions: options.region },
      { ...options, alertsPerDay: options.alertsPerDay ?? 10 },
    )
    const steps: Record<string, unknown> = {}
    const note = (name: string, outcome: Outcome) => {
      steps[name] = outcome.json
      return outcome
    }
    let given: Record<string, unknown> = { ...options }
    if (options.demo) {
      const { outcome, inputs } = await simulateLogs(context, options.source ?? 'cloudtrail')
      note('simulate', outcome)
      given = { ...given, ...inputs, alertsPerDay: options.alertsPerDay ?? DEMO_ALERTS }
    }
    const staged = note('stage', await stage(context, given))
    if (options.dryRun) return { json: { steps }, text: staged.text }
    const run = String(staged.json.run)
    await rest(context, { ...given, workspace: String(given.workspace), run }, note)
    return summary(steps, run, context.now().getTime() - started)
  },
})

const stage = async (context: Context, given: Record<string, unknown>): Promise<Outcome> =>
  take((await import('../stage/command.ts')).command, context, given)

type Given = Record<string, unknown> & { workspace: string; run: string }

async function rest(context: Context, given: Given, note: (name: string, outcome: Outcome) => Outcome) {
  note('extract', await take((await import('../extract/command.ts')).command, context, given))
  note('train', await take((await import('../train/command.ts')).command, context, given))
  const score = (await import('../score/command.ts')).command
  if (locationOf(given.workspace).kind === 's3') {
    note('deploy', await take((await import('../deploy/command.ts')).command, context, given))
    note('score', await take(score, context, given))
  } else
    await serving(context, given, async (endpoint, deployed) => {
      note('deploy', deployed)
      note('score', await take(score, context, { ...given, endpoint }))
    })
  note('report', await take((await import('../report/command.ts')).command, context, given))
}

function summary(steps: Record<string, unknown>, run: string, ms: number): Outcome {
  const result = (step: string, field: string) => (steps[step] as Record<string, unknown> | undefined)?.[field]
  const report = String(result('report', 'report'))
  const number = (step: string, field: string) => Number(result(step, field)).toLocaleString('en-US')
  return {
    json: { run, steps, report },
    text: facts([
      ['run', run],
      ['staged', `${number('stage', 'objects')} objects`],
      ['extracted', `${number('extract', 'pairs')} pairs of ${number('extract', 'entities')} entities`],
      ['trained', `AUC ${number('train', 'auc')} against random addresses`],
      [
        'scored',
        `${number('score', 'scored')} pairs, ${number('score', 'flagged')} flagged, ${number('score', 'unseen')} of entities never seen before`,
      ],
      ['took', duration(ms)],
      ['report', report],
    ]),
  }
}
