import { QueryFailed } from '../../lib/aws/athena/failure.ts'
import { sendsLocation } from '../../lib/aws/athena/workgroup.ts'
import type { AwsSettings } from '../../lib/aws/settings.ts'
import { UserError } from '../../lib/cli/errors.ts'
import { openAthena } from '../../lib/engines/athena/athena.ts'
import { Attempts } from '../../lib/engines/athena/attempts.ts'
import { literal } from '../../lib/engines/render.ts'
import type { CostItem } from '../../lib/runs/cost.ts'
import { paddedSpan } from '../../lib/sources/layout.ts'
import { openStore } from '../../lib/stores/open.ts'
import { compareKeys, type ObjectInfo } from '../../lib/stores/store.ts'
import { locationOf } from '../../lib/stores/uri.ts'
import { dayPattern, type KeySource, keyFilter, type Scope } from './key-source.ts'

/** Runs a query and gives its rows as text, column by column. */
type QueryRows = (sql: string) => AsyncIterable<readonly (string | null)[]>

/** The tables of S3 Metadata: `inventory` is what lies there, `journal` what has changed since it was switched on. */
export interface MetadataTable {
  readonly bucket: string
  readonly table: 'inventory' | 'journal'
}

/** Namespace of a bucket in the AWS-managed table bucket: "S3 Metadata table namespaces", S3 user guide. */
const namespaceOf = (bucket: string): string => `b_${bucket.replaceAll('.', '_')}`

/** The query for objects of the window, in key order. Every value is a quoted literal. */
export function metadataQuery({ bucket, table }: MetadataTable, scope: Scope, base: string): string {
  const spans = scope.source.layouts.map(({ padding }) => paddedSpan(padding, scope.window))
  const first = new Date(Math.min(...spans.map((span) => span.first.getTime())))
  const wanted = [
    `starts_with(key, ${literal(base)})`,
    `regexp_like(key, ${literal(dayPattern(scope))})`,
    // Without a range of its time the whole journal is scanned. No object holds an event that is later than its own writing.
    ...(table === 'journal'
      ? [`record_type = 'CREATE'`, `record_timestamp >= timestamp ${literal(sqlTime(first))}`]
      : []),
  ]
  return [
    // Its order is that in which S3 was told; the dates may be missing, and are those of the beginning of an upload in parts.
    'SELECT key, max_by(size, sequence_number), max_by(e_tag, sequence_number), max_by(storage_class, sequence_number)',
    `FROM "s3tablescatalog/aws-s3"."${namespaceOf(bucket).replaceAll('"', '""')}"."${table}"`,
    `WHERE ${wanted.join('\n  AND ')}`,
    'GROUP BY key',
    // Of a versioned bucket what a reader sees.
    'HAVING NOT coalesce(max_by(is_delete_marker, sequence_number), false)',
    'ORDER BY key',
  ].join('\n')
}

/** Finds keys in the metadata tables of a bucket. */
export function metadataKeys(
  table: MetadataTable,
  scope: Scope,
  base: string,
  { query, costs = [] }: { query: QueryRows; costs?: CostItem[] },
): KeySource {
  const isWanted = keyFilter(scope)
  return {
    objects: (async function* () {
      let last: string | undefined
      for await (const [key, size, etag, storageClass] of query(metadataQuery(table, scope, base))) {
        if (!key || !isWanted(key)) continue
        if (last !== undefined && compareKeys(key, last) <= 0) throw new Error(`rows out of order: ${last}, ${key}`)
        last = key
        yield rowOf(key, size, etag, storageClass)
      }
    })(),
    findings: {
      looked: [`${table.table} table of ${table.bucket}`],
      warnings:
        table.table === 'journal' ? ['the journal knows only objects written after S3 Metadata was switched on'] : [],
      lost: [],
      costs,
      nearest: async () => [],
    },
  }
}

const rowOf = (key: string, size?: string | null, etag?: string | null, storageClass?: string | null): ObjectInfo => ({
  key,
  size: Number(size ?? 0),
  ...(etag && { etag: etag.replaceAll('"', '') }),
  ...(storageClass && { storageClass }),
})
const sqlTime = (time: Date): string => `${time.toISOString().slice(0, 19).replace('T', ' ')} UTC`

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

/**
 * Whether the inventory table of a bucket is known to name all that lay there an hour ago; what is not known is only warned of.
 * @throws UserError when it certainly does not
 */
export async function isInventoryComplete(
  bucket: string,
  aws: AwsSettings,
  warn: AthenaPlace['warn'],
): Promise<boolean> {
  const [{ regionOf, stsClient }, { callerIdentity }, { inventoryTable }] = await Promise.all([
    import('../../lib/aws/clients.ts'),
    import('../../lib/aws/identity.ts'),
    import('../../lib/stores/s3-metadata.ts'),
  ])
  const { account } = await callerIdentity(await stsClient(aws, await regionOf(aws, bucket)))
  const { state, says } = await inventoryTable(aws, bucket, account)
  if (state === 'active') return true
  if (state === 'unknown') {
    warn(
      `whether the inventory table of bucket ${bucket} names all objects is not known (${says}; needs s3:GetBucketMetadataTableConfiguration): the plan is not final`,
    )
    return false
  }
  throw new UserError(...unusable(state, bucket, { account, says }))
}

const OTHERWISE = 'or --keys list'
const SWITCH_ON = `switch on S3 Metadata with its inventory table for the bucket, ${OTHERWISE}`

function unusable(
  state: 'not on' | 'no table' | 'incomplete' | 'failed' | 'not own',
  bucket: string,
  { account, says }: { readonly account: string; readonly says: string },
): [message: string, options: { hint: string }] {
  const table = `the inventory table of bucket ${bucket}`
  switch (state) {
    case 'not on':
      return [`S3 Metadata is not on for bucket ${bucket}`, { hint: SWITCH_ON }]
    case 'no table':
      return [`bucket ${bucket} has no inventory table of S3 Metadata: ${says}`, { hint: SWITCH_ON }]
    case 'incomplete':
      return [
        `${table} is ${says}: it does not name all objects yet`,
        { hint: `the same command in some hours, ${OTHERWISE}` },
      ]
    case 'failed':
      return [`S3 does not fill ${table}: ${says}`, { hint: `make it anew once the cause is gone, ${OTHERWISE}` }]
    case 'not own':
      return [
        `bucket ${bucket} does not belong to account ${account}: S3 Metadata keeps its tables in the account of the owner, and Athena in this one never sees them`,
        { hint: '--keys list, digest or inventory; or stage with credentials of that account' },
      ]
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
