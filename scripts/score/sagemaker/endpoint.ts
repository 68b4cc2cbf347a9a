import {
  DescribeEndpointCommand,
  type DescribeEndpointCommandOutput,
  DescribeEndpointConfigCommand,
  DescribeModelCommand,
  type SageMakerClient,
} from '@aws-sdk/client-sagemaker'
import { sagemakerClient, sagemakerRuntimeClient } from '../../lib/aws/clients.ts'
import { detailsOf } from '../../lib/aws/errors.ts'
import { aboutSagemaker, answered, ifThere } from '../../lib/aws/sagemaker/calls.ts'
import { Endpoints } from '../../lib/aws/sagemaker/endpoints.ts'
import { CONCURRENCY, invoker } from '../../lib/aws/sagemaker/invoke.ts'
import { RUN_TAG, WORKSPACE_TAG } from '../../lib/aws/sagemaker/names.ts'
import { sleepOf } from '../../lib/aws/settings.ts'
import { UserError } from '../../lib/cli/errors.ts'
import type { Host } from '../../lib/cli/host.ts'
import { measure, type Score } from '../../lib/insights/evaluation.ts'
import type { Run } from '../../lib/runs/run.ts'
import { openRun } from '../../lib/runs/workspace.ts'
import type { AwsSettings } from '../../lib/stores/open.ts'
import { lineOf, type Scorer, type ScoringSession } from '../scorer.ts'

export interface EndpointSettings extends Pick<Host, 'signal' | 'sleep' | 'now'> {
  readonly name: string
  readonly region: string
  readonly aws: AwsSettings
  readonly warn: (text: string) => void
  /** What should answer; absent where nothing is known of it. */
  readonly expected?: Expected
}

export interface Expected {
  /** `s3://` of the model. */
  readonly model: string
  /** The endpoint configuration that is known to have it. */
  readonly config?: string
  /** What to do when there is no such endpoint, or another model answers. */
  readonly hint: string
}

/** A SageMaker endpoint. @throws UserError when it is not in service, or has another model than is expected */
export async function sagemakerEndpoint(settings: EndpointSettings): Promise<ScoringSession> {
  const { name, region, aws, signal, sleep, now, warn } = settings
  const concurrency = Math.min(CONCURRENCY, await concurrencyOf(await sagemakerClient(aws, region), settings))
  const client = await sagemakerRuntimeClient(aws, region)
  const invoke = invoker(client, name, { signal, sleep, now, concurrency, onRetry: warn })
  const scorer: Scorer = {
    concurrency,
    score: async ({ entities, ips }) =>
      Float64Array.from(await invoke(Array.from(ips, (ip, i) => lineOf(entities[i] ?? '', ip)))),
  }
  const score: Score = async (entities, entityIndex, ips) =>
    Float64Array.from(await invoke(Array.from(ips, (ip, i) => lineOf(entities[entityIndex[i] ?? 0] ?? '', ip))))
  return {
    by: () => ({ via: 'endpoint', endpoint: name, region }),
    measure: (trial) => measure(score, trial, signal),
    scorer: async () => scorer,
  }
}

const SERVING = ['InService', 'Updating', 'SystemUpdating', 'RollingBack']

/** Requests that the endpoint takes at once, which is checked, as far as that is known. */
async function concurrencyOf(client: SageMakerClient, settings: EndpointSettings): Promise<number> {
  const found = await checked(client, settings)
  return found?.ProductionVariants?.[0]?.CurrentServerlessConfig?.MaxConcurrency ?? CONCURRENCY
}

/** Undefined when it may not be looked at. */
async function checked(
  client: SageMakerClient,
  settings: EndpointSettings,
): Promise<DescribeEndpointCommandOutput | undefined> {
  const { name, region, expected } = settings
  const found = await described(settings, 'DescribeEndpoint', (abortSignal) =>
    client.send(new DescribeEndpointCommand({ EndpointName: name }), { abortSignal }),
  )
  if (found === 'unseen') return undefined
  const hint = expected?.hint ?? 'npx zx scripts/deploy.mjs makes one'
  if (found === undefined) throw new UserError(`there is no endpoint ${name} in ${region}`, { hint })
  if (!SERVING.includes(found.EndpointStatus ?? ''))
    throw new UserError(
      `endpoint ${name} is not in service: ${found.EndpointStatus}${found.FailureReason ? ` (${found.FailureReason})` : ''}`,
      { hint: found.EndpointStatus === 'Creating' ? 'wait for it; the same command then goes on' : hint },
    )
  if (expected === undefined || found.EndpointConfigName === expected.config) return found
  const model = await modelOf(client, settings, found.EndpointConfigName ?? '')
  if (model === 'unseen' || model === expected.model) return found
  throw new UserError(
    `endpoint ${name} serves another model (${model ?? 'one that is gone'}) than the one of this run, ${expected.model}`,
    { hint: `${expected.hint}; a threshold does not carry over to another model` },
  )
}

/** Where the model of a configuration lies. */
async function modelOf(client: SageMakerClient, settings: EndpointSettings, EndpointConfigName: string) {
  const config = await described(settings, 'DescribeEndpointConfig', (abortSignal) =>
    client.send(new DescribeEndpointConfigCommand({ EndpointConfigName }), { abortSignal }),
  )
  if (config === 'unseen' || config === undefined) return config
  const ModelName = config.ProductionVariants?.[0]?.ModelName ?? ''
  const model = await described(settings, 'DescribeModel', (abortSignal) =>
    client.send(new DescribeModelCommand({ ModelName }), { abortSignal }),
  )
  return model === 'unseen' ? model : model?.PrimaryContainer?.ModelDataUrl
}

/** Undefined when it does not exist. A caller who may only invoke is warned that the model could not be checked. */
async function described<T>(
  { name, region, signal, warn }: EndpointSettings,
  action: string,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined | 'unseen'> {
  try {
    return await ifThere(ask(signal))
  } catch (error) {
    if (/^AccessDenied/.test(detailsOf(error).code)) {
      warn(`sagemaker:${action} is not allowed: assuming that endpoint ${name} has the model of this run`)
      return 'unseen'
    }
    return answered(Promise.reject(error), aboutSagemaker('endpoint', name, action, region))
  }
}

/** The run that is in service at an endpoint, according to its tags. @throws UserError when prestage has not made it */
export async function runAtEndpoint(name: string, region: string, aws: AwsSettings): Promise<Run> {
  const host = { signal: aws.signal ?? new AbortController().signal, sleep: sleepOf(aws) }
  const endpoints = new Endpoints(await sagemakerClient(aws, region), host)
  const found = await endpoints.look(name)
  if (found === undefined)
    throw new UserError(`there is no endpoint ${name} in ${region}`, { hint: 'npx zx scripts/deploy.mjs makes one' })
  const tags = await endpoints.tags(found.EndpointArn ?? '')
  const [workspace, id] = [tags[WORKSPACE_TAG], tags[RUN_TAG]]
  if (workspace === undefined || id === undefined)
    throw new UserError(`endpoint ${name} was not made by prestage, so the entities that its model knows are unknown`, {
      hint: 'name the --model that it serves',
    })
  return openRun(workspace, id, aws)
}
