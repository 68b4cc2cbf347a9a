import { buffer } from 'node:stream/consumers'
import * as v from 'valibot'
import { messageOf, UserError } from '../../cli/errors.ts'
import { compareKeys, type Store } from '../store.ts'
import { locationOf } from '../uri.ts'
import { type AvroValue, avroRecords } from './avro.ts'
import { type IcebergTable, misunderstood } from './metadata.ts'

/** What is wanted of a table: `[from, to]` in milliseconds since 1970, and values of its columns `accountid` and `region`; none means all. */
export interface Wanted {
  readonly from: number
  readonly to: number
  readonly accounts: readonly string[]
  readonly regions: readonly string[]
}

/** Where the files of a table lie. */
export interface TablePlace {
  readonly store: Store
  /** Bucket of the logs; undefined for a folder, whose files are found by where they lie below the table. */
  readonly bucket: string | undefined
  /** Prefix of the table. */
  readonly folder: string
}

export function tablePlace(store: Store, folder: string): TablePlace {
  const location = store.localPath === undefined ? locationOf(store.uri) : undefined
  return { store, folder, bucket: location?.kind === 's3' ? location.bucket : undefined }
}

/** A data file of the current snapshot. */
interface DataFile {
  readonly key: string
  readonly size: number
}

export interface Scan {
  /** In key order. */
  readonly files: readonly DataFile[]
  /** How many the snapshot has in the manifests that were read. */
  readonly seen: number
}

const whole = v.union([v.number(), v.bigint()])
const manifest = v.object({
  manifest_path: v.string(),
  partition_spec_id: v.number(),
  content: v.optional(v.number(), 0),
  partitions: v.nullish(
    v.array(v.object({ lower_bound: v.nullish(v.instance(Buffer)), upper_bound: v.nullish(v.instance(Buffer)) })),
  ),
})
const bounds = v.nullish(v.array(v.object({ key: v.number(), value: v.instance(Buffer) })))
const entry = v.object({
  status: v.number(),
  data_file: v.object({
    content: v.optional(v.number(), 0),
    file_path: v.string(),
    file_format: v.string(),
    partition: v.record(v.string(), v.unknown()),
    file_size_in_bytes: whole,
    lower_bounds: bounds,
    upper_bounds: bounds,
  }),
})

const DELETED = 2

/** The data files of a table's current snapshot that may hold rows that are wanted. @throws UserError where rows were deleted from them */
export async function scanTable(place: TablePlace, table: IcebergTable, wanted: Wanted): Promise<Scan> {
  const files: DataFile[] = []
  let seen = 0
  if (table.snapshot === undefined) return { files, seen }
  const look = lookAt(table, wanted)
  for (const row of await recordsAt(place, table, table.snapshot.manifests, manifest)) {
    const spec = table.specs.get(row.partition_spec_id) ?? []
    if (!look.manifest(spec, row.partitions ?? [])) continue
    for (const { status, data_file: file } of await recordsAt(place, table, row.manifest_path, entry)) {
      if (status === DELETED) continue
      seen += 1
      if (!look.file(spec, file)) continue
      if (row.content !== 0 || file.content !== 0) throw hasDeletes(place)
      if (file.file_format.toUpperCase() !== 'PARQUET')
        throw misunderstood(file.file_path, `a data file of ${file.file_format}`)
      files.push({ key: keyOf(place, table, file.file_path), size: Number(file.file_size_in_bytes) })
    }
  }
  return { files: files.sort((a, b) => compareKeys(a.key, b.key)), seen }
}

const hasDeletes = ({ store, folder }: TablePlace): UserError =>
  new UserError(
    `rows were deleted from the Iceberg table ${store.uriOf(folder)}: its data files alone would count them`,
    {
      hint: 'name another window; or take the logs that Security Lake was fed with from their own buckets: --source cloudtrail, --source vpcflow',
    },
  )

async function recordsAt<T>(
  place: TablePlace,
  table: IcebergTable,
  path: string,
  schema: v.GenericSchema<unknown, T>,
): Promise<T[]> {
  const key = keyOf(place, table, path)
  const uri = place.store.uriOf(key)
  const bytes = await buffer(await place.store.read(key))
  let records: AvroValue[]
  try {
    records = [...avroRecords(bytes)]
  } catch (error) {
    throw misunderstood(uri, messageOf(error))
  }
  return records.map((record) => {
    const parsed = v.safeParse(schema, record)
    if (!parsed.success) throw misunderstood(uri, v.summarize(parsed.issues))
    return parsed.output
  })
}

/** Where a file lies that the metadata names by a whole URI. @throws UserError where that is elsewhere */
function keyOf({ store, bucket, folder }: TablePlace, { location }: IcebergTable, path: string): string {
  if (path.startsWith(`${location}/`)) return folder + path.slice(location.length + 1)
  const [, named, key] = /^s3[an]?:\/\/([^/]+)\/(.+)$/.exec(path) ?? []
  if (key !== undefined && named === bucket) return key
  throw new UserError(`the Iceberg table ${store.uriOf(folder)} names a file that lies elsewhere: ${path}`, {
    hint: 'name the place where the whole table lies with --logs',
  })
}

