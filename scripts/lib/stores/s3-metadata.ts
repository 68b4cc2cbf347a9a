import { GetBucketMetadataConfigurationCommand, HeadBucketCommand, type S3Client } from '@aws-sdk/client-s3'
import { s3Client } from '../aws/clients.ts'
import { detailsOf } from '../aws/errors.ts'
import type { AwsSettings } from '../aws/settings.ts'

/** What S3 tells of the live inventory table of a bucket; `says` are its own words. */
export interface InventoryTable {
  /** `not own`: the bucket is another account's, and so are its tables. `incomplete`: it does not name all objects yet. */
  readonly state: 'active' | 'not on' | 'no table' | 'incomplete' | 'failed' | 'not own' | 'unknown'
  readonly says: string
}

/**
 * Whether the inventory table of a bucket names all that lies there: `TableStatus` of GetBucketMetadataConfiguration, S3 API reference.
 * @param account whose tables Athena sees
 */
export async function inventoryTable(settings: AwsSettings, bucket: string, account: string): Promise<InventoryTable> {
  const { expectedBucketOwner: owner = account, signal } = settings
  if (owner !== account) return { state: 'not own', says: `it is of account ${owner}` }
  const client = await s3Client(settings, bucket)
  try {
    const asked = new GetBucketMetadataConfigurationCommand({ Bucket: bucket, ExpectedBucketOwner: account })
    const { GetBucketMetadataConfigurationResult: found } = await client.send(asked, {
      ...(signal && { abortSignal: signal }),
    })
    return stateOf(found?.MetadataConfigurationResult?.InventoryTableConfigurationResult)
  } catch (error) {
    signal?.throwIfAborted()
    const { code, status, message } = detailsOf(error)
    if (code === 'MetadataConfigurationNotFound') return { state: 'not on', says: message }
    if (status === 403 && (await isForeign(client, bucket, account))) return { state: 'not own', says: message }
    return { state: 'unknown', says: `${code}: ${message}` }
  } finally {
    client.destroy()
  }
}

interface Told {
  readonly ConfigurationState?: string | undefined
  readonly TableStatus?: string | undefined
  readonly Error?: { readonly ErrorCode?: string | undefined; readonly ErrorMessage?: string | undefined } | undefined
}

function stateOf(told: Told | undefined): InventoryTable {
  const { ConfigurationState, TableStatus: says = 'of no state', Error: failure } = told ?? {}
  if (told === undefined || ConfigurationState === 'DISABLED') return { state: 'no table', says: 'it is not enabled' }
  if (says === 'FAILED') return { state: 'failed', says: `${failure?.ErrorCode}: ${failure?.ErrorMessage}` }
  if (says === 'CREATING' || says === 'BACKFILLING') return { state: 'incomplete', says }
  return { state: says === 'ACTIVE' ? 'active' : 'unknown', says }
}

/** Whether a bucket that may be listed is not of this account. */
async function isForeign(client: S3Client, bucket: string, account: string): Promise<boolean> {
  const isRefused = async (owner: { ExpectedBucketOwner?: string }) => {
    try {
      await client.send(new HeadBucketCommand({ Bucket: bucket, ...owner }))
      return false
    } catch {
      return true
    }
  }
  return !(await isRefused({})) && (await isRefused({ ExpectedBucketOwner: account }))
}
