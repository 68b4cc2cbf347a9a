import { type CostItem, PRICES } from './cost.ts'

/** What S3 charges for storage classes that are cheap to keep and dear to use, in us-east-1. "Amazon S3 pricing"; see PRICES for the date. */
const COLD = {
  STANDARD_IA: { copyRequest: 0.01 / 1000, getRequest: 0.001 / 1000, byte: 0.01 / 1e9, days: 30 },
  ONEZONE_IA: { copyRequest: 0.01 / 1000, getRequest: 0.001 / 1000, byte: 0.01 / 1e9, days: 30 },
  GLACIER_IR: { copyRequest: 0.02 / 1000, getRequest: 0.01 / 1000, byte: 0.03 / 1e9, days: 90 },
} as const
type Cold = keyof typeof COLD

/** Storage classes that copies may have: from an archive Athena reads nothing. */
export const STORAGE_CLASSES = ['STANDARD', 'INTELLIGENT_TIERING', 'STANDARD_IA', 'ONEZONE_IA', 'GLACIER_IR'] as const

/** Storage classes that must be restored before anything can read them. */
const ARCHIVES = new Set(['GLACIER', 'DEEP_ARCHIVE'])

export const isArchived = ({ storageClass = '' }: { readonly storageClass?: string }): boolean =>
  ARCHIVES.has(storageClass)

/** How objects are encrypted with KMS: each with a data key of its own, or with one of their bucket. */
export type KmsUse = 'object' | 'bucket'

/** So much is copied or read. */
export interface Load {
  readonly objects: number
  readonly bytes: number
  /** Of these, what lies in storage classes that charge for reading. */
  readonly cold?: Readonly<Record<string, Omit<Load, 'cold' | 'kms'>>>
  /** Absent where the objects are not encrypted with KMS, or nobody knows. */
  readonly kms?: KmsUse
}

const isCold = (storageClass: string): storageClass is Cold => Object.hasOwn(COLD, storageClass)

/** Adds an object to a load. */
export function withObject(load: Load, object: { readonly size: number; readonly storageClass?: string }): Load {
  const { size, storageClass = '' } = object
  const sum = { ...load, objects: load.objects + 1, bytes: load.bytes + size }
  if (!isCold(storageClass)) return sum
  const { objects, bytes } = load.cold?.[storageClass] ?? { objects: 0, bytes: 0 }
  return { ...sum, cold: { ...load.cold, [storageClass]: { objects: objects + 1, bytes: bytes + size } } }
}

/** Copies of a load, all in one storage class; with a key of KMS they share that of their bucket. */
export const copiesOf = ({ objects, bytes }: Load, storageClass = '', kmsKey?: string): Load => ({
  objects,
  bytes,
  ...(isCold(storageClass) && { cold: { [storageClass]: { objects, bytes } } }),
  ...(kmsKey !== undefined && { kms: 'bucket' }),
})

/** "S3 Bucket Keys … reduce request costs by up to 99 percent", S3 user guide. */
const kmsRequests = (objects: number, kms: KmsUse | undefined, what: string): CostItem[] =>
  kms === undefined
    ? []
    : [{ what, count: kms === 'object' ? objects : Math.ceil(objects / 100), each: PRICES.kmsRequest }]

/** What reading costs besides the requests: retrieval from storage classes that charge for it, and requests of KMS. */
export const readingFees = ({ objects, cold = {}, kms }: Load): CostItem[] => [
  ...Object.entries(cold).flatMap(([name, { bytes }]) =>
    isCold(name) ? [{ what: `bytes retrieved from ${name}`, count: bytes, each: COLD[name].byte }] : [],
  ),
  ...kmsRequests(objects, kms, 'KMS requests to read'),
]

/** What it costs to read objects, wherever the bytes go. */
export function readCosts(load: Load): CostItem[] {
  const { objects, cold = {} } = load
  const dearer = Object.entries(cold).reduce(
    (sum, [name, share]) => sum + (isCold(name) ? share.objects * (COLD[name].getRequest - PRICES.getRequest) : 0),
    0,
  )
  const each = PRICES.getRequest + (objects === 0 ? 0 : dearer / objects)
  return [{ what: 'GET requests', count: objects, each }, ...readingFees(load)]
}

/** What it costs to copy objects within S3. */
export const copyCosts = (load: Load, storageClass = '', kmsKey?: string): CostItem[] => [
  {
    what: 'COPY requests',
    count: load.objects,
    each: isCold(storageClass) ? COLD[storageClass].copyRequest : PRICES.copyRequest,
  },
  ...readingFees(load),
  ...kmsRequests(load.objects, kmsKey === undefined ? undefined : 'bucket', 'KMS requests to write'),
]

/** What to know about copies in a storage class before they are made; undefined when there is nothing. */
export function storageClassWarning(storageClass = ''): string | undefined {
  if (!isCold(storageClass)) return undefined
  return `--storage-class ${storageClass}: S3 charges every copy as 128 KiB at least, for ${COLD[storageClass].days} days at least, even when it is removed before, and every reading of it`
}