type Spec = readonly { readonly column: number; readonly transform: string }[]
type Span = readonly [first: number, last: number]

/** Milliseconds in a unit of the transforms of time; months and years are of different lengths. */
const UNITS: Readonly<Record<string, (value: number) => number>> = {
  hour: (value) => value * 3_600_000,
  day: (value) => value * 86_400_000,
  month: (value) => Date.UTC(1970, value),
  year: (value) => Date.UTC(1970 + value, 0),
}

const isTime = ({ columns }: IcebergTable, column: number): boolean =>
  /^time(_dt)?$/.test(columns.get(column)?.name ?? '')

/** The milliseconds of the values of a transform from the first to the last; undefined where it is none of time. */
function spanOf(transform: string, first: unknown, last: unknown): Span | undefined {
  const start = UNITS[transform]
  if (start === undefined || typeof first !== 'number' || typeof last !== 'number') return undefined
  return [start(first), start(last + 1) - 1]
}

/** Whether something may hold rows that are wanted. What tells nothing may. */
function lookAt(table: IcebergTable, { from, to, accounts, regions }: Wanted) {
  const { columns } = table
  const nameOf = (column: number): string => columns.get(column)?.name ?? ''
  const overlaps = ([first, last]: Span): boolean => first <= to && last >= from
  const values: Readonly<Record<string, readonly string[]>> = { accountid: accounts, region: regions }

  return {
    /** @param summaries the least and the greatest value of each part of the partitions */
    manifest: (spec: Spec, summaries: NonNullable<v.InferOutput<typeof manifest>['partitions']>): boolean =>
      spec.every(({ column, transform }, i) => {
        const { lower_bound: lower, upper_bound: upper } = summaries[i] ?? {}
        if (!isTime(table, column) || lower?.length !== 4 || upper?.length !== 4) return true
        const span = spanOf(transform, lower.readInt32LE(), upper.readInt32LE())
        return span === undefined || overlaps(span)
      }),

    file(spec: Spec, file: v.InferOutput<typeof entry>['data_file']): boolean {
      const parts = Object.values(file.partition)
      const isInPartition = spec.every(({ column, transform }, i) => {
        const chosen = values[nameOf(column)] ?? []
        if (transform === 'identity' && chosen.length > 0) return chosen.includes(String(parts[i]))
        const span = isTime(table, column) ? spanOf(transform, parts[i], parts[i]) : undefined
        return span === undefined || overlaps(span)
      })
      const timed = [...columns].flatMap(([id, { type }]) => (isTime(table, id) ? [{ id, unit: unitOf(type) }] : []))
      return (
        isInPartition &&
        timed.every(({ id, unit }) => {
          const [first, last] = [file.lower_bounds, file.upper_bounds].map(
            (all) => all?.find(({ key }) => key === id)?.value,
          )
          if (unit === undefined || first?.length !== 8 || last?.length !== 8) return true
          return overlaps([Number(first.readBigInt64LE()) / unit, Number(last.readBigInt64LE()) / unit])
        })
      )
    },
  }
}

/** How many of a column's units are a millisecond. `time` of OCSF is milliseconds, timestamps of Iceberg are microseconds. */
function unitOf(type: unknown): number | undefined {
  if (type === 'long') return 1
  return type === 'timestamp' || type === 'timestamptz' ? 1000 : undefined
}

/** Whether the partitions of a table tell accounts and regions apart. */
export const narrows = ({ columns, specs }: IcebergTable, name: 'accountid' | 'region'): boolean =>
  [...specs.values()].every((spec) =>
    spec.some(({ column, transform }) => transform === 'identity' && columns.get(column)?.name === name),
  )

/** First and last day, `2026-03-02`, that the partitions of a table tell; undefined where they tell none. Data files are not looked at. */
export async function tableDays(
  place: TablePlace,
  table: IcebergTable,
): Promise<readonly [first: string, last: string] | undefined> {
  const rows = table.snapshot === undefined ? [] : await recordsAt(place, table, table.snapshot.manifests, manifest)
  const spans = rows.flatMap((row) =>
    (table.specs.get(row.partition_spec_id) ?? []).flatMap(({ column, transform }, i) => {
      const { lower_bound: lower, upper_bound: upper } = row.partitions?.[i] ?? {}
      if (!isTime(table, column) || lower?.length !== 4 || upper?.length !== 4) return []
      return spanOf(transform, lower.readInt32LE(), upper.readInt32LE()) ?? []
    }),
  )
  if (spans.length === 0) return undefined
  const day = (time: number): string => new Date(time).toISOString().slice(0, 10)
  return [day(Math.min(...spans)), day(Math.max(...spans))]
}
