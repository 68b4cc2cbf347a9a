import * as sm from '@aws-sdk/client-sagemaker'
import pMap from 'p-map'
import { autoScalingClient } from '../../lib/aws/clients.ts'
import { detailsOf, explained } from '../../lib/aws/errors.ts'
import { deleteEndpoint } from '../../lib/aws/sagemaker/delete-endpoint.ts'
import { answered, ifThere, watched } from '../../lib/aws/sagemaker/jobs.ts'
import { UserError } from '../../lib/cli/errors.ts'
import type { Leftover } from './leftovers.ts'
import { about, type Found, LOOKS_AT_ONCE, leftover, ownOf, pages, QUERY, type World } from './sagemaker-owned.ts'

/**
 * What a run has in SageMaker, in the order in which it can go. Only what carries the run's and the workspace's tags: an endpoint
 * that a newer run has taken over carries that one's.
 */
export async function sagemakerLeftovers(world: World): Promise<Leftover[]> {
  const { client } = world
  const all = await endpoints(world)
  const own = await ownOf(world, all)
  const inUse = await configsOf(
    world,
    all.filter(({ name }) => !own.some((mine) => mine.name === name)),
  )
  const configs = (await ownOf(world, await configurations(world))).filter(({ name }) => !inUse.includes(name))
  return [
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
export const isThere = async (world: World, endpoint: string): Promise<boolean> =>
  (await described(world, endpoint)) !== undefined

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
        const asked = deleteEndpoint(client, name, () => described(world, name), signal)
        await answered(asked, about(world, `endpoint ${name}`, 'DeleteEndpoint'))
      }
      const left = await watched(
        () => described(world, name),
        (now) => now === undefined || now.EndpointStatus === 'Failed',
        signal,
      )
      if (left !== undefined)
        throw new UserError(
          `endpoint ${name} could not be deleted: ${left.FailureReason ?? 'SageMaker does not say why'}`,
          {
            hint: 'the same command asks again',
          },
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
    if (/^(ObjectNotFound|AccessDenied)/.test(detailsOf(error).code)) return
    throw explained(error, {
      what: `scaling of endpoint ${endpoint}`,
      action: 'application-autoscaling:DeregisterScalableTarget',
      resource: '*',
    })
  })
}
