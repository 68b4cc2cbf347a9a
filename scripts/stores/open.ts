import { folderStore } from './folder.ts'
import type { Store } from './store.ts'
import { locationOf } from './uri.ts'

/** How AWS is reached; credentials come from the SDK's own chain. */
export interface AwsSettings {
  readonly profile?: string | undefined
  readonly awsRegion?: string | undefined
  readonly endpointUrl?: string | undefined
}

/** Opens what a URI names: a folder, or a bucket with a prefix. The AWS SDK loads only for the latter. */
export async function openStore(uri: string, aws: AwsSettings = {}): Promise<Store> {
  const location = locationOf(uri)
  if (location.kind === 'folder') return folderStore(location.path)
  const { s3Store } = await import('./s3.ts')
  return s3Store(location, aws)
}
