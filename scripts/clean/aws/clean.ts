import type { Leftover } from '../../lib/aws/leftover.ts'
import type { SagemakerScope } from '../../lib/aws/sagemaker/leftovers.ts'
import type { Waiting } from '../../lib/cli/host.ts'
import { sagemakerEndpointOf } from '../../lib/runs/endpoint.ts'
import { withLock } from '../../lib/runs/lock.ts'
import { paths, placesOf } from '../../lib/runs/paths.ts'
import type { Removal } from '../../lib/runs/results.ts'
import type { Run } from '../../lib/runs/run.ts'
import type { AwsSettings } from '../../lib/stores/open.ts'
import { keyIn, locationOf } from '../../lib/stores/uri.ts'
import { pagesAbout } from '../leftovers.ts'
import { type AthenaOptions, queryLeftovers, tableLeftovers } from './athena.ts'

export interface CleanOptions extends AthenaOptions {
  readonly everything: boolean
}

/** A run to be cleaned, and how. */
export interface CleanStep extends Waiting {
  readonly run: Run
  readonly options: CleanOptions
  /** Reports the same warning only once. */
  warn(text: string): void
}

/** While the ledger exists, an interrupted removal can be repeated; the lock is held while clean works. */
const LAST: readonly string[] = [paths.ledger, paths.lock]

/** Where the run is, and how SageMaker is asked about it. */
interface Place {
  readonly bucket: string
  readonly sagemaker: SagemakerScope
}

/** What a run in S3 has left, in the order in which it can be removed. Changes nothing. */
export async function awsLeftovers(step: CleanStep): Promise<Leftover[]> {
  const place = await placeOf(step)
  return [...(await underWay(step, place)), ...(await remains(step, place))]
}

async function placeOf({ run, options: aws, signal, sleep }: CleanStep): Promise<Place> {
  const location = locationOf(run.uri)
  if (location.kind !== 's3') throw new Error(`${run.uri} is not in S3`)
  const { bucket } = location
  const { regionOf, sagemakerClient } = await import('../../lib/aws/clients.ts')
  const noted = await sagemakerEndpointOf(run)
  const deployed = run.ledger.steps.deploy?.result?.endpoint
  const region = noted?.region ?? (await regionOf(aws, bucket))
  const endpoints = [noted?.sagemaker, deployed].filter((name) => name !== undefined)
  const client = await sagemakerClient(aws, region)
  return { bucket, sagemaker: { client, run: run.id, workspace: run.workspace, region, endpoints, aws, signal, sleep } }
}

/** What still works for the run, and writes into its folder: it has to end first. */
async function underWay(step: CleanStep, { bucket, sagemaker }: Place): Promise<Leftover[]> {
  const { jobLeftovers } = await import('../../lib/aws/sagemaker/leftovers.ts')
  return [
    ...(await copyingJobs(step, bucket)),
    ...(await queryLeftovers(step.run, step.options, step)),
    ...(await jobLeftovers(sagemaker)),
  ]
}

async function copyingJobs({ run, options, signal, sleep }: CleanStep, bucket: string): Promise<Leftover[]> {
  const { batchLeftovers } = await import('../../lib/aws/s3-batch/leftovers.ts')
  // A user who has never used S3 Batch Operations need not have its permissions.
  if (!(await hasCreatedJobs(run))) return []
  const { regionOf, s3ControlClient, stsClient } = await import('../../lib/aws/clients.ts')
  const { callerIdentity } = await import('../../lib/aws/identity.ts')
  const region = await regionOf(options, bucket)
  // A role can only be passed within its account, so the job is in the caller's.
  const { account } = await callerIdentity(await stsClient(options, region))
  const control = await s3ControlClient(options, region)
  const of = { run: run.id, manifests: run.uriOf(paths.jobs), saved: savedJob(run) }
  return batchLeftovers({ control, account, region, ...of, signal, sleep })
}

const savedJob = (run: Run): string | undefined => run.ledger.steps.stage?.checkpoint.job?.id

