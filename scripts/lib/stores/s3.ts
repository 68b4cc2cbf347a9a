import { s3Client } from '../aws/clients.ts'
import type { AwsSettings } from '../aws/settings.ts'
import { UserError } from '../cli/errors.ts'
import { type Bucket, bucketOf } from './s3-bucket.ts'
import { listObjects, prefixes } from './s3-list.ts'
import { head, read, readText } from './s3-read.ts'
import { remove, write } from './s3-write.ts'
import type { Store } from './store.ts'

/** A bucket, or what lies below a prefix of it, as a store. @throws UserError when there is no such bucket, or nobody to ask */
export async function s3Store(location: { bucket: string; prefix: string }, aws: AwsSettings = {}): Promise<Store> {
  const { bucket, prefix } = location
  const client = await s3Client(aws, bucket)
  return viewOf(bucketOf(client, bucket, aws), prefix === '' ? '' : `${prefix}/`)
}

/** @param root what all keys of the view begin with: '' or with a trailing slash */
function viewOf(bucket: Bucket, root: string): Store {
  const at = (key: string): string => root + checked(key)
  return {
    uri: `s3://${bucket.name}/${root}`.replace(/\/$/, ''),
    uriOf: (key) => `s3://${bucket.name}/${root}${key}`,
    get listRequests() {
      return bucket.listRequests
    },
    list: (options = {}) => listObjects(bucket, root, options),
    prefixes: (options = {}) => prefixes(bucket, root, options),
    head: async (key) => {
      const found = await head(bucket, at(key))
      return found && { key, ...found }
    },
    read: (key, options) => read(bucket, at(key), options),
    text: (key) => readText(bucket, at(key)),
    write: async (key, body, options) => ({ key, ...(await write(bucket, at(key), body, options)) }),
    remove: (key) => remove(bucket, at(key)),
    within: (prefix) => viewOf(bucket, root + prefix),
  }
}

/** @throws UserError when no object below a prefix can have this key */
function checked(key: string): string {
  if (key === '' || /\p{Surrogate}/u.test(key)) throw new UserError(`${JSON.stringify(key)} cannot be a key`)
  return key
}
