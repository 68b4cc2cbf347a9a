import { Accesses, type Asked } from '../access.ts'
import { AwsError } from '../http.ts'
import type { Content } from './content.ts'
import { MemoryBackend } from './memory.ts'
import type { Backend, Encryption, StoredObject } from './stored.ts'

export interface Caller {
  readonly account: string
  readonly arn: string
}

export interface Part {
  readonly content: Content
  readonly etag: string
  readonly modified: Date
  readonly checksums: Readonly<Record<string, string>>
}

/** A multipart upload; the object that it becomes, without its content. */
export interface Upload {
  readonly id: string
  readonly object: Omit<StoredObject, 'content' | 'size' | 'etag' | 'modified' | 'parts'>
  readonly checksumAlgorithm: string | undefined
  readonly checksumType: string | undefined
  readonly started: Date
  readonly parts: Map<number, Part>
}

/** The live inventory table of S3 Metadata; absent in configurations from before there was one. */
export interface MetadataTables {
  readonly inventory?: {
    readonly state: 'ENABLED' | 'DISABLED'
    /** CREATING, BACKFILLING, ACTIVE or FAILED. */
    readonly status?: string
    readonly error?: { readonly code: string; readonly message: string }
  }
}

export interface Bucket {
  readonly name: string
  readonly region: string
  readonly owner: string
  readonly requesterPays: boolean
  /** Deletions leave delete markers; the versions themselves are not in this sandbox. */
  readonly versioned: boolean
  /** The encryption of objects that do not ask for one. */
  readonly encryption: Encryption
  readonly created: Date
  /** S3 Metadata; undefined where it is not on. */
  metadata: MetadataTables | undefined
  readonly backend: Backend
  readonly uploads: Map<string, Upload>
}

/** A permission that is missing. Conditions that are absent hold for everything. */
export interface Denial {
  readonly action?: string
  /** Tested against `bucket` or `bucket/key`. */
  readonly resource?: string | RegExp
  /** Tested against the ARN of who calls. */
  readonly principal?: string | RegExp
  /** Condition keys that the request has, with these values. */
  readonly context?: Readonly<Record<string, string>>
}

const holds = (rule: string | RegExp | undefined, text: string): boolean =>
  rule === undefined || (typeof rule === 'string' ? rule === text : rule.test(text))

export type BucketSettings = Partial<
  Pick<Bucket, 'region' | 'owner' | 'requesterPays' | 'encryption' | 'versioned' | 'metadata' | 'backend'>
>

/** The buckets of a sandbox and who may do what in them. */
export class S3State {
  readonly buckets = new Map<string, Bucket>()
  readonly account: string
  readonly region: string
  readonly now: () => Date
  readonly accesses = new Accesses()
  #denials: Denial[] = []

  constructor(settings: { account: string; region: string; now: () => Date }) {
    this.account = settings.account
    this.region = settings.region
    this.now = settings.now
  }

  createBucket(name: string, settings: BucketSettings = {}): Bucket {
    const bucket: Bucket = {
      name,
      region: this.region,
      owner: this.account,
      requesterPays: false,
      versioned: false,
      encryption: { algorithm: 'AES256' },
      metadata: undefined,
      backend: new MemoryBackend(),
      ...settings,
      created: this.now(),
      uploads: new Map(),
    }
    this.buckets.set(name, bucket)
    return bucket
  }

  /** @throws AwsError NoSuchBucket */
  bucket(name: string): Bucket {
    const bucket = this.buckets.get(name)
    if (bucket) return bucket
    throw new AwsError('NoSuchBucket', 404, 'The specified bucket does not exist', { fields: { BucketName: name } })
  }

  /** Take a permission away. @returns gives it back */
  deny(denial: Denial): () => void {
    this.#denials.push(denial)
    return () => {
      this.#denials = this.#denials.filter((other) => other !== denial)
    }
  }

  /** ARN of something in this account and region. */
  arn(service: string, resource: string): string {
    return `arn:aws:${service}:${this.region}:${this.account}:${resource}`
  }

  /**
   * @param resource `bucket`, `bucket/key`, an ARN, or what a service calls it, if `asked` has its ARN
   * @throws AwsError AccessDenied
   */
  authorize(caller: Caller, action: string, resource: string, asked: Asked = {}): void {
    const arn = asked.arn ?? (resource.startsWith('arn:') ? resource : `arn:aws:s3:::${resource}`)
    this.accesses.add(caller.arn, action, arn, asked.context ?? {})
    const denied = this.#denials.some(
      (rule) =>
        holds(rule.action, action) &&
        holds(rule.resource, resource) &&
        holds(rule.principal, caller.arn) &&
        Object.entries(rule.context ?? {}).every(([key, value]) => asked.context?.[key] === value),
    )
    if (!denied) return
    throw accessDenied(
      `User: ${caller.arn} is not authorized to perform: ${action} on resource: "${arn}" because no identity-based policy allows the ${action} action`,
    )
  }

  /** Permission on the key of an object that is encrypted with KMS. AWS's own key for S3 lets everybody in the account use it. */
  authorizeKey(
    caller: Caller,
    action: 'kms:Decrypt' | 'kms:Encrypt' | 'kms:GenerateDataKey',
    { keyId }: Pick<Encryption, 'keyId'>,
  ): void {
    if (keyId !== undefined && keyId !== this.keyArn(undefined)) this.authorize(caller, action, keyId)
  }

  /** A KMS key as its ARN; AWS's own key when it is not named. */
  keyArn(id: string | undefined): string {
    if (id?.startsWith('arn:')) return id
    const name = id === undefined ? 'alias/aws/s3' : id.startsWith('alias/') ? id : `key/${id}`
    return `arn:aws:kms:${this.region}:${this.account}:${name}`
  }
}

export const accessDenied = (message = 'Access Denied'): AwsError => new AwsError('AccessDenied', 403, message)

/** @throws AwsError NoSuchKey */
export function objectIn(bucket: Bucket, key: string): StoredObject {
  const object = bucket.backend.get(key)
  if (object) return object
  throw new AwsError('NoSuchKey', 404, 'The specified key does not exist.', { fields: { Key: key } })
}

/** An object for somebody; only those who may list learn that there is none. @throws AwsError */
export function objectFor(s3: S3State, caller: Caller, bucket: Bucket, key: string): StoredObject {
  if (bucket.backend.get(key) === undefined) s3.authorize(caller, 's3:ListBucket', bucket.name)
  return objectIn(bucket, key)
}

/** @throws AwsError when the bucket is read-only */
export function store(bucket: Bucket, object: StoredObject): void {
  if (bucket.backend.put === undefined) throw accessDenied(`bucket ${bucket.name} of this sandbox is read-only`)
  bucket.backend.put(object)
}

const ARCHIVED = ['GLACIER', 'DEEP_ARCHIVE']

const isArchived = (object: StoredObject): boolean => ARCHIVED.includes(object.storageClass) && object.restored !== true

/** @throws AwsError InvalidObjectState */
export function readable(
  object: StoredObject,
  message = "The operation is not valid for the object's storage class",
): void {
  if (!isArchived(object)) return
  throw new AwsError('InvalidObjectState', 403, message, { fields: { StorageClass: object.storageClass } })
}
