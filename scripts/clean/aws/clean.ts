import { sagemakerEndpointOf } from '../../lib/runs/endpoint.ts'
import { withLock } from '../../lib/runs/lock.ts'
import { paths } from '../../lib/runs/paths.ts'
import { placesOf } from '../../lib/runs/places.ts'
import type { Removal } from '../../lib/runs/results.ts'
import type { Run } from '../../lib/runs/run.ts'
import type { AwsSettings } from '../../lib/stores/open.ts'
import { keyIn, locationOf } from '../../lib/stores/uri.ts'
import { pagesAbout } from '../pages.ts'
import { runningQueries } from './athena-queries.ts'
import { type AthenaWish, tableLeftovers } from './athena-tables.ts'
import type { Leftover } from './leftovers.ts'
import type { World } from './sagemaker-owned.ts'

export interface AwsWish extends AthenaWish {
  readonly everything: boolean
}

interface Talk {
  readonly signal: AbortSignal
  /** The same is told once, however often it is found. */
  warn(text: string): void
}

/** While the ledger stands, an interrupted removal can be started again; the lock is ours while we work. */
const LAST: readonly string[] = [paths.ledger, paths.lock]

/** Where the run is, and how SageMaker is asked about it. */
interface Place {
  readonly bucket: string
  readonly sagemaker: World
}

/** What a run in S3 has left, in the order in which it can go. Looks, changes nothing. */
export async function awsLeftovers(run: Run, wish: AwsWish, talk: Talk): Promise<Leftover[]> {
  const place = await placeOf(run, wish, talk.signal)
  return [...(await underWay(run, place, wish, talk)), ...(await remains(run, place, wish, talk))]
}

async function placeOf(run: Run, aws: AwsWish, signal: AbortSignal): Promise<Place> {
  const location = locationOf(run.uri)
  if (location.kind !== 's3') throw new Error(`${run.uri} is not in S3`)
  const { bucket } = location
  const { regionOf, sagemakerClient } = await import('../../lib/aws/clients.ts')
  const noted = await sagemakerEndpointOf(run)
  const deployed = run.ledger.steps.deploy?.result?.endpoint
  const region = noted?.region ?? (await regionOf(aws, bucket))
  const endpoints = [noted?.sagemaker, deployed].filter((name) => name !== undefined)
  const owner = { run: run.id, workspace: run.workspace, region, endpoints }
  return { bucket, sagemaker: { client: await sagemakerClient(aws, region), owner, aws, signal } }
}

/** What still works for the run, and writes into its folder: it has to end first. */
async function underWay(run: Run, { bucket, sagemaker }: Place, wish: AwsWish, talk: Talk): Promise<Leftover[]> {
  const { sagemakerJobs } = await import('./sagemaker-jobs.ts')
  return [
    ...(await copyingJobs(run, bucket, wish, talk.signal)),
    ...(await runningQueries(run, wish, talk)),
    ...(await sagemakerJobs(sagemaker)),
  ]
}

async function copyingJobs(run: Run, bucket: string, wish: AwsWish, signal: AbortSignal): Promise<Leftover[]> {
  const { batchJobs, hasOrdered } = await import('./batch-jobs.ts')
  // Whoever has never used S3 Batch Operations need not have its rights.
  if (!(await hasOrdered(run))) return []
  const { regionOf, s3ControlClient, stsClient } = await import('../../lib/aws/clients.ts')
  const { identityOf } = await import('../../lib/aws/identity.ts')
  const region = await regionOf(wish, bucket)
  // A role can only be passed within its account: the caller's is the one that the job is in.
  const { account } = await identityOf(await stsClient(wish, region))
  return batchJobs({ control: await s3ControlClient(wish, region), account, region, run, signal })
}

/** What lies there. */
async function remains(run: Run, { bucket, sagemaker }: Place, wish: AwsWish, { warn }: Talk): Promise<Leftover[]> {
  const { s3Client } = await import('../../lib/aws/clients.ts')
  const { failedUploads, objectsBelow } = await import('./s3-objects.ts')
  const { isThere, sagemakerLeftovers } = await import('./sagemaker-resources.ts')
  const onVersions = () =>
    warn(
      `bucket ${bucket} keeps versions: what was removed lies there as older ones, and is paid for, until they are deleted or a lifecycle rule expires them`,
    )
  const roots = placesOf(run).map(keyIn)
  const place = { client: await s3Client(wish, bucket), bucket, roots, store: run.store, onVersions }
  const inSagemaker = await sagemakerLeftovers(sagemaker)
  // What was noted about an endpoint goes with it, also after it: a removal may have been interrupted between the two.
  const noted = await sagemakerEndpointOf(run)
  const isOthers = async (name: string) =>
    !inSagemaker.some(({ what }) => what === `endpoint ${name}`) && (await isThere(sagemaker, name))
  const objects = wish.everything
    ? [
        ...(await pagesInS3(run, wish)),
        await objectsBelow(place, 'all objects of the run', '', (key) => !LAST.includes(key)),
      ]
    : [
        await objectsBelow(place, 'staged', paths.staged),
        await objectsBelow(place, 'tmp', paths.tmp),
        await objectsBelow(place, 'pairs of interrupted extractions', paths.pairs, draftsOf(run)),
        // One that had its time is noted for whoever asks for it again.
        noted === undefined || (await isOthers(noted.sagemaker))
          ? undefined
          : await objectsBelow(place, 'note of the endpoint', paths.endpoint),
      ]
  const tables = tableLeftovers(run, wish, warn)
  return [...inSagemaker, tables, ...objects, await failedUploads(place)].filter((one) => one !== undefined)
}

async function pagesInS3(run: Run, aws: AwsSettings): Promise<Leftover[]> {
  const { root, pages } = await pagesAbout(run, aws)
  return pages.map(({ key, size }) => ({ what: key, files: 1, bytes: size, remove: () => root.remove(key) }))
}

/** Pairs that no extraction which came to its end has named. */
function draftsOf(run: Run): (key: string) => boolean {
  const kept = run.isDone('extract') ? run.result('extract').files.map(({ path }) => path) : []
  // A ledger that names nothing proves nothing.
  if (run.isDone('extract') && kept.length === 0) return () => false
  return (key) => !kept.some((path) => key.startsWith(path))
}

/** Removes what can be made again; the ledger notes it, and keeps what was done before. */
export async function removeInAws(run: Run, wish: AwsWish, talk: Talk): Promise<readonly Removal[]> {
  if (wish.everything) return withLock(run.store, { ...run.host, step: 'clean' }, () => carryOut(run, wish, talk))
  const step = { settings: {}, inputs: [], overwrite: true }
  const { removed } = await run.step('clean', step, async () => ({ removed: await carryOut(run, wish, talk) }))
  return removed
}

async function carryOut(run: Run, wish: AwsWish, talk: Talk): Promise<readonly Removal[]> {
  const place = await placeOf(run, wish, talk.signal)
  const removed: Removal[] = []
  // What lies there is looked at once nothing writes any more.
  for (const part of [underWay, remains])
    for (const { what, files, bytes, done, remove } of await part(run, place, wish, talk)) {
      talk.signal.throwIfAborted()
      await remove(talk.signal)
      removed.push({ what, files, bytes, ...(done !== undefined && { done }) })
    }
  if (wish.everything) await run.store.remove(paths.ledger)
  return removed
}
