import type { CostItem } from '../../lib/runs/cost.ts'
import { paddedSpan } from '../../lib/sources/layout.ts'
import { compareKeys, type ObjectInfo } from '../../lib/stores/store.ts'
import { daysOf, type KeySource, keyFilter, type Scope } from './key-source.ts'

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
    `regexp_like(key, ${literal(`/(${daysOf(scope).join('|')})/`)})`,
    // Without a range of its time the whole journal is scanned. No object holds an event that is later than its own writing.
    ...(table === 'journal'
      ? [`record_type = 'CREATE'`, `record_timestamp >= timestamp ${literal(sqlTime(first))}`]
      : []),
  ]
  return [
    'SELECT key, max_by(size, last_modified_date), max_by(e_tag, last_modified_date), max_by(storage_class, last_modified_date)',
    `FROM "s3tablescatalog/aws-s3"."${namespaceOf(bucket).replaceAll('"', '""')}"."${table}"`,
    `WHERE ${wanted.join('\n  AND ')}`,
    'GROUP BY key',
    // Of a versioned bucket what a reader sees.
    'HAVING NOT coalesce(max_by(is_delete_marker, last_modified_date), false)',
    'ORDER BY key',
  ].join('\n')
}

/** Finds keys in the metadata tables of a bucket. */
export function metadataKeys(
  table: MetadataTable,
  scope: Scope,
  base: string,
  query: QueryRows,
  costs: CostItem[] = [],
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

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`
const sqlTime = (time: Date): string => `${time.toISOString().slice(0, 19).replace('T', ' ')} UTC`
