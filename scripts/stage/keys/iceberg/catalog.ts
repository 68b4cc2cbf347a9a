import type { AwsSettings } from '../../../lib/aws/settings.ts'
import { messageOf } from '../../../lib/cli/errors.ts'
import { openAthena } from '../../../lib/engines/athena/athena.ts'
import { locationOf } from '../../../lib/stores/uri.ts'
import type { CurrentMetadata } from '../key-source.ts'

/** Where the catalog is asked. */
export interface CatalogPlace extends AwsSettings {
  readonly workgroup: string
  /** Minutes. */
  readonly queryTimeout: number
  /** Bucket of the lake. */
  readonly bucket: string
  readonly signal: AbortSignal
}

/** "aws-security-data-lake-<region>-<random>": Security Lake user guide. */
const BUCKET = /^aws-security-data-lake-([a-z]+(?:-[a-z]+)+-\d+)-/

/** Names of Security Lake's own database and tables: "Security Lake queries", user guide. @param folder `aws/VPC_FLOW/2.0/` */
function lakeTable(bucket: string, folder: string): { database: string; table: string } | undefined {
  const region = BUCKET.exec(bucket)?.[1]?.replaceAll('-', '_')
  if (region === undefined) return undefined
  const source = folder
    .replace(/^aws\/|\/$/g, '')
    .replace(/[/.]/g, '_')
    .toLowerCase()
  return {
    database: `amazon_security_lake_glue_db_${region}`,
    table: `amazon_security_lake_table_${region}_${source}`,
  }
}

/**
 * Asks the AWS Glue catalog, through Athena, for the metadata of a lake's table: Iceberg's catalog keeps it as the parameter `metadata_location`. Who
 * may not ask goes on without.
 */
export async function currentMetadata(place: CatalogPlace, folder: string): Promise<CurrentMetadata> {
  const { bucket } = place
  const names = lakeTable(bucket, folder)
  if (names === undefined) return { unknown: `${bucket} is not named as a bucket of Security Lake` }
  const { database, table } = names
  try {
    const athena = await openAthena({ ...place, database }, `s3://${bucket}/`, { ...place, warn() {}, onState() {} })
    const uri = (await athena.table(table))?.Parameters?.metadata_location
    if (uri === undefined) return { unknown: `it has no metadata of ${database}.${table}` }
    const location = locationOf(uri)
    if (location.kind === 's3' && location.bucket === bucket) return { key: location.prefix }
    return { unknown: `the metadata of ${database}.${table} is elsewhere, ${uri}` }
  } catch (error) {
    place.signal.throwIfAborted()
    return { unknown: messageOf(error) }
  }
}
