import { QueryFailed } from '../../lib/aws/athena/failure.ts'
import { sendsLocation } from '../../lib/aws/athena/workgroup.ts'
import type { AwsSettings } from '../../lib/aws/settings.ts'
import { UserError } from '../../lib/cli/errors.ts'
import { openAthena } from '../../lib/engines/athena/athena.ts'
import { Attempts } from '../../lib/engines/athena/attempts.ts'
import { openStore } from '../../lib/stores/open.ts'
import { locationOf } from '../../lib/stores/uri.ts'

/** Where a query runs, and what is told of it. */
export interface AthenaPlace extends AwsSettings {
  readonly workgroup: string
  /** Minutes. */
  readonly queryTimeout: number
  /** Bucket of the logs: its tables are in its region. */
  readonly bucket: string
  /** `s3://…/` for an answer, which is removed again; undefined where only the workgroup may have a place. */
  readonly scratch: string | undefined
  readonly signal: AbortSignal
  warn(text: string): void
  onState(text: string): void
  onScanned(bytes: number): void
}

/** Runs one query and gives its rows. @throws UserError when it fails, or there is no place for its answer */
export async function* athenaRows(sql: string, place: AthenaPlace): AsyncGenerator<readonly (string | null)[]> {
  const { bucket, scratch } = place
  if (scratch !== undefined) await checkRegion(place, scratch)
  // Every name in the query is a full one.
  const athena = await openAthena({ ...place, database: 'default' }, scratch ?? `s3://${bucket}/`, place)
  if (scratch === undefined && sendsLocation(athena.workgroup)) throw noPlace(place)
  const nothingKept = { saved: {}, save: async () => {} }
  try {
    const done = await new Attempts(athena, nothingKept, bucket).run('keys', 'finding keys', () => sql)
    place.onScanned(done.scannedBytes)
    yield* athena.rows(done.id)
  } catch (error) {
    throw withoutTable(error, bucket) ?? error
  } finally {
    if (scratch !== undefined) await removeAll(scratch, place)
  }
}

/** Athena writes an answer only in its own region. */
async function checkRegion(place: AthenaPlace, scratch: string): Promise<void> {
  const location = locationOf(scratch)
  if (location.kind !== 's3') throw new Error(`${scratch} is not in S3`)
  const { regionOf } = await import('../../lib/aws/clients.ts')
  const [theirs, ours] = [await regionOf(place, place.bucket), await regionOf(place, location.bucket)]
  if (theirs !== ours)
    throw new UserError(
      `the metadata tables of ${place.bucket} are in ${theirs}, and the workspace is in ${ours}: Athena cannot put the answer there`,
      { hint: `a workspace in ${theirs}, or --keys list` },
    )
}

const noPlace = ({ workgroup }: AthenaPlace): UserError =>
  new UserError(
    `Athena has no place for its answer: workgroup ${workgroup} imposes none, and the workspace is a folder`,
    {
      hint: 'a --workspace in S3, in the region of the logs, or a --workgroup that enforces a place of its own',
      exitCode: 2,
    },
  )

function withoutTable(error: unknown, bucket: string): UserError | undefined {
  const failure = error instanceof UserError ? error.cause : undefined
  if (!(failure instanceof QueryFailed)) return undefined
  if (!/(CATALOG|SCHEMA|TABLE)_NOT_FOUND|EntityNotFound|does not exist/.test(failure.reason)) return undefined
  return new UserError(`bucket ${bucket} has no inventory table of S3 Metadata that Athena sees: ${failure.reason}`, {
    hint: 'S3 Metadata with its inventory table must be on for the bucket, and table buckets integrated with the AWS analytics services; or leave --keys metadata out',
    cause: error,
  })
}

async function removeAll(scratch: string, aws: AwsSettings): Promise<void> {
  const store = await openStore(scratch.replace(/\/$/, ''), { ...aws, signal: undefined })
  for await (const { key } of store.list()) await store.remove(key)
}
