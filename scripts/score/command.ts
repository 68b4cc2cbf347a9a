import { awsOf } from '../lib/aws/settings.ts'
import { stackOutputs } from '../lib/aws/stack-outputs.ts'
import { defineCommand, type Outcome } from '../lib/cli/command.ts'
import type { Context } from '../lib/cli/context.ts'
import { UsageError } from '../lib/cli/errors.ts'
import { aboutUsd } from '../lib/cli/format.ts'
import { choice, list, number, parsed, text, type Values } from '../lib/cli/options.ts'
import { awsOptions, runOptions } from '../lib/cli/shared-options.ts'
import { priceNote } from '../lib/runs/cost.ts'
import { nextCommand } from '../lib/runs/next.ts'
import { paths } from '../lib/runs/paths.ts'
import { OF_FILES } from '../lib/runs/request.ts'
import type { Run } from '../lib/runs/run.ts'
import { chosenRun, otherRun, runOfModel } from '../lib/runs/workspace.ts'
import { type AwsSettings, openStore } from '../lib/stores/open.ts'
import { execute } from './execute.ts'
import { findingsOptions, wantedFindings } from './findings/options.ts'
import { findingRows, writeAlerts } from './findings/write.ts'
import { type Prepared, preparedFor } from './prepare.ts'
import { summaryOf } from './render.ts'
import { regionFor, type Way, wayOf, ways } from './scoring.ts'
import { filesOfRun, filesTarget, runTarget, type Target } from './target.ts'

const options = {
  fromRun: text({
    about: 'judge all pairs of this run instead of the holdout; latest is the latest run of the same source',
    value: 'ID',
  }),
  pairs: list({
    about: 'judge the pairs of this file, without a run; needs --model, or the name of an --endpoint',
    value: 'FILE',
  }),
  model: text({
    about: 'folder with model.tar.gz and calibration.json, or s3://… of what train --pairs has made in SageMaker',
    value: 'DIR',
  }),
  scores: text({ about: 'folder for the verdicts, where there is no run', value: 'DIR', default: 'scores' }),
  endpoint: parsed({
    about:
      'score through this endpoint: an address, or the name of one in SageMaker (default: with a workspace in S3, the one that deploy made)',
    value: 'URL|NAME',
    parse: endpointIn,
  }),
  via: choice(ways, {
    about:
      'where the model is: in this process, at an endpoint, in a batch transform of SageMaker (default: process; with a workspace in S3 or --endpoint, endpoint)',
  }),
  sagemakerRole: text({
    about: 'role that SageMaker works under, for --via transform (default: that of the training)',
    value: 'ARN',
  }),
  instanceType: text({ about: 'instance of the transform', value: 'TYPE', default: 'ml.m5.xlarge' }),
  kmsKey: text({ about: 'encrypt what the transform writes with this key', value: 'ARN' }),
  alertsPerDay: number({ about: 'alerts a day that somebody can look at', default: 10, min: 0 }),
  threshold: number({ about: 'flag what scores below this, instead of what the alerts a day come to', value: 'SCORE' }),
  minEvents: number({
    about: 'training accesses from which on an entity is judged (default: as calibrated)',
    min: 1,
    integer: true,
  }),
  allow: list({ about: 'network that is never flagged, or a file of them, one a line', value: 'CIDR|FILE' }),
  labels: text({ about: 'known attacks, to measure against: source,entity,ip,kind,time', value: 'FILE' }),
  ...findingsOptions,
  ...runOptions,
  ...awsOptions,
}

