import type { Leftover } from '../../lib/aws/leftover.ts'
import type { SagemakerScope } from '../../lib/aws/sagemaker/leftovers.ts'
import type { Waiting } from '../../lib/cli/host.ts'
import { sagemakerEndpointOf } from '../../lib/runs/endpoint.ts'
import { paths, placesOf } from '../../lib/runs/paths.ts'
import type { Run } from '../../lib/runs/run.ts'
import { hasAny } from '../../lib/stores/store.ts'
import { keyIn, locationOf } from '../../lib/stores/uri.ts'
import { combinedReports, LAST, type Leftovers, REPLACEABLE } from '../leftovers.ts'
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

/** Where the run is, and how SageMaker is asked about it. */
interface Place {
  readonly bucket: string
  readonly sagemaker: SagemakerScope
}

/** What a run in S3 has left. */
export async function* awsLeftovers(step: CleanStep): Leftovers {
  const place = await placeOf(step)
  yield await underWay(step, place)
  yield await remains(step, place)
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
  const saved = run.ledger.steps.stage?.checkpoint.job?.id
  // A job's manifest is written before the job, and expires after its id is saved.
  if (saved === undefined && !(await hasAny(run.store, paths.jobs))) return []
  const { regionOf, s3ControlClient, stsClient } = await import('../../lib/aws/clients.ts')
  const { callerIdentity } = await import('../../lib/aws/identity.ts')
  const region = await regionOf(options, bucket)
  // A role can only be passed within its account, so the job is in the caller's.
  const { account } = await callerIdentity(await stsClient(options, region))
  const control = await s3ControlClient(options, region)
  const of = { run: run.id, manifests: run.uriOf(paths.jobs), saved }
  return batchLeftovers({ control, account, region, ...of, signal, sleep })
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
        ...(await combinedReports(run, options)),
        await objectsBelow(place, 'all objects of the run', '', (key) => !LAST.includes(key)),
      ]
    : [
        ...(await Promise.all(REPLACEABLE.map((key) => objectsBelow(place, key.replace(/\/$/, ''), key)))),
        await objectsBelow(place, 'pairs of interrupted extractions', paths.pairs, draftsOf(run)),
        // The note of an endpoint that was deleted after its time stays: deploy reads it.
        noted === undefined || (await isOthers(noted.sagemaker))
          ? undefined
          : await objectsBelow(place, 'note of the endpoint', paths.endpoint),
      ]
  const tables = tableLeftovers(run, options, step)
  const uploads = await failedUploads(place)
  const ledger = options.everything ? await objectsBelow(place, paths.ledger, paths.ledger) : undefined
  return [...resources, tables, ...objects, uploads, ledger].filter((one) => one !== undefined)
}

/** Pairs that no finished extraction has named. */
function draftsOf(run: Run): (key: string) => boolean {
  const kept = run.isDone('extract') ? run.result('extract').files.map(({ path }) => path) : []
  // A ledger that names nothing proves nothing.
  if (run.isDone('extract') && kept.length === 0) return () => false
  return (key) => !kept.some((path) => key.startsWith(path))
}
