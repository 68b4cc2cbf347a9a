import { resolve } from 'node:path'
import { awsOf, stackOutputs } from '../lib/aws/settings.ts'
import { type CommandResult, type Context, defineCommand } from '../lib/cli/command.ts'
import { messageOf, UsageError } from '../lib/cli/errors.ts'
import { list, number, text, type Values } from '../lib/cli/options.ts'
import { awsOptions, runOptions } from '../lib/cli/shared-options.ts'
import { entityVectorsFor, type Hyperparameters } from '../lib/insights/hyperparameters.ts'
import { nextCommand } from '../lib/runs/next.ts'
import { paths } from '../lib/runs/paths.ts'
import type { Run, StepPlan } from '../lib/runs/run.ts'
import { chosenRun } from '../lib/runs/workspace.ts'
import { ownSources } from '../lib/sources/own/own.ts'
import { type AwsSettings, openStore } from '../lib/stores/open.ts'
import { hyperparameterOptions, hyperparametersOf } from './hyperparameters.ts'
import { type Input, inputOfFiles, inputOfRun } from './input.ts'
import { renderTrained, renderTrainPlan, trainResultOf, warningsAfter, warningsBefore } from './local/render.ts'
import { checkSize, type Output, type Settings, train } from './local/train.ts'
import { sagemakerTrainOptions } from './sagemaker/options.ts'
import type { PairSource } from './sagemaker/pair-set.ts'

const options = {
  ...runOptions,
  pairs: list({ about: 'train on these files of headerless entity,address rows instead of a run', value: 'FILE' }),
  holdout: text({ about: 'with --pairs: rows to calibrate and measure with', value: 'FILE' }),
  holdoutDays: number({
    about: 'with --holdout: days that it covers',
    default: 1,
    min: 0.001,
    max: 36_500,
    value: 'DAYS',
  }),
  model: text({
    about: 'with --pairs: folder for model.tar.gz and calibration.json, or s3://… to train in SageMaker',
    value: 'DIR',
  }),
  ...hyperparameterOptions,
  seed: number({
    about: 'on this machine: start of all random numbers; same seed, same bytes',
    default: 1,
    min: 0,
    max: 4294967295,
    integer: true,
  }),
  alertsPerDay: number({ about: 'alert budget per day; sets the threshold', default: 10, min: 0 }),
  ...sagemakerTrainOptions,
  ...awsOptions,
}

type Options = Values<typeof options>

export const command = defineCommand({
  name: 'train',
  summary: 'train IP Insights on the pairs of a run',
  description:
    'With a workspace on this machine, trains in this process, with the hyperparameters of the SageMaker algorithm, and calibrates a threshold on the holdout. The AUC says how well the model tells holdout pairs from the same entities with random public addresses; compare it with the rules "address, /24, /16 seen before". The same pairs, options and seed give the same bytes. With a workspace in S3, SageMaker trains its own algorithm, in a job that is billed by the second. Given again, the command waits for a running job, and takes the model of a finished one. deploy calibrates it.',
  examples: [
    { run: 'npx zx scripts/train.mjs', does: 'the run that was worked on last' },
    {
      run: 'npx zx scripts/train.mjs --run latest --epochs 10 --vector-dim 64 --overwrite',
      does: 'again, with other hyperparameters',
    },
    {
      run: 'npx zx scripts/train.mjs --pairs train.csv --holdout holdout.csv --holdout-days 3 --model ./model',
      does: 'your own files, without a run',
    },
    {
      run: 'npx zx scripts/train.mjs --workspace s3://org-staging/prestage --sagemaker-role arn:aws:iam::111122223333:role/prestage-sagemaker --max-cost 1',
      does: 'the latest run in S3, in SageMaker',
    },
    {
      run: 'npx zx scripts/train.mjs --pairs train.csv --holdout holdout.csv --model s3://org-staging/models --spot --dry-run',
      does: 'shows what it would cost to train your own files in SageMaker, on a spot instance',
    },
  ],
  stackOutputs,
  ownSources,
  options,
  async run(context, values) {
    return values.pairs.length > 0 ? trainFiles(context, values) : trainRun(context, values)
  },
})

async function trainRun(context: Context, values: Options): Promise<CommandResult> {
  if (values.model !== undefined)
    throw new UsageError(
      '--model belongs to --pairs: the model of a run lies in its folder',
      'add --pairs FILE, or leave --model out',
    )
  if (fileOf(values.holdout) !== undefined)
    throw new UsageError(
      '--holdout belongs to --pairs: the holdout of a run is extracted with it',
      'add --pairs FILE, or leave --holdout out',
    )
  const aws = awsOf(values, context)
  const run = await chosenRun(values, context)
  if (run.folder === undefined) {
    const { pairsOfRun } = await import('./sagemaker/pair-set.ts')
    return inSagemaker(context, values, aws, pairsOfRun(run))
  }
  const output = { store: run.store, model: paths.model, calibration: paths.calibration }
  return onThisMachine(context, values, { input: () => inputOfRun(run, context.signal), output, run })
}

