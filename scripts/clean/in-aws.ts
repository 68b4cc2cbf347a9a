import { sagemakerEndpointOf } from '../runs/endpoint.ts'
import { withLock } from '../runs/lock.ts'
import { paths } from '../runs/paths.ts'
import type { Run } from '../runs/run.ts'
import type { AwsSettings } from '../stores/open.ts'
import { locationOf } from '../stores/uri.ts'
import { tableLeftovers } from './athena-tables.ts'
import type { Removed } from './clean.ts'
import type { Leftover } from './leftovers.ts'
import { pagesAbout } from './pages.ts'

export interface AwsWish extends AwsSettings {
  readonly workgroup: string
  readonly database: string
  readonly queryTimeout: number
  readonly everything: boolean
}

interface Talk {
  readonly signal: AbortSignal
  warn(text: string): void
}

/** While the ledger stands, an interrupted removal can be started again; the lock is ours while we work. */
const LAST: readonly string[] = [paths.ledger, paths.lock]

/** What a run in S3 has left, in the order in which it can go. Looks, changes nothing. */
export async function awsLeftovers(run: Run, wish: AwsWish, { signal, warn }: Talk): Promise<Leftover[]> {
  const location = locationOf(run.uri)
  if (location.kind !== 's3') throw new Error(`${run.uri} is not in S3`)
  const { bucket, prefix } = location
  const { regionOf, s3Client, sagemakerClient } = await import('../aws/clients.ts')
  const { failedUploads, objectsBelow } = await import('./s3-objects.ts')
  const { isThere, sagemakerLeftovers } = await import('./sagemaker-resources.ts')
  const noted = await sagemakerEndpointOf(run)
  const deployed = run.ledger.steps.deploy?.result?.endpoint
  const region = noted?.region ?? (await regionOf(wish, bucket))
  const owner = {
    run: run.id,
    workspace: run.workspace,
    region,
    endpoints: [noted?.sagemaker, deployed].filter((name) => typeof name === 'string'),
  }
  const place = { client: await s3Client(wish, bucket), bucket, root: `${prefix}/`, store: run.store }
  const sagemaker = await sagemakerClient(wish, region)
  const inSagemaker = await sagemakerLeftovers(sagemaker, owner, wish, signal)
  // What was noted about an endpoint goes with it, also after it: a removal may have been interrupted between the two.
  const isOthers = async (name: string | undefined) =>
    name !== undefined &&
    !inSagemaker.some(({ what }) => what === `endpoint ${name}`) &&
    (await isThere(sagemaker, owner, name, wish, signal))
  const drafts = draftsOf(run)
  const objects = wish.everything
    ? [
        ...(await pagesInS3(run, wish)),
        await objectsBelow(place, 'all objects of the run', '', (key) => !LAST.includes(key)),
      ]
    : [
        await objectsBelow(place, 'staged', paths.staged),
        await objectsBelow(place, 'tmp', paths.tmp),
        await objectsBelow(place, 'pairs of interrupted extractions', 'pairs/', drafts),
        (await isOthers(noted?.sagemaker))
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
  const { files } = run.isDone('extract') ? run.result('extract') : { files: [] }
  const kept = (Array.isArray(files) ? files : []).flatMap((file) =>
    typeof file === 'object' && file !== null && 'path' in file ? [String(file.path)] : [],
  )
  // An older ledger, or one that names nothing, proves nothing.
  if (run.isDone('extract') && kept.length === 0) return () => false
  return (key) => !kept.some((path) => key.startsWith(path))
}

/** Removes what can be made again; the ledger notes it, and keeps what was done before. */
export async function removeInAws(run: Run, wish: AwsWish, talk: Talk): Promise<Removed[]> {
  if (wish.everything) return withLock(run.store, 'clean', () => carryOut(run, wish, talk))
  const step = { settings: {}, inputs: [], overwrite: true }
  const { removed } = await run.step('clean', step, async () => ({ removed: await carryOut(run, wish, talk) }))
  return removed
}

async function carryOut(run: Run, wish: AwsWish, talk: Talk): Promise<Removed[]> {
  const removed: Removed[] = []
  for (const leftover of await awsLeftovers(run, wish, talk)) {
    talk.signal.throwIfAborted()
    await leftover.remove(talk.signal)
    removed.push({ what: leftover.what, files: leftover.files, bytes: leftover.bytes })
  }
  if (wish.everything) await run.store.remove(paths.ledger)
  return removed
}
