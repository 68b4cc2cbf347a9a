import { once } from 'node:events'
import { awsOf, stackOutputs } from '../lib/aws/settings.ts'
import { type CommandResult, type Context, defineCommand } from '../lib/cli/command.ts'
import { UsageError, UserError } from '../lib/cli/errors.ts'
import { facts } from '../lib/cli/format.ts'
import { flag, number, text, type Values } from '../lib/cli/options.ts'
import { awsOptions, runOptions } from '../lib/cli/shared-options.ts'
import { nextCommand } from '../lib/runs/next.ts'
import { paths } from '../lib/runs/paths.ts'
import type { Run } from '../lib/runs/run.ts'
import { chosenRun, runOfModel } from '../lib/runs/workspace.ts'
import { ownSources } from '../lib/sources/own/own.ts'
import type { AwsSettings } from '../lib/stores/open.ts'
import { forgetEndpoint, noteEndpoint, runningEndpoint, startDetached, TOKEN_VARIABLE } from './local/detached.ts'
import { type Endpoint, serveRun } from './local/endpoint.ts'
import { sagemakerDeployOptions } from './sagemaker/options.ts'

const options = {
  host: text({
    about: 'on this machine: address to listen on; others than the loopback let others in',
    value: 'HOST',
    default: '127.0.0.1',
  }),
  port: number({
    about: 'on this machine: port to listen on; 0 is any that is free',
    default: 8080,
    min: 0,
    max: 65_535,
    integer: true,
  }),
  model: text({
    about: 'in SageMaker: the model that train --pairs --model s3://… made, instead of that of a run',
    value: 'URI',
  }),
  detach: flag({ about: 'on this machine: leave it running; clean stops it' }),
  ...runOptions,
  ...sagemakerDeployOptions,
  ...awsOptions,
}

export const command = defineCommand({
  name: 'deploy',
  summary: 'serve the model of a run',
  description:
    "With a workspace on this machine, serves GET /ping and POST /invocations as SageMaker's containers do, in IP Insights' formats: text/csv, application/json or application/jsonlines in, JSON or JSON Lines out, with embeddings for Accept: application/json;verbose=True. It runs until Ctrl-C, or with --detach until clean. With a workspace in S3, makes an endpoint in SageMaker, serverless unless an --instance-type is named, calibrates the model through it, and tests it: what fails is taken out of service again. Before it replaces a model in service, the new model is tried on an endpoint of its own, and compared on the same holdout; if it is worse, the old one stays.",
  examples: [
    { run: 'npx zx scripts/deploy.mjs --run latest', does: 'serves on http://127.0.0.1:8080 until Ctrl-C' },
    { run: 'npx zx scripts/deploy.mjs --run latest --port 0 --detach', does: 'leaves it running on a free port' },
    {
      run: 'npx zx scripts/deploy.mjs --workspace s3://org-staging/prestage --sagemaker-role arn:aws:iam::111122223333:role/prestage-sagemaker --yes',
      does: 'the latest run in S3, on a serverless endpoint',
    },
    {
      run: 'npx zx scripts/deploy.mjs --workspace s3://org-staging/prestage --instance-type ml.m5.large --autoscale 1:4 --delete-after 8h --dry-run',
      does: 'shows what an endpoint on instances would cost for a working day',
    },
    {
      run: 'npx zx scripts/deploy.mjs --workspace s3://org-staging/prestage --rollback',
      does: 'goes back to the model that was in service before',
    },
    {
      run: 'npx zx scripts/deploy.mjs --model s3://org-staging/models --sagemaker-role arn:aws:iam::111122223333:role/prestage-sagemaker --yes',
      does: 'the model that train has made of files in SageMaker',
    },
  ],
  stackOutputs,
  ownSources,
  options,
  async run(context, values) {
    const aws = awsOf(values, context)
    const { model } = values
    const run = model === undefined ? await chosenRun(values, context) : await modelRun(model, aws)
    run.result('train')
    if (run.folder === undefined) {
      const { deployInSagemaker } = await import('./sagemaker/deploy.ts')
      return deployInSagemaker(context, run, values, aws)
    }
    if (values.rollback) throw new UsageError('--rollback is for endpoints in SageMaker')
    if (values.dryRun) return preview(run, values)
    if (!/^(127\.|localhost$|::1$)/.test(values.host))
      context.talk.warn(`everybody who reaches ${values.host} may ask this endpoint`)
    if (values.detach) return detach(context, run, values)
    return serve(context, run, values)
  },
})

