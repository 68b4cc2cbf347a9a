import { resolve } from 'node:path'
import { UsageError } from '../cli/errors.ts'

export type Location =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 's3'; readonly bucket: string; readonly prefix: string }

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/

/** Reads `s3://bucket[/prefix]` or a folder's path. The prefix has no slash at its ends. */
export function locationOf(uri: string): Location {
  const match = /^s3:\/\/([^/]*)\/?(.*)$/.exec(uri)
  if (match === null) {
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(uri)) throw new UsageError(`${uri}: only folders and s3:// URIs are understood`)
    return { kind: 'folder', path: resolve(uri) }
  }
  const [, bucket = '', prefix = ''] = match
  if (bucket.endsWith('--x-s3'))
    throw new UsageError(
      `${uri}: S3 Express directory buckets cannot be listed in key order`,
      'copy the logs to a general purpose bucket, or name one',
    )
  if (!BUCKET.test(bucket)) throw new UsageError(`${uri}: "${bucket}" is not a bucket name`, 'write s3://bucket/prefix')
  return { kind: 's3', bucket, prefix: prefix.replace(/\/+$/, '') }
}

/** The key that `s3://bucket/key` names, or the beginning of keys. */
export const keyIn = (uri: string): string => uri.replace(/^s3:\/\/[^/]+\//, '')

/** The places in `s3://a,s3://b/c`. The name of a folder may hold commas, so only what follows begins a place. */
export const placesIn = (uris: string): string[] => uris.split(/,(?=s3:\/\/)/)
