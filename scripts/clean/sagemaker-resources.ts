import * as sm from '@aws-sdk/client-sagemaker'
import pMap from 'p-map'
import { autoScalingClient } from '../aws/clients.ts'
import { detailsOf } from '../aws/errors.ts'
import { answered, ifThere, RUN_TAG, WORKSPACE_TAG, watched } from '../aws/sagemaker.ts'
import type { AwsSettings } from '../stores/open.ts'
import type { Leftover } from './leftovers.ts'

/** Whose things are looked for. */
export interface Owner {
  readonly run: string
  readonly workspace: string
  readonly region: string
  /** Endpoints that the run has noted, whatever their names. */
  readonly endpoints: readonly string[]
}

interface World {
  readonly client: sm.SageMakerClient
  readonly owner: Owner
  readonly aws: AwsSettings
  readonly signal: AbortSignal
}

/** What prestage makes is called so, but for endpoints that were given another name. */
const NAME = 'prestage'
const LOOKS_AT_ONCE = 4

interface Found {
  readonly name: string
  readonly arn: string
}

/**
 * What a run has in SageMaker, in the order in which it can go. Only what carries the run's and the workspace's tags: an endpoint
 * that a newer run has taken over carries that one's.
 */
export async function sagemakerLeftovers(
  client: sm.SageMakerClient,
  owner: Owner,
  aws: AwsSettings,
  signal: AbortSignal,
): Promise<Leftover[]> {
  const world: World = { client, owner, aws, signal }
  const all = await endpoints(world)
  const own = await ownOf(world, all)
  const inUse = await configsOf(
    world,
    all.filter(({ name }) => !own.some((mine) => mine.name === name)),
  )
  const configs = (await ownOf(world, await configurations(world))).filter(({ name }) => !inUse.includes(name))
  return [
    ...(await jobs(world)),
    ...own.map((endpoint) => endpointLeftover(world, endpoint)),
    ...configs.map(({ name }) =>
      leftover(world, 'endpoint configuration', name, 'DeleteEndpointConfig', () =>
        client.send(new sm.DeleteEndpointConfigCommand({ EndpointConfigName: name })),
      ),
    ),
    ...(await ownOf(world, await models(world))).map(({ name }) =>
      leftover(world, 'model', name, 'DeleteModel', () => client.send(new sm.DeleteModelCommand({ ModelName: name }))),
    ),
  ]
}

/** Whether there is an endpoint of this name, whoever has made it. */
export const isThere = async (
  client: sm.SageMakerClient,
  owner: Owner,
  endpoint: string,
  aws: AwsSettings,
  signal: AbortSignal,
): Promise<boolean> => (await described({ client, owner, aws, signal }, endpoint)) !== undefined

const about = ({ owner: { region } }: World, what: string, action: string) => ({
  what,
  action: `sagemaker:${action}`,
  resource: `arn:aws:sagemaker:${region}:*:*`,
})

function leftover(world: World, kind: string, name: string, action: string, remove: () => Promise<unknown>): Leftover {
  const what = `${kind} ${name}`
  return {
    what,
    files: 0,
    bytes: 0,
    note: 'costs nothing by itself',
    remove: async () => void (await answered(ifThere(remove()), about(world, what, action))),
  }
}

async function pages<T extends { NextToken?: string | undefined }>(
  world: World,
  action: string,
  ask: (token: { NextToken?: string }) => Promise<T>,
  take: (page: T) => readonly Found[],
): Promise<Found[]> {
  const found: Found[] = []
  let token: string | undefined
  do {
    const page = await answered(
      ask(token === undefined ? {} : { NextToken: token }),
      about(world, 'what is in SageMaker', action),
    )
    // Others may have the word within a name, and a caller no right to look at theirs.
    found.push(...take(page).filter(({ name }) => name.startsWith(`${NAME}-`)))
    token = page.NextToken
  } while (token !== undefined)
  return found
}

const QUERY = { NameContains: NAME, MaxResults: 100 } as const

async function endpoints(world: World): Promise<Found[]> {
  const { client, owner } = world
  const listed = await pages(
    world,
    'ListEndpoints',
    (token) => client.send(new sm.ListEndpointsCommand({ ...QUERY, ...token })),
    ({ Endpoints = [] }) => Endpoints.map(({ EndpointName: name = '', EndpointArn: arn = '' }) => ({ name, arn })),
  )
  for (const name of owner.endpoints) {
    if (listed.some((one) => one.name === name)) continue
    const there = await described(world, name)
    if (there?.EndpointArn !== undefined) listed.push({ name, arn: there.EndpointArn })
  }
  return listed
}

const configurations = (world: World): Promise<Found[]> =>
  pages(
    world,
    'ListEndpointConfigs',
    (token) => world.client.send(new sm.ListEndpointConfigsCommand({ ...QUERY, ...token })),
    ({ EndpointConfigs = [] }) =>
      EndpointConfigs.map(({ EndpointConfigName: name = '', EndpointConfigArn: arn = '' }) => ({ name, arn })),
  )

const models = (world: World): Promise<Found[]> =>
  pages(
    world,
    'ListModels',
    (token) => world.client.send(new sm.ListModelsCommand({ ...QUERY, ...token })),
    ({ Models = [] }) => Models.map(({ ModelName: name = '', ModelArn: arn = '' }) => ({ name, arn })),
  )

