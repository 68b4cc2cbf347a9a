import { messageOf, UserError } from '../../../lib/cli/errors.ts'
import { Database } from '../../../lib/engines/duckdb/database.ts'
import type { ObjectInfo } from '../../../lib/stores/store.ts'
import type { InventoryManifest } from './inventory.ts'

interface Narrowing {
  /** `2026/11/20`: folders of which a key must have one. */
  readonly days: readonly string[]
  readonly base: string
}

/** Reads the rows of the days, in the order of the report, which is none. */
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
      { base, days: `/(${days.join('|')})/` },
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

/** A row group of a report may be large; what was read is not kept. */
const OPTIONS = {
  memory_limit: '1GB',
  threads: '1',
  enable_external_file_cache: 'false',
  preserve_insertion_order: 'false',
}

/** @throws UserError when the report is of no use */
export function checkColumns(manifest: InventoryManifest): void {
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
    // Keys are encoded in CSV reports only, and there as forms do: a plus is a blank.
    isCsv(manifest) ? `url_decode(replace("Key", '+', '%20')) AS key` : 'key',
    column('Size', 'size', 'BIGINT', 'size'),
    column('ETag', 'e_tag', 'VARCHAR', 'etag'),
    column('StorageClass', 'storage_class', 'VARCHAR', 'storage_class'),
  ].join(', ')
}

/** Of a versioned bucket only what a reader sees. */
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
