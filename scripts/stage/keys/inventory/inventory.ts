import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import pMap from 'p-map'
import * as v from 'valibot'
import { messageOf, UserError } from '../../../lib/cli/errors.ts'
import { plural, utc } from '../../../lib/cli/format.ts'
import { fitted } from '../../../lib/cli/shapes.ts'
import { Database } from '../../../lib/engines/duckdb/database.ts'
import { type CostItem, PRICES } from '../../../lib/runs/cost.ts'
import { folderStore } from '../../../lib/stores/folder.ts'
import { type AwsSettings, openStore } from '../../../lib/stores/open.ts'
import type { ObjectInfo, Store } from '../../../lib/stores/store.ts'
import { locationOf } from '../../../lib/stores/uri.ts'
import { sorted } from '../../sorted.ts'
import { dayPattern, type KeySource, keyFilter, type Scope } from '../key-source.ts'
import { REWRITTEN_SCHEMA, rewriteOrc } from './orc.ts'

/** The used fields of an inventory's manifest.json: "Inventory manifest", S3 user guide. */
const manifestSchema = v.object({
  sourceBucket: v.string(),
  destinationBucket: v.string(),
  creationTimestamp: v.pipe(v.string(), v.regex(/^\d+$/, 'milliseconds since 1970')),
  fileFormat: v.string(),
  fileSchema: v.string(),
  files: v.array(v.object({ key: v.string(), size: v.optional(v.number(), 0) })),
})

export type InventoryManifest = v.InferOutput<typeof manifestSchema>

interface Report {
  readonly manifest: InventoryManifest
  /** Holds the data files under the keys that the manifest names. */
  readonly store: Store
}

export interface InventorySettings extends AwsSettings {
  readonly base: string
  readonly signal: AbortSignal
  /** False where the logs are a copy of the bucket, whose files have other ETags. */
  readonly etags: boolean
}

/** Finds keys in an S3 Inventory report: needs no LIST request, but knows only objects that existed when the report was begun. */
export async function inventoryKeys(
  uri: string,
  scope: Scope,
  { base, signal, etags, ...aws }: InventorySettings,
): Promise<KeySource> {
  const { manifest, store } = await openReport(uri, aws)
  checkColumns(manifest)
  const begun = new Date(Number(manifest.creationTimestamp))
  if (begun < scope.window.to)
    throw new UserError(`the inventory ${uri} was begun at ${utc(begun)}, before the window ends`, {
      hint: 'take a later report, or leave --keys inventory out',
    })
  const late = Math.max(...scope.source.layouts.map(({ padding }) => padding.lateHours)) * 3_600_000
  return {
    objects: withEtags(rowsOf({ manifest, store }, scope, base, signal), etags),
    findings: {
      looked: [`inventory of ${manifest.sourceBucket}, begun ${utc(begun)}, ${plural(manifest.files.length, 'file')}`],
      warnings:
        begun.getTime() < scope.window.to.getTime() + late
          ? [`the inventory was begun at ${utc(begun)}: files delivered later than that are not in it`]
          : [],
      lost: [],
      costs: store.localPath === undefined ? downloadOf(manifest) : [],
      asOf: begun,
      nearest: async () => [],
    },
  }
}

/** The report is read on this machine. */
const downloadOf = ({ files }: InventoryManifest): CostItem[] => [
  { what: 'GET requests for the inventory', count: files.length + 1, each: PRICES.getRequest },
  {
    what: 'bytes of the inventory out of AWS',
    count: files.reduce((sum, { size }) => sum + size, 0),
    each: PRICES.byteOut,
  },
]

async function* withEtags(objects: AsyncIterable<ObjectInfo>, etags: boolean): AsyncGenerator<ObjectInfo> {
  for await (const { etag, ...object } of objects) yield etags && etag !== undefined ? { ...object, etag } : object
}

async function openReport(uri: string, aws: AwsSettings): Promise<Report> {
  const location = locationOf(uri)
  const at =
    location.kind === 'folder' ? folderStore(dirname(location.path)) : await openStore(`s3://${location.bucket}`, aws)
  const key = location.kind === 'folder' ? (location.path.split('/').at(-1) ?? '') : location.prefix
  const text = await at.text(key)
  if (text === undefined) throw new UserError(`--inventory ${uri}: there is no such object`, { exitCode: 2 })
  try {
    const manifest = fitted(manifestSchema, JSON.parse(text))
    const bucket = manifest.destinationBucket.replace(/^arn:[^:]*:s3:::/, '')
    return {
      manifest,
      store:
        location.kind === 'folder' ? await rootOf(location.path, manifest) : await openStore(`s3://${bucket}`, aws),
    }
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new UserError(`--inventory ${uri} is not the manifest.json of an S3 Inventory: ${messageOf(error)}`, {
      exitCode: 2,
    })
  }
}

/** In a copied report the data files are below one of the manifest's parent folders. */
async function rootOf(path: string, { files }: InventoryManifest): Promise<Store> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const store = folderStore(folder)
    const [first] = files
    if (first === undefined || (await store.head(first.key)) !== undefined) return store
    if (folder === dirname(folder)) break
  }
  throw new UserError(`the data files that ${path} names do not lie beside it`, {
    hint: `expected: …/${files[0]?.key}`,
  })
}