export const command = defineCommand({
  name: 'score',
  summary: 'judge pairs: which accesses do not fit their entity?',
  description:
    'Judges every distinct pair of the holdout, of another run or of files, in this process, through an endpoint, or by a batch transform of SageMaker. Entities that the model has not seen, or too seldom, are said to be so and never passed off as normal. What scores below the threshold is flagged; the threshold comes from the holdout and the alerts a day.',
  examples: [
    { run: 'npx zx scripts/score.mjs --run latest --alerts-per-day 5', does: 'judges the holdout' },
    {
      run: 'npx zx scripts/score.mjs --run latest --allow 203.0.113.0/24 --endpoint http://127.0.0.1:8080',
      does: 'through an endpoint, with the office left alone',
    },
    {
      run: 'npx zx scripts/score.mjs --run latest --from-run cloudtrail-20260312T0000Z-20260313T0000Z-3f9a1c',
      does: 'judges the next day with the model of an earlier window',
    },
    {
      run: 'npx zx scripts/score.mjs --run latest --findings asff --findings-account 111122223333 --findings-region us-east-1',
      does: 'also as findings for AWS Security Hub',
    },
    { run: 'npx zx scripts/score.mjs --pairs pairs.csv --model ./model', does: 'judges files without a run' },
    {
      run: 'npx zx scripts/score.mjs --pairs pairs.csv --endpoint prestage-files --aws-region us-east-1',
      does: 'judges files by what is in service in SageMaker',
    },
    {
      run: 'npx zx scripts/score.mjs --workspace s3://org-staging/prestage --run latest',
      does: 'a run in S3, through the SageMaker endpoint that deploy made',
    },
    {
      run: 'npx zx scripts/score.mjs --workspace s3://org-staging/prestage --via transform --max-cost 1',
      does: 'the same without an endpoint, by a batch transform',
    },
  ],
  stackOutputs,
  options,
  async run(context, values) {
    const bare = values.pairs.length > 0 || values.model !== undefined
    if (!bare) return scoreRun(context, values)
    const isNamed = values.endpoint !== undefined && !isUrl(values.endpoint)
    if (values.pairs.length === 0 || (values.model === undefined && !isNamed))
      throw new UsageError(
        '--pairs and --model belong together',
        'leave both out to judge the holdout of a run; with --endpoint NAME of SageMaker --model may be left out',
      )
    if (values.findings.length > 0) throw noFindings()
    if (values.fromRun !== undefined) throw new UsageError('--pairs and --from-run contradict each other')
    return scoreFiles(context, values)
  },
})

type Options = Values<typeof options>

async function scoreRun(context: Context, values: Options): Promise<Outcome> {
  const aws = awsOf(values, context)
  const run = await chosenRun(values, context)
  const other =
    values.fromRun === undefined ? undefined : await otherRun({ ...values, run: values.fromRun }, run, context)
  if (other?.id === run.id)
    throw new UsageError(
      `--from-run names run ${run.id} itself: its model has learned most of these pairs, and would find them normal`,
      'leave it out to judge the holdout',
    )
  run.result('train')
  if (values.findings.length > 0 && (other ?? run).request.keys === OF_FILES) throw noFindings()
  const wanted = wantedFindings(run.request, values)
  const target = await runTarget(run, other, aws)
  const prepared = await preparedFor(target, values)
  const plan = {
    settings: prepared.settings,
    inputs: ['extract', 'train'],
    overwrite: values.overwrite,
    onChange: 'redo',
    redoIf: async () => (await run.store.head(paths.verdicts)) === undefined,
  } as const
  const isDone = await run.isCurrent('score', plan)
  if (!isDone) await target.check?.()
  const way = await wayOf(values, { run, target, prepared, context, aws })
  const noted = run.savedBy('score', plan, ASKED) ?? {}
  const paid = isDone ? 0 : ((await way.paid?.(noted)) ?? 0)
  const whole = way.usd?.(pairsToJudge(run, other)) ?? undefined
  const cost = whole === undefined ? undefined : whole * (1 - paid)
  if (values.dryRun)
    return previewOf(target, prepared, way, { run: run.id, ...(way.usd && { estimatedUsd: cost ?? null }) })
  if (!isDone && way.usd !== undefined && paid < 1)
    await context.approve(approvalOf(`${target.of} of run ${run.id} by ${way.about}`, way, cost))
  const { repeated, ...result } = await run.step('score', plan, async (checkpoint) => {
    // Who comes back after one of two jobs has the other one before him, and has paid for both.
    const usd = checkpoint.saved.usd ?? cost
    if (way.usd !== undefined) await checkpoint.save({ ...noted, ...(usd !== undefined && { usd }) })
    const keep = async (calibration: string) => void (await run.store.write(paths.calibration, calibration))
    const scores = run.store.within(FOLDER)
    const done = await execute({ context, target, prepared, options: values, way, scores, checkpoint, keep })
    return usd === undefined ? done : { ...done, estimatedUsd: usd }
  })
  if (repeated) context.talk.info('nothing to do, this was scored before')
  const findings = wanted && (await writeAlerts(wanted, run, other, result, (said) => context.talk.warn(said)))
  return {
    json: { run: run.id, ...result, ...(findings && { findings }), repeated },
    text: summaryOf(result, run.id, findings && findingRows(findings)),
    next: nextCommand('report', run),
  }
}

