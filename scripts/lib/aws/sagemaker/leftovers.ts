import * as sm from '@aws-sdk/client-sagemaker'
import pMap from 'p-map'
import { UserError } from '../../cli/errors.ts'
import type { Waiting } from '../../cli/host.ts'
import { autoScalingClient } from '../clients.ts'
import type { Leftover } from '../leftover.ts'
import type { AwsSettings } from '../settings.ts'
import { aboutSagemaker, answered, ifThere, watched } from './calls.ts'
import { Endpoints } from './endpoints.ts'
import { aboutJob, findJob, isUnderWay, type JobApi, trainingJobs, transformJobs } from './jobs.ts'
import { RUN_TAG, WORKSPACE_TAG } from './names.ts'
import { scalingOf, unscale } from './scaling.ts'

/** The run whose resources are searched for. */
export interface SagemakerScope extends Waiting {
  readonly client: sm.SageMakerClient
  readonly run: string
  readonly workspace: string
  readonly region: string
  /** Endpoints that the run has noted, whatever their names. */
  readonly endpoints: readonly string[]
  readonly aws: AwsSettings
}

interface Found {
  readonly name: string
  readonly arn: string
}

/** How many requests for tags and descriptions are in flight. */
const CONCURRENCY = 4

/** What prestage makes is called so, but for endpoints that were given another name. */
const NAME = 'prestage'
const QUERY = { NameContains: NAME }

/** Training and transform jobs of the run that still run, or are about to stop. */
export const jobLeftovers = async (scope: SagemakerScope): Promise<Leftover[]> => [
  ...(await jobsOf(scope, trainingJobs(scope.client))),
  ...(await jobsOf(scope, transformJobs(scope.client))),
]

async function jobsOf<Job>(scope: SagemakerScope, api: JobApi<Job>): Promise<Leftover[]> {
  const found: Leftover[] = []
  for (const StatusEquals of ['InProgress', 'Stopping'] as const) {
    const listed = await foundIn(scope, `List${api.operation}s`, api.list({ ...QUERY, StatusEquals }))
    for (const { name } of await ownedBy(scope, listed)) found.push(jobLeftover(scope, api, name, StatusEquals))
  }
  return found
}

function jobLeftover<Job>({ region, sleep }: SagemakerScope, api: JobApi<Job>, name: string, status: string): Leftover {
  return {
    what: `${api.kind} job ${name}`,
    files: 0,
    bytes: 0,
    note: status === 'InProgress' ? 'is running and will be stopped' : 'is stopping; clean waits for its end',
    done: 'no longer runs',
    remove: async () => {
      if (status === 'InProgress')
        await answered(
          api.stop(name).catch((error: unknown) => unlessEnded(api, name, error)),
          aboutJob(api, name, 'Stop', region),
        )
      // Until its end it is paid for, and writes.
      await watched(
        () => findJob(api, name),
        (job) => job === undefined || !isUnderWay(api.stateOf(job).status),
        sleep,
      )
    },
  }
}

/** It may have ended by itself meanwhile. @throws the error when it has not */
async function unlessEnded<Job>(api: JobApi<Job>, name: string, error: unknown): Promise<void> {
  const job = await findJob(api, name)
  if (job !== undefined && api.stateOf(job).status === 'InProgress') throw error
}

/**
 * Endpoints, configurations and models of a run, in the order in which they can be deleted. Only what carries the tags of the run and
 * the workspace: an endpoint that a newer run has taken over carries that run's.
 */
export async function resourceLeftovers(scope: SagemakerScope): Promise<Leftover[]> {
  const { client } = scope
  const all = await listEndpoints(scope)
  const own = await ownedBy(scope, all)
  const others = all.filter(({ name }) => !own.some((mine) => mine.name === name))
  const inUse = await configsOf(scope, others)
  const configs = (await ownedBy(scope, await listConfigs(scope))).filter(({ name }) => !inUse.includes(name))
  const models = await ownedBy(scope, await listModels(scope))
  const gone = [...new Set(scope.endpoints)].filter((name) => !all.some((one) => one.name === name))
  return [
    ...(await scalingLeftovers(scope, gone)),
    ...own.map(({ name }) => endpointLeftover(scope, name)),
    ...configs.map(({ name }) =>
      simpleLeftover(`endpoint configuration ${name}`, () => endpointsOf(scope).removeConfig(name)),
    ),
    ...models.map(({ name: ModelName }) =>
      simpleLeftover(`model ${ModelName}`, () =>
        answered(
          ifThere(client.send(new sm.DeleteModelCommand({ ModelName }))),
          aboutSagemaker('model', ModelName, 'DeleteModel', scope.region),
        ),
      ),
    ),
  ]
}

const endpointsOf = (scope: SagemakerScope): Endpoints => new Endpoints(scope.client, scope)

/** Whether there is an endpoint of this name, whoever made it. */
export const endpointExists = async (scope: SagemakerScope, name: string): Promise<boolean> =>
  (await endpointsOf(scope).look(name)) !== undefined