/** Whether the run may have created a job: its manifest is written before, and expires after its id is saved. */
async function hasCreatedJobs(run: Run): Promise<boolean> {
  if (savedJob(run) !== undefined) return true
  for await (const _ of run.store.list({ prefix: paths.jobs })) return true
  return false
}

/** What has been made and lies there. */
async function remains(step: CleanStep, { bucket, sagemaker }: Place): Promise<Leftover[]> {
  const { run, options, warn } = step
  const { s3Client } = await import('../../lib/aws/clients.ts')
  const { failedUploads, objectsBelow } = await import('../../lib/stores/s3-leftovers.ts')
  const { endpointExists, resourceLeftovers } = await import('../../lib/aws/sagemaker/leftovers.ts')
  const onVersions = () =>
    warn(
      `bucket ${bucket} keeps versions: removed objects stay as older versions, and are paid for, until they are deleted or a lifecycle rule expires them`,
    )
  const roots = placesOf(run).map(keyIn)
  const place = { client: await s3Client(options, bucket), bucket, roots, store: run.store, onVersions }
  const resources = await resourceLeftovers(sagemaker)
  // The note about an endpoint goes with it, also afterwards: a removal may have been interrupted between the two.
  const noted = await sagemakerEndpointOf(run)
  const isOthers = async (name: string) =>
    !resources.some(({ what }) => what === `endpoint ${name}`) && (await endpointExists(sagemaker, name))
  const objects = options.everything
    ? [
        ...(await reportsInS3(run, options)),
        await objectsBelow(place, 'all objects of the run', '', (key) => !LAST.includes(key)),
      ]
    : [
        await objectsBelow(place, 'staged', paths.staged),
        await objectsBelow(place, 'tmp', paths.tmp),
        await objectsBelow(place, 'pairs of interrupted extractions', paths.pairs, draftsOf(run)),
        // The note of an endpoint that was deleted after its time stays: deploy reads it.
        noted === undefined || (await isOthers(noted.sagemaker))
          ? undefined
          : await objectsBelow(place, 'note of the endpoint', paths.endpoint),
      ]
  const tables = tableLeftovers(run, options, step)
  return [...resources, tables, ...objects, await failedUploads(place)].filter((one) => one !== undefined)
}

async function reportsInS3(run: Run, aws: AwsSettings): Promise<Leftover[]> {
  const { root, pages } = await pagesAbout(run, aws)
  return pages.map(({ key, size }) => ({ what: key, files: 1, bytes: size, remove: () => root.remove(key) }))
}

/** Pairs that no finished extraction has named. */
function draftsOf(run: Run): (key: string) => boolean {
  const kept = run.isDone('extract') ? run.result('extract').files.map(({ path }) => path) : []
  // A ledger that names nothing proves nothing.
  if (run.isDone('extract') && kept.length === 0) return () => false
  return (key) => !kept.some((path) => key.startsWith(path))
}

/** Removes what can be made again; the ledger records it, and keeps the earlier steps. */
export async function removeInAws(step: CleanStep): Promise<readonly Removal[]> {
  const { run, options } = step
  if (options.everything) return withLock(run.store, { ...run.host, step: 'clean' }, () => carryOut(step))
  const plan = { settings: {}, inputs: [], overwrite: true }
  const { removed } = await run.step('clean', plan, async () => ({ removed: await carryOut(step) }))
  return removed
}

async function carryOut(step: CleanStep): Promise<readonly Removal[]> {
  const { run, options, signal } = step
  const place = await placeOf(step)
  const removed: Removal[] = []
  // What lies there is listed once nothing writes any more.
  for (const part of [underWay, remains])
    for (const { what, files, bytes, done, remove } of await part(step, place)) {
      signal.throwIfAborted()
      await remove(signal)
      removed.push({ what, files, bytes, ...(done !== undefined && { done }) })
    }
  if (options.everything) await run.store.remove(paths.ledger)
  return removed
}
