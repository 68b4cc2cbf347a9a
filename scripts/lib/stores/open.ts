import { existsSync } from 'node:fs'
import type { AwsSettings } from '../aws/settings.ts'
import { plural } from '../cli/format.ts'
import { matchesVariable } from '../sources/template.ts'
import { fencedFolderStore, folderStore } from './folder.ts'
import type { Store } from './store.ts'
import { locationOf } from './uri.ts'

export type { AwsSettings }

/** Opens what a URI names: a folder, or a bucket with a prefix. The AWS SDK loads only for the latter. */
export async function openStore(uri: string, aws: AwsSettings = {}): Promise<Store> {
  const location = locationOf(uri)
  if (location.kind === 'folder') return folderStore(location.path)
  const { s3Store } = await import('./s3.ts')
  return s3Store(location, aws)
}

/** Where logs lie: keys are relative to the store, what was named is everything below `base` ('' or with a trailing slash). */
export interface Logs {
  readonly uri: string
  readonly store: Store
  readonly base: string
  /** Name of the bucket, or of the folder. */
  readonly bucket: string
}

const SHOWN = 5

/** A warning of the links that were left out so far, if there are any. */
export function linkWarnings({ store }: Logs): string[] {
  const links = [...(store.outwardLinks ?? [])]
  if (links.length === 0) return []
  const named = links.slice(0, SHOWN).map((key) => `\n    ${JSON.stringify(key)}`)
  return [`links that lead out of the logs are left out: ${plural(links.length, 'link')}${named.join('')}`]
}

const AWS_LOGS = 'AWSLogs'

/**
 * Opens logs so that their keys are the ones that AWS wrote: at the bucket itself, or at the folder that holds `AWSLogs/`,
 * however deep below it the URI points.
 */
export async function openLogs(uri: string, aws: AwsSettings = {}): Promise<Logs> {
  const location = locationOf(uri)
  if (location.kind === 's3') {
    const { bucket, prefix } = location
    const base = prefix === '' ? '' : `${prefix}/`
    return {
      uri: `s3://${bucket}/${prefix}`.replace(/\/$/, ''),
      store: await openStore(`s3://${bucket}`, aws),
      base,
      bucket,
    }
  }
  const segments = location.path.split('/')
  const at = ownFolderIn(segments)
  const root = at === -1 ? location.path : segments.slice(0, at).join('/') || '/'
  const base = at === -1 ? '' : `${segments.slice(at).join('/')}/`
  return { uri: location.path, store: fencedFolderStore(root), base, bucket: root.split('/').at(-1) || 'folder' }
}

/** Which part of a path is the `AWSLogs` that AWS wrote; −1 for none. Somebody who copies a bucket may give another folder this name. */
function ownFolderIn(segments: readonly string[]): number {
  const at = segments.lastIndexOf(AWS_LOGS)
  const next = segments[at + 1]
  const isOwn =
    next === undefined
      ? !existsSync([...segments, AWS_LOGS].join('/'))
      : matchesVariable('account', next) || matchesVariable('org', next)
  return isOwn ? at : -1
}
