import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import * as v from 'valibot'
import { UserError } from '../../cli/errors.ts'
import type { Store } from '../store.ts'

// "Iceberg Table Spec": https://iceberg.apache.org/spec/

const id = v.pipe(v.string(), v.regex(/^-?\d+$/))
const field = v.object({ id: v.number(), name: v.string(), type: v.unknown() })
const spec = v.object({
  'spec-id': v.number(),
  fields: v.array(v.object({ name: v.string(), transform: v.string(), 'source-id': v.number() })),
})

/** What is read of a table's metadata. */
const tableMetadata = v.object({
  'format-version': v.number(),
  location: v.string(),
  'current-schema-id': v.optional(v.number()),
  schemas: v.optional(v.array(v.object({ 'schema-id': v.optional(v.number(), 0), fields: v.array(field) }))),
  schema: v.optional(v.object({ fields: v.array(field) })),
  'partition-specs': v.optional(v.array(spec), []),
  'current-snapshot-id': v.optional(v.nullable(id)),
  snapshots: v.optional(
    v.array(v.object({ 'snapshot-id': id, 'timestamp-ms': v.number(), 'manifest-list': v.optional(v.string()) })),
    [],
  ),
})

/** A table as one of its metadata files describes it. */
export interface IcebergTable {
  readonly location: string
  /** By id: name and type of the columns at the top. */
  readonly columns: ReadonlyMap<number, { readonly name: string; readonly type: unknown }>
  /** By id: what the data files are divided by, in the order of their partitions. */
  readonly specs: ReadonlyMap<number, readonly { readonly column: number; readonly transform: string }[]>
  /** Absent while the table has none. */
  readonly snapshot?: { readonly id: string; readonly time: Date; readonly manifests: string }
}

/** `00012-<uuid>.metadata.json` of a catalog, `v12.metadata.json` without one; either may be gzipped. */
const NAME = /^v?(\d+)(?:-[\w-]+)?(?:\.gz)?\.metadata\.json(?:\.gz)?$/

/**
 * Key of the metadata file that is in force, by its number: each commit adds one to it. The catalog is the authority; without it, two files of
 * the highest number leave open which commit has won. @throws UserError then, and where there is none
 */
export async function metadataKeyIn(store: Store, folder: string): Promise<string> {
  const prefix = `${folder}metadata/`
  let [highest, found]: [number, string[]] = [-1, []]
  for await (const { key } of store.list({ prefix })) {
    const number = Number(NAME.exec(key.slice(prefix.length))?.[1] ?? -1)
    if (number < highest || number === -1) continue
    found = number === highest ? [...found, key] : [key]
    highest = number
  }
  const [key, other] = found
  if (key === undefined)
    throw new UserError(
      `${store.uriOf(folder)} has no metadata of its Iceberg table, ${store.uriOf(prefix)}*.metadata.json: which of its files hold the current rows, and which have been replaced, cannot be known`,
      {
        hint: 'copy metadata/ with the rest; or take the logs that Security Lake was fed with from their own buckets: --source cloudtrail, --source vpcflow',
      },
    )
  if (other !== undefined)
    throw new UserError(
      `${store.uriOf(key)} and ${store.uriOf(other)} have the same number: which of them is in force only the catalog knows`,
      {
        hint: 'try again in a few minutes, when another commit has decided it; in AWS the right to glue:GetTable on the lake’s table tells at once',
      },
    )
  return key
}

/** Reads a metadata file. @throws UserError when it is none that is understood */
export async function readMetadata(store: Store, key: string): Promise<IcebergTable> {
  const bytes = await buffer(await store.read(key))
  const text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString()
  // Ids of snapshots are numbers that no double holds.
  const exact = text.replace(/("(?:current-)?snapshot-id"\s*:\s*)(-?\d+)/g, '$1"$2"')
  const parsed = v.safeParse(tableMetadata, json(exact))
  if (!parsed.success) throw misunderstood(store.uriOf(key), v.summarize(parsed.issues))
  const { location, schemas, schema, snapshots, ...rest } = parsed.output
  const current = schemas?.find((one) => one['schema-id'] === rest['current-schema-id']) ?? schemas?.at(-1) ?? schema
  const snapshot = snapshots.find((one) => one['snapshot-id'] === rest['current-snapshot-id'])
  const manifests = snapshot?.['manifest-list']
  if (snapshot !== undefined && manifests === undefined)
    throw misunderstood(store.uriOf(key), 'its snapshot has no list of manifests')
  return {
    location: location.replace(/\/+$/, ''),
    columns: new Map((current?.fields ?? []).map((one) => [one.id, one])),
    specs: new Map(
      rest['partition-specs'].map((one) => [
        one['spec-id'],
        one.fields.map(({ transform, 'source-id': column }) => ({ column, transform })),
      ]),
    ),
    ...(snapshot !== undefined &&
      manifests !== undefined && {
        snapshot: { id: snapshot['snapshot-id'], time: new Date(snapshot['timestamp-ms']), manifests },
      }),
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const misunderstood = (uri: string, why: string): UserError =>
  new UserError(`${uri} is no metadata of an Iceberg table that prestage understands: ${why}`, {
    hint: 'please report it; the logs that Security Lake was fed with can be read from their own buckets: --source cloudtrail, --source vpcflow',
  })