/** Training and transform jobs that still run. */
async function jobs(world: World): Promise<Leftover[]> {
  const { client } = world
  const running = { ...QUERY, StatusEquals: 'InProgress' } as const
  const training = await pages(
    world,
    'ListTrainingJobs',
    (token) => client.send(new sm.ListTrainingJobsCommand({ ...running, ...token })),
    ({ TrainingJobSummaries = [] }) =>
      TrainingJobSummaries.map(({ TrainingJobName: name = '', TrainingJobArn: arn = '' }) => ({ name, arn })),
  )
  const transforms = await pages(
    world,
    'ListTransformJobs',
    (token) => client.send(new sm.ListTransformJobsCommand({ ...running, ...token })),
    ({ TransformJobSummaries = [] }) =>
      TransformJobSummaries.map(({ TransformJobName: name = '', TransformJobArn: arn = '' }) => ({ name, arn })),
  )
  const stopping = (kind: string, { name }: Found, action: string, stop: () => Promise<unknown>): Leftover => ({
    ...leftover(world, kind, name, action, () => stop().catch(unlessEnded)),
    note: 'is running: it is stopped',
  })
  return [
    ...(await ownOf(world, training)).map((job) =>
      stopping('training job', job, 'StopTrainingJob', () =>
        client.send(new sm.StopTrainingJobCommand({ TrainingJobName: job.name })),
      ),
    ),
    ...(await ownOf(world, transforms)).map((job) =>
      stopping('transform job', job, 'StopTransformJob', () =>
        client.send(new sm.StopTransformJobCommand({ TransformJobName: job.name })),
      ),
    ),
  ]
}

/** It has ended by itself meanwhile. */
function unlessEnded(error: unknown): void {
  if (!/status|rejected/i.test(detailsOf(error).message)) throw error
}

/** What carries the tags of the run. */
async function ownOf(world: World, all: readonly Found[]): Promise<Found[]> {
  const { client, owner, signal } = world
  const owned = await pMap(
    all,
    async ({ arn }) => {
      const asked = client.send(new sm.ListTagsCommand({ ResourceArn: arn, MaxResults: 100 }), { abortSignal: signal })
      const { Tags = [] } = (await answered(ifThere(asked), about(world, arn, 'ListTags'))) ?? {}
      const tags = new Map(Tags.map(({ Key, Value }) => [Key, Value]))
      return tags.get(RUN_TAG) === owner.run && tags.get(WORKSPACE_TAG) === owner.workspace
    },
    { concurrency: LOOKS_AT_ONCE, signal },
  )
  return all.filter((_, i) => owned[i])
}

/** Configurations that endpoints have, or are about to have. */
async function configsOf(world: World, all: readonly Found[]): Promise<string[]> {
  const used = await pMap(
    all,
    async ({ name }) => {
      const { EndpointConfigName, PendingDeploymentSummary } = (await described(world, name)) ?? {}
      return [EndpointConfigName, PendingDeploymentSummary?.EndpointConfigName]
    },
    { concurrency: LOOKS_AT_ONCE, signal: world.signal },
  )
  return used.flat().filter((name) => name !== undefined)
}

const described = (world: World, EndpointName: string) =>
  answered(
    ifThere(world.client.send(new sm.DescribeEndpointCommand({ EndpointName }), { abortSignal: world.signal })),
    about(world, `endpoint ${EndpointName}`, 'DescribeEndpoint'),
  )

function endpointLeftover(world: World, { name }: Found): Leftover {
  const { client } = world
  return {
    what: `endpoint ${name}`,
    files: 0,
    bytes: 0,
    note: 'costs while it exists, or by request',
    remove: async (signal) => {
      // One that is being updated cannot be deleted.
      const state = await watched(
        () => described(world, name),
        (now) => !/Updating|RollingBack/.test(now?.EndpointStatus ?? ''),
        signal,
      )
      if (state === undefined) return
      await unscale(world, name)
      if (state.EndpointStatus !== 'Deleting') {
        const asked = client.send(new sm.DeleteEndpointCommand({ EndpointName: name }))
        await answered(ifThere(asked), about(world, `endpoint ${name}`, 'DeleteEndpoint'))
      }
      await watched(
        () => described(world, name),
        (now) => now === undefined,
        signal,
      )
    },
  }
}

/** The alarms of a scaled endpoint are paid for, too. What is not scaled has none. */
async function unscale({ owner, aws }: World, endpoint: string): Promise<void> {
  const { DeregisterScalableTargetCommand } = await import('@aws-sdk/client-application-auto-scaling')
  const client = await autoScalingClient(aws, owner.region)
  const command = new DeregisterScalableTargetCommand({
    ServiceNamespace: 'sagemaker',
    ResourceId: `endpoint/${endpoint}/variant/AllTraffic`,
    ScalableDimension: 'sagemaker:variant:DesiredInstanceCount',
  })
  await client.send(command).catch((error: unknown) => {
    // Who may not ask has not scaled it.
    if (!/^(ObjectNotFound|AccessDenied)/.test(detailsOf(error).code)) throw error
  })
}