const noFindings = () => new UsageError('--findings needs logs: files do not tell when, or whose accesses they are')

/** Settings that decide which pairs the model is asked about; the others only decide what its answers mean. */
const ASKED = ['of', 'pairs', 'minEvents']

const FOLDER = paths.verdicts.slice(0, paths.verdicts.lastIndexOf('/') + 1)

/** At most: what is judged is distinct. */
const pairsToJudge = (run: Run, other: Run | undefined): number =>
  other === undefined ? run.result('extract').holdoutPairs : other.result('extract').pairs

const costText = (usd: number | undefined): string =>
  usd === undefined ? 'cost not known: this instance type is in no price table here' : `${aboutUsd(usd)} (${priceNote})`

async function scoreFiles(context: Context, values: Options): Promise<Outcome> {
  const { model = '', pairs } = values
  const aws = awsOf(values, context)
  const run = await modelRun(context, values, aws)
  const target = run === undefined ? await filesTarget(pairs, model, aws) : await filesOfRun(run, pairs, aws)
  const prepared = await preparedFor(target, values)
  const way = await wayOf(values, { run, target, prepared, context, aws })
  const cost = way.usd?.((await target.judged(context.signal)).ip.length) ?? undefined
  const of = run === undefined ? {} : { run: run.id }
  if (values.dryRun) return previewOf(target, prepared, way, { ...of, ...(way.usd && { estimatedUsd: cost ?? null }) })
  if (way.usd !== undefined) await context.approve(approvalOf(`files by ${way.about}`, way, cost))
  const scores = await openStore(values.scores, aws)
  const keep = async (calibration: string) => void (await run?.store.write(paths.calibration, calibration))
  const result = await execute({ context, target, prepared, options: values, way, scores, keep })
  return { json: { ...of, ...result }, text: summaryOf(result, run?.id) }
}

/** The run of a model that SageMaker has trained, or of what an endpoint serves; undefined for a model without one. */
async function modelRun(context: Context, { model, endpoint }: Options, aws: AwsSettings): Promise<Run | undefined> {
  if (model !== undefined) return model.startsWith('s3://') ? runOfModel(model.replace(/\/+$/, ''), aws) : undefined
  const { runAtEndpoint } = await import('./sagemaker/endpoint-run.ts')
  return runAtEndpoint(endpoint ?? '', await regionFor(undefined, aws, context), aws)
}

const approvalOf = (what: string, way: Way, usd: number | undefined) => ({
  action: `score by ${way.about}`,
  plan: [`score ${what}`, costText(usd)],
  kind: 'spend' as const,
  ...(usd !== undefined && { usd }),
})

const previewOf = (
  target: Target,
  { threshold, settings }: Prepared,
  way: Way,
  more: { run?: string; estimatedUsd?: number | null },
): Outcome => ({
  json: { ...more, dryRun: true, threshold: threshold ?? null, way: way.about, ...settings },
  text: [
    `would judge ${target.of} ${way.about}; ${threshold === undefined ? 'the threshold comes from a calibration that is made first' : `flagged is what scores below ${threshold}`}`,
    ...(way.usd === undefined ? [] : [costText(more.estimatedUsd ?? undefined)]),
  ].join('\n'),
})

/** A URL, or the name of a SageMaker endpoint. */
const isUrl = (input: string): boolean => /^https?:\/\/[^/]/i.test(input) && URL.canParse(input)

function endpointIn(input: string): string {
  if (!isUrl(input) && !/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/.test(input))
    throw new Error('must be http://… or https://…, or the name of a SageMaker endpoint')
  return input
}