async function listEndpoints(scope: SagemakerScope): Promise<Found[]> {
  async function* pages() {
    for await (const { Endpoints: page = [] } of sm.paginateListEndpoints(paging(scope), QUERY))
      yield page.map((one) => foundAs(one.EndpointName, one.EndpointArn))
  }
  const listed = await foundIn(scope, 'ListEndpoints', pages())
  for (const name of scope.endpoints) {
    if (listed.some((one) => one.name === name)) continue
    const there = await endpointsOf(scope).look(name)
    if (there?.EndpointArn !== undefined) listed.push({ name, arn: there.EndpointArn })
  }
  return listed
}

function listConfigs(scope: SagemakerScope): Promise<Found[]> {
  async function* pages() {
    for await (const { EndpointConfigs = [] } of sm.paginateListEndpointConfigs(paging(scope), QUERY))
      yield EndpointConfigs.map((one) => foundAs(one.EndpointConfigName, one.EndpointConfigArn))
  }
  return foundIn(scope, 'ListEndpointConfigs', pages())
}

function listModels(scope: SagemakerScope): Promise<Found[]> {
  async function* pages() {
    for await (const { Models = [] } of sm.paginateListModels(paging(scope), QUERY))
      yield Models.map((one) => foundAs(one.ModelName, one.ModelArn))
  }
  return foundIn(scope, 'ListModels', pages())
}

const paging = ({ client }: SagemakerScope) => ({ client, pageSize: 100 })

const foundAs = (name = '', arn = ''): Found => ({ name, arn })

const aboutAll = (region: string, action: string) => ({
  what: 'resources in SageMaker',
  action: `sagemaker:${action}`,
  resource: `arn:aws:sagemaker:${region}:*:*`,
})

function foundIn({ region }: SagemakerScope, action: string, pages: AsyncIterable<readonly Found[]>): Promise<Found[]> {
  const collect = async () => {
    const all: Found[] = []
    // Names of others may contain the word, and the caller need not have the right to look at them.
    for await (const page of pages) all.push(...page.filter(({ name }) => name.startsWith(`${NAME}-`)))
    return all
  }
  return answered(collect(), aboutAll(region, action))
}

/** Those that carry the tags of the run. */
async function ownedBy(scope: SagemakerScope, all: readonly Found[]): Promise<Found[]> {
  const { client, run, workspace, region, signal } = scope
  const owned = await pMap(
    all,
    async ({ arn }) => {
      const answer = client.send(new sm.ListTagsCommand({ ResourceArn: arn, MaxResults: 100 }), { abortSignal: signal })
      const { Tags = [] } = (await answered(ifThere(answer), aboutAll(region, 'ListTags'))) ?? {}
      const tags = new Map(Tags.map(({ Key, Value }) => [Key, Value]))
      return tags.get(RUN_TAG) === run && tags.get(WORKSPACE_TAG) === workspace
    },
    { concurrency: CONCURRENCY, signal },
  )
  return all.filter((_, i) => owned[i])
}

/** Configurations that endpoints have, or are about to have. */
async function configsOf(scope: SagemakerScope, all: readonly Found[]): Promise<string[]> {
  const used = await pMap(
    all,
    async ({ name }) => {
      const { EndpointConfigName, PendingDeploymentSummary } = (await endpointsOf(scope).look(name)) ?? {}
      return [EndpointConfigName, PendingDeploymentSummary?.EndpointConfigName]
    },
    { concurrency: CONCURRENCY, signal: scope.signal },
  )
  return used.flat().filter((name) => name !== undefined)
}

/** Something that one call removes. */
const simpleLeftover = (what: string, remove: () => Promise<unknown>): Leftover => ({
  what,
  files: 0,
  bytes: 0,
  note: 'costs nothing by itself',
  remove: async () => void (await remove()),
})

/** The scaling of endpoints that somebody deleted by hand: its alarms are paid for, if it stays. */
async function scalingLeftovers({ aws, region }: SagemakerScope, gone: readonly string[]): Promise<Leftover[]> {
  if (gone.length === 0) return []
  const client = await autoScalingClient(aws, region)
  const found = await pMap(gone, async (name) => ((await scalingOf(client, name)) === undefined ? [] : [name]))
  return found.flat().map((name) => ({
    ...simpleLeftover(`scaling of endpoint ${name}`, () => unscale(client, name)),
    note: 'the endpoint was deleted; alarms of its scaling cost',
  }))
}

function endpointLeftover(scope: SagemakerScope, name: string): Leftover {
  const { aws, region, sleep } = scope
  return {
    what: `endpoint ${name}`,
    files: 0,
    bytes: 0,
    note: 'costs while it exists, or by request',
    remove: async () => {
      const endpoints = endpointsOf(scope)
      // An endpoint that is being updated cannot be deleted.
      const state = await watched(
        () => endpoints.look(name),
        (now) => !/Updating|RollingBack/.test(now?.EndpointStatus ?? ''),
        sleep,
      )
      if (state === undefined) return
      await unscale(await autoScalingClient(aws, region), name)
      const left = await endpoints.remove(name, sleep)
      if (left === undefined) return
      throw new UserError(
        `endpoint ${name} could not be deleted: ${left.FailureReason ?? 'SageMaker does not say why'}`,
        { hint: 'the same command tries again' },
      )
    },
  }
}
