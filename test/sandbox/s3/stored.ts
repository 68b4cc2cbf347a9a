import type { Content } from './content.ts'

export interface Encryption {
  readonly algorithm: 'AES256' | 'aws:kms' | 'aws:kms:dsse'
  readonly keyId?: string
  readonly bucketKey?: boolean
}

/** What a listing says of an object. ETags are without quotes. */
export interface Entry {
  readonly key: string
  readonly size: number
  readonly etag: string
  readonly modified: Date
  readonly storageClass: string
}

export interface StoredObject extends Entry {
  readonly content: Content
  /** Content-Type and the like, in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly metadata: Readonly<Record<string, string>>
  readonly tags: Readonly<Record<string, string>>
  readonly encryption: Encryption
  /** Base64 by algorithm in lower case, such as crc32; of multipart objects with `-N`. */
  readonly checksums: Readonly<Record<string, string>>
  /** Sizes of its parts, when uploaded in parts. */
  readonly parts?: readonly number[]
  /** An archived object that was restored for the time being. */
  readonly restored?: boolean
  /** One whose restoration is under way. */
  readonly restoring?: boolean
}

/** Where the objects of a bucket lie. */
export interface Backend {
  /** Objects with a prefix in the order of keys, from the first key that is not before `from`. */
  scan(prefix: string, from: string): Iterable<Entry>
  get(key: string): StoredObject | undefined
  /** Absent where a bucket is read-only. */
  put?(object: StoredObject): void
  delete?(key: string): void
}

export const plain = {
  storageClass: 'STANDARD',
  headers: { 'content-type': 'binary/octet-stream' },
  metadata: {},
  tags: {},
  encryption: { algorithm: 'AES256' },
  checksums: {},
} as const