async function trainFiles(context: Context, values: Options): Promise<CommandResult> {
  const { model, pairs, holdoutDays } = values
  if (model === undefined)
    throw new UsageError('--pairs needs --model, the folder for the model', 'add --model ./model')
  const aws = awsOf(values, context)
  const files = { train: pairs, holdout: [fileOf(values.holdout) ?? []].flat(), holdoutDays }
  if (model.startsWith('s3://')) {
    const { pairsOfFiles } = await import('./sagemaker/pair-set.ts')
    const source = await pairsOfFiles(context, files, model.replace(/\/+$/, ''), aws)
    return inSagemaker(context, values, aws, source)
  }
  const output = { store: await openStore(resolve(model)), model: 'model.tar.gz', calibration: 'calibration.json' }
  return onThisMachine(context, values, { input: () => inputOfFiles(files, aws, context.signal), output })
}

async function inSagemaker(
  context: Context,
  values: Options,
  aws: AwsSettings,
  source: PairSource,
): Promise<CommandResult> {
  const { trainInSagemaker } = await import('./sagemaker/train.ts')
  const { vectorsFor } = await import('./sagemaker/spec.ts')
  const { seed: _, alertsPerDay: __, ...settings } = recordedOptions(values)
  const { vector_dim: dim } = checked(values, 'sagemaker', 1)
  const hyperparametersFor = (entities: number) => checked(values, 'sagemaker', vectorsFor(entities, dim))
  return trainInSagemaker(source, { context, options: values, aws, settings, hyperparametersFor })
}

interface LocalTraining {
  input(): Promise<Input>
  readonly output: Output
  /** Absent for files: then nothing is recorded. */
  readonly run?: Run
}

async function onThisMachine(context: Context, values: Options, training: LocalTraining): Promise<CommandResult> {
  const { input, output, run } = training
  if (values.spot || values.instanceType !== undefined || values.maxRuntime !== undefined)
    context.talk.warn('--spot, --instance-type and --max-runtime have no effect: this model is trained on this machine')
  if (values.dryRun) {
    const pairs = await input()
    const model = output.store.localPath?.(output.model) ?? output.model
    return renderTrainPlan(pairs, settingsOf(values, pairs), run === undefined ? {} : { run: run.id }, model)
  }
  const work = async () => {
    const pairs = await input()
    return perform(context, pairs, settingsOf(values, pairs), output)
  }
  if (run === undefined) return renderTrained(await work(), false)
  const plan: StepPlan = {
    settings: recordedOptions(values),
    inputs: ['extract'],
    overwrite: values.overwrite,
    redoIf: () => isGone(run),
  }
  const { repeated } = await run.step('train', plan, work)
  return renderTrained({ run: run.id, ...run.resultBy('local', 'train') }, repeated, nextCommand('deploy', run))
}

/** `holdout: 20%` in a configuration file is meant for extract. */
const fileOf = (holdout: string | undefined): string | undefined =>
  holdout === undefined || /^\d+(\.\d+)?%?$/.test(holdout) ? undefined : holdout

async function isGone(run: Run): Promise<boolean> {
  const wanted = [paths.model, ...(run.result('train').calibration === null ? [] : [paths.calibration])]
  const found = await Promise.all(wanted.map((key) => run.store.head(key)))
  return found.includes(undefined)
}

/** The options that shape a model, for the ledger. */
function recordedOptions(values: Options): Readonly<Record<string, number | null>> {
  const { seed, alertsPerDay } = values
  const chosen = Object.keys(hyperparameterOptions).map((key) => [
    key,
    values[key as keyof typeof hyperparameterOptions],
  ])
  return { ...Object.fromEntries(chosen.map(([key, value]) => [key, value ?? null])), seed, alertsPerDay }
}

function settingsOf(values: Options, { train }: Input): Settings {
  const hyperparameters = checked(values, 'local', entityVectorsFor(train.entities.length))
  checkSize(train, hyperparameters)
  return { hyperparameters, seed: values.seed, alertsPerDay: values.alertsPerDay }
}

function checked(values: Options, trainer: 'local' | 'sagemaker', entityVectors: number): Hyperparameters {
  try {
    return hyperparametersOf(values, trainer, entityVectors)
  } catch (error) {
    throw new UsageError(messageOf(error))
  }
}

async function perform(context: Context, input: Input, settings: Settings, output: Output) {
  const { hyperparameters } = settings
  for (const warning of warningsBefore(input, hyperparameters.num_entity_vectors)) context.talk.warn(warning)
  const training = await train(context, input, settings, output)
  for (const warning of warningsAfter(input, training.calibration)) context.talk.warn(warning)
  return trainResultOf(input, settings, training, output)
}