/** @throws UsageError for a folder, UserError when no training has left a model there */
async function modelRun(model: string, aws: AwsSettings): Promise<Run> {
  if (!model.startsWith('s3://'))
    throw new UsageError(
      `--model ${model} is no s3:// URI: on this machine deploy serves the model of a run`,
      'score --pairs FILE --model DIR judges with a model of files, without an endpoint',
    )
  const run = await runOfModel(model.replace(/\/+$/, ''), aws)
  if (run !== undefined) return run
  throw new UserError(`${model}: train has left no model there`, {
    hint: `npx zx scripts/train.mjs --pairs FILE --holdout FILE --model ${model}`,
  })
}

const preview = (run: Run, { host, port }: Values<typeof options>): CommandResult => ({
  json: { run: run.id, dryRun: true, model: run.path(paths.model), host, port },
  text: `would serve ${run.path(paths.model)} on ${host}, port ${port}`,
})

/** In the foreground. The detached process does the same; it also replaces the one before, and notes itself in the run's folder. */
async function serve(context: Context, run: Run, { host, port }: Values<typeof options>): Promise<CommandResult> {
  const token = context.env[TOKEN_VARIABLE]
  const onError = (text: string) => context.talk.warn(text)
  const replaced = token === undefined ? undefined : await runningEndpoint(run)
  const endpoint = await serveRun(run, { host, port, onError, ...(token !== undefined && { token }) }, replaced)
  const record = { url: endpoint.url, pid: context.owner.pid, token: token ?? '', model: endpoint.digest }
  try {
    if (token !== undefined) await noteEndpoint(run, record)
    context.talk.info(`serving run ${run.id} on ${endpoint.url}${token === undefined ? '; Ctrl-C stops it' : ''}`)
    await ended(endpoint, context.signal)
  } finally {
    // First: whoever waits for the end of this endpoint may then note its own at once.
    if (token !== undefined) await forgetEndpoint(run, record)
    await endpoint.close()
  }
  return renderServing(run, endpoint.url, 'Stopped')
}

/** By Ctrl-C, or by somebody with the token. */
async function ended(endpoint: Endpoint, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await Promise.race([endpoint.asked, once(signal, 'abort')])
}

async function detach(
  context: Context,
  run: Run,
  { host, port, overwrite }: Values<typeof options>,
): Promise<CommandResult> {
  const plan = {
    settings: { host, port },
    inputs: ['train'],
    overwrite,
    onChange: 'redo',
    redoIf: async () => (await runningEndpoint(run)) === undefined,
  } as const
  const { repeated } = await run.step('deploy', plan, async () => {
    const progress = context.progress('starting the endpoint')
    const { url, pid, token, model } = await startDetached(run, {
      host,
      port,
      env: context.env,
      signal: context.signal,
      sleep: context.sleep,
    })
    progress.end('answers')
    return {
      backend: 'local',
      endpoint: url,
      status: 'InService',
      pid,
      port: Number(new URL(url).port),
      token,
      digest: model,
    }
  })
  const { endpoint, pid } = run.resultBy('local', 'deploy')
  if (repeated) context.talk.info('it is running already')
  const result = renderServing(run, endpoint, 'InService', [
    ['process', String(pid)],
    ['log', run.path(paths.endpointLog)],
  ])
  return { ...result, json: { ...result.json, pid, log: run.path(paths.endpointLog), repeated } }
}

const renderServing = (run: Run, endpoint: string, status: string, more: [string, string][] = []): CommandResult => ({
  json: { run: run.id, endpoint, status },
  text: facts([['run', run.id], ['endpoint', endpoint], ['status', status], ...more]),
  ...(status === 'InService' && { next: `${nextCommand('score', run)} --endpoint ${endpoint}` }),
})
