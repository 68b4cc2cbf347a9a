import { resolve } from 'node:path'
import { awsOf } from '../lib/aws/settings.ts'
import { stackOutputs } from '../lib/aws/stack-outputs.ts'
import { defineCommand, type Outcome } from '../lib/cli/command.ts'
import type { Context } from '../lib/cli/context.ts'
import { messageOf, UsageError } from '../lib/cli/errors.ts'
import { list, number, text, type Values } from '../lib/cli/options.ts'
import { awsOptions, runOptions } from '../lib/cli/shared-options.ts'
import { entityVectorsFor, type Hyperparameters } from '../lib/insights/hyperparameters.ts'
import { nextCommand } from '../lib/runs/next.ts'
import { paths } from '../lib/runs/paths.ts'
import type { Run, StepPlan } from '../lib/runs/run.ts'
import { chosenRun } from '../lib/runs/workspace.ts'
import { openStore } from '../lib/stores/open.ts'
import { hyperparameterOptions, hyperparametersOf } from './hyperparameters.ts'
import { inputOf, inputOfRun } from './input.ts'
import { checkSize } from './memory.ts'
import { outcomeOf, previewOf, resultOf } from './render.ts'
import { sagemakerTrainOptions } from './sagemaker/options.ts'
import { type Input, type Output, type Settings, train } from './train.ts'
import { warningsAfter, warningsBefore } from './warnings.ts'

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
  alertsPerDay: number({ about: 'alerts a day that somebody can look at; sets the threshold', default: 10, min: 0 }),
  ...sagemakerTrainOptions,
  ...awsOptions,
}

type Options = Values<typeof options>

export const command = defineCommand({
  name: 'train',
  summary: 'train IP Insights on the pairs of a run',
  description:
    'With a workspace on this machine, trains in this process, with the hyperparameters of the SageMaker algorithm, and calibrates a threshold on the holdout. The AUC says how well holdout pairs are told from the same entities with random public addresses; it is set against the rules "address, /24, /16 seen before". The same pairs, options and seed give the same bytes. With a workspace in S3 the algorithm itself trains, as a job in SageMaker, which is paid for by the second; the same command waits for a job that is under way, and takes the model of one that is done. deploy calibrates it.',
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
  options,
  async run(context, values) {
    return values.pairs.length > 0 ? trainFiles(context, values) : trainRun(context, values)
  },
})

async function trainRun(context: Context, values: Options): Promise<Outcome> {
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
    const { trainRunInSagemaker } = await import('./sagemaker/run.ts')
    return trainRunInSagemaker(context, run, choiceForSagemaker(values), values, aws)
  }
  warnOfSagemaker(context, values)
  if (values.dryRun) {
    const input = await inputOfRun(run, context.signal)
    return previewOf(input, settingsOf(values, input), { run: run.id }, run.path(paths.model))
  }
  const plan: StepPlan = {
    settings: choiceOf(values),
    inputs: ['extract'],
    overwrite: values.overwrite,
    redoIf: () => isGone(run),
  }
  const output = { store: run.store, model: paths.model, calibration: paths.calibration }
  const { repeated } = await run.step('train', plan, async () => {
    const input = await inputOfRun(run, context.signal)
    return perform(context, input, settingsOf(values, input), output)
  })
  return outcomeOf({ run: run.id, ...run.resultBy('local', 'train') }, repeated, nextCommand('deploy', run))
}

async function trainFiles(context: Context, values: Options): Promise<Outcome> {
  const { model } = values
  if (model === undefined)
    throw new UsageError('--pairs needs --model, the folder for the model', 'add --model ./model')
  const holdout = fileOf(values.holdout)
  const aws = awsOf(values, context)
  const held = holdout === undefined ? [] : [holdout]
  const input = await inputOf(values.pairs, held, values.holdoutDays, context.signal, aws)
  if (model.startsWith('s3://')) {
    const { trainFilesInSagemaker } = await import('./sagemaker/files.ts')
    const files = { pairs: values.pairs, holdout: held, model: model.replace(/\/+$/, '') }
    return trainFilesInSagemaker(context, files, input, choiceForSagemaker(values), values, aws)
  }
  warnOfSagemaker(context, values)
  const settings = settingsOf(values, input)
  if (values.dryRun) return previewOf(input, settings, {}, resolve(model, 'model.tar.gz'))
  const output = { store: await openStore(resolve(model)), model: 'model.tar.gz', calibration: 'calibration.json' }
  return outcomeOf(await perform(context, input, settings, output), false)
}

/** `holdout: 20%` in a configuration file is meant for extract. */
const fileOf = (holdout: string | undefined): string | undefined =>
  holdout === undefined || /^\d+(\.\d+)?%?$/.test(holdout) ? undefined : holdout

async function isGone(run: Run): Promise<boolean> {
  const wanted = [paths.model, ...(run.result('train').calibration === null ? [] : [paths.calibration])]
  const found = await Promise.all(wanted.map((key) => run.store.head(key)))
  return found.includes(undefined)
}

/** What was chosen, as it stands in the ledger. */
function choiceOf(values: Options): Readonly<Record<string, number | null>> {
  const { seed, alertsPerDay } = values
  const chosen = Object.keys(hyperparameterOptions).map((key) => [
    key,
    values[key as keyof typeof hyperparameterOptions],
  ])
  return { ...Object.fromEntries(chosen.map(([key, value]) => [key, value ?? null])), seed, alertsPerDay }
}

function settingsOf(values: Options, { train }: Input): Settings {
  const hyperparameters = checked(values, entityVectorsFor(train.entities.length))
  checkSize(train, hyperparameters)
  return { hyperparameters, seed: values.seed, alertsPerDay: values.alertsPerDay }
}

function choiceForSagemaker(values: Options) {
  const { seed: _, alertsPerDay: __, ...settings } = choiceOf(values)
  return { settings, hyperparameters: (entities: number) => forSagemaker(values, entities) }
}

async function forSagemaker(values: Options, entities: number): Promise<Hyperparameters> {
  const { vectorsFor } = await import('./sagemaker/size.ts')
  return checked(values, vectorsFor(entities, values.vectorDim ?? 1))
}

function checked(values: Options, entityVectors: number): Hyperparameters {
  try {
    return hyperparametersOf(values, entityVectors)
  } catch (error) {
    throw new UsageError(messageOf(error))
  }
}

function warnOfSagemaker({ talk }: Context, { spot, instanceType, maxRuntime }: Options): void {
  if (spot || instanceType !== undefined || maxRuntime !== undefined)
    talk.warn('--spot, --instance-type and --max-runtime are for SageMaker; this model is trained on this machine')
}

async function perform(context: Context, input: Input, settings: Settings, output: Output) {
  const { hyperparameters } = settings
  for (const warning of warningsBefore(input, hyperparameters.num_entity_vectors)) context.talk.warn(warning)
  const training = await train(context, input, settings, output)
  for (const warning of warningsAfter(input, training.calibration)) context.talk.warn(warning)
  return resultOf(input, settings, training, output)
}