async function* rowsOf(
  { manifest, store }: Report,
  scope: Scope,
  base: string,
  signal: AbortSignal,
): AsyncGenerator<ObjectInfo> {
  const folder = await mkdtemp(join(tmpdir(), 'prestage-inventory-'))
  const isWanted = keyFilter(scope)
  const isOrc = manifest.fileFormat.toUpperCase() === 'ORC'
  try {
    const fetched = async ({ key }: { key: string }, i: number) => {
      // Our own names: the manifest's keys are untrusted input.
      const path = join(folder, `part-${i}`)
      await pipeline(await store.read(key), createWriteStream(path), { signal })
      if (!isOrc) return path
      const target = join(folder, `csv-${i}`)
      await rewriteOrc({ path, key }, target, isWanted, signal)
      await rm(path)
      return target
    }
    const files = await pMap(manifest.files, fetched, { concurrency: 4, signal })
    const readable = isOrc ? { ...manifest, fileFormat: 'CSV', fileSchema: REWRITTEN_SCHEMA } : manifest
    const rows = inventoryQuery(readable, files, { days: dayPattern(scope), base }, signal)
    for await (const object of sorted(wanted(rows, isWanted), folder)) {
      signal.throwIfAborted()
      yield object
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function* wanted(objects: AsyncIterable<ObjectInfo>, isWanted: (key: string) => boolean) {
  for await (const object of objects) if (isWanted(object.key)) yield object
}

interface Narrowing {
  /** Pattern of the folders of which a key must have one. */
  readonly days: string
  readonly base: string
}

/** Reads the rows of the days, in no particular order. */
export async function* inventoryQuery(
  manifest: InventoryManifest,
  files: readonly string[],
  { days, base }: Narrowing,
  signal: AbortSignal,
): AsyncGenerator<ObjectInfo> {
  if (files.length === 0) return
  const database = await Database.open({ options: OPTIONS, signal })
  try {
    const { batches } = await (await database.connect()).stream(
      `SELECT key, size, etag, storage_class
      FROM (SELECT ${columnsOf(manifest)} FROM ${relationOf(manifest, files)} WHERE ${currentOnly(manifest)})
      WHERE starts_with(key, $base) AND regexp_matches(key, $days)`,
      { base, days },
    )
    for await (const rows of batches)
      for (const [key, size, etag, storageClass] of rows)
        yield {
          key: String(key),
          size: Number(size),
          ...(etag && { etag: String(etag).replaceAll('"', '') }),
          ...(storageClass && { storageClass: String(storageClass) }),
        }
  } catch (error) {
    signal.throwIfAborted()
    const [reason = ''] = messageOf(error).split('\n')
    throw new UserError(`the files of the inventory cannot be read: ${reason}`, {
      hint: 'take another report, or leave --keys inventory out',
      cause: error,
    })
  } finally {
    await database.close()
  }
}

/** A row group of a report may be large; nothing is cached. */
const OPTIONS = {
  memory_limit: '1GB',
  threads: '1',
  enable_external_file_cache: 'false',
  preserve_insertion_order: 'false',
}

/** @throws UserError when the report cannot be used */
function checkColumns(manifest: InventoryManifest): void {
  if (!['CSV', 'ORC', 'PARQUET'].includes(manifest.fileFormat.toUpperCase()))
    throw new UserError(`inventory reports in ${manifest.fileFormat} cannot be read`, {
      hint: 'configure the inventory as CSV, ORC or Parquet',
    })
  if (!names(manifest).includes(isCsv(manifest) ? 'Size' : 'size'))
    throw new UserError('the inventory has no sizes: without them neither plan nor proof is possible', {
      hint: 'add the optional field Size to the inventory configuration',
    })
}

/** Names of the columns, as the report's format spells them. */
const isCsv = ({ fileFormat }: InventoryManifest): boolean => fileFormat.toUpperCase() === 'CSV'
const names = ({ fileFormat, fileSchema }: InventoryManifest): string[] => {
  if (fileFormat.toUpperCase() === 'CSV') return fileSchema.split(',').map((name) => name.trim())
  const column = fileFormat.toUpperCase() === 'ORC' ? /[<,]\s*(\w+)\s*:/g : /(\w+)\s*(?:\([^)]*\))?;/g
  return [...fileSchema.matchAll(column)].map(([, name]) => name ?? '')
}

function columnsOf(manifest: InventoryManifest): string {
  const column = (csv: string, other: string, type: string, as: string) => {
    const name = isCsv(manifest) ? csv : other
    return `CAST(${names(manifest).includes(name) ? `"${name}"` : 'NULL'} AS ${type}) AS ${as}`
  }
  return [
    // Only CSV reports encode keys, and they do it as HTML forms: a plus is a space.
    isCsv(manifest) ? `url_decode(replace("Key", '+', '%20')) AS key` : 'key',
    column('Size', 'size', 'BIGINT', 'size'),
    column('ETag', 'e_tag', 'VARCHAR', 'etag'),
    column('StorageClass', 'storage_class', 'VARCHAR', 'storage_class'),
  ].join(', ')
}

/** Only current versions of a versioned bucket. */
function currentOnly(manifest: InventoryManifest): string {
  const [latest, marker] = isCsv(manifest) ? ['IsLatest', 'IsDeleteMarker'] : ['is_latest', 'is_delete_marker']
  const has = names(manifest)
  return [
    has.includes(latest) ? `CAST("${latest}" AS BOOLEAN)` : 'true',
    has.includes(marker) ? `NOT CAST("${marker}" AS BOOLEAN)` : 'true',
  ].join(' AND ')
}

function relationOf(manifest: InventoryManifest, files: readonly string[]): string {
  const list = `[${files.map((file) => `'${file.replaceAll("'", "''")}'`).join(', ')}]`
  if (!isCsv(manifest)) return `read_parquet(${list})`
  const columns = names(manifest).map((name) => `'${name.replaceAll(/\W/g, '')}': 'VARCHAR'`)
  return `read_csv(${list}, header = false, delim = ',', quote = '"', escape = '"', auto_detect = false, compression = 'gzip', columns = {${columns.join(', ')}})`
}
