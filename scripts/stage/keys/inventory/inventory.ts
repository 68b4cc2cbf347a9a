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
import { folderStore } from '../../../lib/stores/folder.ts'
import { type AwsSettings, openStore } from '../../../lib/stores/open.ts'
import type { ObjectInfo, Store } from '../../../lib/stores/store.ts'
import { locationOf } from '../../../lib/stores/uri.ts'
import { sorted } from '../../sorted.ts'
import { daysOf, type KeySource, keyFilter, type Scope } from '../key-source.ts'
import { REWRITTEN_SCHEMA, rewriteOrc } from './orc.ts'
import { checkColumns, inventoryQuery } from './query.ts'

/** What is used of an inventory's manifest.json. Fields: "Inventory manifest", S3 user guide. */
const manifestSchema = v.object({
  sourceBucket: v.string(),
  destinationBucket: v.string(),
  creationTimestamp: v.pipe(v.string(), v.regex(/^\d+$/, 'milliseconds since 1970')),
  fileFormat: v.string(),
  fileSchema: v.string(),
  files: v.array(v.object({ key: v.string() })),
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
  /** False where the logs are a copy of the bucket, whose objects have no ETags of S3. */
  readonly etags: boolean
}

/** Finds keys in an S3 Inventory report: no LIST request, but only what lay there when the report was begun. */
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
      nearest: async () => [],
    },
  }
}

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

/** In a copied report the data files lie below some folder above the manifest. */
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
      // Names of our own: the manifest's keys are input.
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
    const rows = inventoryQuery(readable, files, { days: daysOf(scope), base }, signal)
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
