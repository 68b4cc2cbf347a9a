import { AwsError, splitOnce } from '../http.ts'
import { child, childText, type Element } from '../xml.ts'

export type JobStatus =
  | 'New'
  | 'Preparing'
  | 'Suspended'
  | 'Ready'
  | 'Active'
  | 'Pausing'
  | 'Paused'
  | 'Completing'
  | 'Complete'
  | 'Cancelling'
  | 'Cancelled'
  | 'Failing'
  | 'Failed'

export const TERMINAL: readonly JobStatus[] = ['Complete', 'Cancelled', 'Failed']

export interface ManifestAt {
  readonly bucket: string
  readonly key: string
  readonly etag: string
  readonly fields: readonly string[]
}

/** S3PutObjectCopy, as far as it matters to a log file. */
export interface CopyOperation {
  readonly bucket: string
  readonly prefix: string | undefined
  readonly storageClass: string
  readonly sse: 'AES256' | 'aws:kms' | undefined
  readonly kmsKeyId: string | undefined
  readonly bucketKey: boolean
  readonly requesterPays: boolean
  /** Undefined where the source's are copied. */
  readonly metadata: Readonly<Record<string, string>> | undefined
  readonly contentType: string | undefined
  readonly tags: Readonly<Record<string, string>> | undefined
  readonly notBefore: Date | undefined
  readonly notAfter: Date | undefined
}

export interface ReportAt {
  readonly bucket: string
  readonly prefix: string
  readonly failedOnly: boolean
  readonly expectedOwner: string | undefined
}

export interface JobSpec {
  readonly manifest: ManifestAt
  readonly copy: CopyOperation
  readonly report: ReportAt | undefined
  readonly role: string
  readonly confirm: boolean
  readonly description: string | undefined
}

const badRequest = (message: string): AwsError => new AwsError('BadRequestException', 400, message)

function bucketOf(arn: string | undefined, what: string): string {
  const bucket = /^arn:[^:]+:s3:::([a-z0-9.-]+)$/.exec(arn ?? '')?.[1]
  if (bucket === undefined) throw badRequest(`${what} is not the ARN of a bucket: ${arn}`)
  return bucket
}

/** An ARN of another partition names nothing here: "Amazon Resource Names", AWS general reference. @throws AwsError */
export function checkPartition(root: Element, region = ''): void {
  const here = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
  const arns = textsOf(root).filter((text) => text.startsWith('arn:'))
  const foreign = arns.find((arn) => arn.split(':')[1] !== here)
  if (foreign !== undefined) throw badRequest(`${foreign} is not in partition ${here}`)
}

const textsOf = ({ text, children }: Element): string[] => [text, ...children.flatMap(textsOf)]

const date = (text: string | undefined): Date | undefined => (text === undefined ? undefined : new Date(text))

/**
 * What a CreateJobRequest asks for. Holds the rules that the service's model does not: S3 User Guide, "Creating a job",
 * "Copy objects". @throws AwsError
 */
export function jobSpec(root: Element): JobSpec {
  if (child(root, 'ManifestGenerator')) {
    if (child(root, 'Manifest')) throw badRequest('Exactly one of Manifest and ManifestGenerator must be given')
    throw new AwsError('NotImplemented', 501, 'ManifestGenerator is not in this sandbox')
  }
  const operations = child(root, 'Operation')?.children ?? []
  const [operation] = operations
  if (operation === undefined || operations.length > 1) throw badRequest('Exactly one operation must be given')
  if (operation.name !== 'S3PutObjectCopy')
    throw new AwsError('NotImplemented', 501, `${operation.name} is not in this sandbox`)
  return {
    manifest: manifestAt(child(root, 'Manifest')),
    copy: copyOperation(operation),
    report: reportAt(child(root, 'Report')),
    role: childText(root, 'RoleArn') ?? '',
    confirm: childText(root, 'ConfirmationRequired') === 'true',
    description: childText(root, 'Description'),
  }
}

function manifestAt(manifest: Element | undefined): ManifestAt {
  if (!manifest) throw badRequest('Exactly one of Manifest and ManifestGenerator must be given')
  const [spec, location] = [child(manifest, 'Spec'), child(manifest, 'Location')]
  const format = childText(spec, 'Format')
  if (format !== 'S3BatchOperations_CSV_20180820')
    throw new AwsError('NotImplemented', 501, `manifests of format ${format} are not in this sandbox`)
  const fields = child(spec, 'Fields')?.children.map(({ text }) => text) ?? []
  if (!fields.includes('Bucket') || !fields.includes('Key'))
    throw badRequest('Fields of a CSV manifest must name Bucket and Key')
  const [, path] = /^arn:[^:]+:s3:::(.+)$/.exec(childText(location, 'ObjectArn') ?? '') ?? []
  const [bucket, key] = splitOnce(path ?? '', '/')
  if (key === undefined) throw badRequest('ObjectArn is not the ARN of an object')
  return { bucket, key, etag: (childText(location, 'ETag') ?? '').replaceAll('"', ''), fields }
}

const pairs = (element: Element | undefined): Record<string, string> =>
  Object.fromEntries(
    element?.children.map((entry) => [
      childText(entry, 'key') ?? childText(entry, 'Key') ?? '',
      childText(entry, 'value') ?? childText(entry, 'Value') ?? '',
    ]) ?? [],
  )

function copyOperation(operation: Element): CopyOperation {
  const metadata = child(operation, 'NewObjectMetadata')
  const tagging = child(operation, 'NewObjectTagging')
  const kmsKeyId = childText(operation, 'SSEAwsKmsKeyId')
  const sse = childText(metadata, 'SSEAlgorithm')
  const replaces = metadata !== undefined && childText(operation, 'MetadataDirective') !== 'COPY'
  return {
    bucket: bucketOf(childText(operation, 'TargetResource'), 'TargetResource'),
    prefix: childText(operation, 'TargetKeyPrefix'),
    storageClass: childText(operation, 'StorageClass') ?? 'STANDARD',
    sse:
      sse === 'KMS' || (kmsKeyId !== undefined && sse === undefined) ? 'aws:kms' : sse === 'AES256' ? sse : undefined,
    kmsKeyId,
    bucketKey: childText(operation, 'BucketKeyEnabled') === 'true',
    requesterPays: childText(operation, 'RequesterPays') === 'true',
    metadata: replaces ? pairs(child(metadata, 'UserMetadata')) : undefined,
    contentType: replaces ? childText(metadata, 'ContentType') : undefined,
    tags: tagging && pairs(tagging),
    notBefore: date(childText(operation, 'ModifiedSinceConstraint')),
    notAfter: date(childText(operation, 'UnModifiedSinceConstraint')),
  }
}

function reportAt(report: Element | undefined): ReportAt | undefined {
  if (childText(report, 'Enabled') !== 'true') return undefined
  for (const name of ['Bucket', 'Format', 'ReportScope'])
    if (!childText(report, name)) throw badRequest(`Report.${name} is required when the report is enabled`)
  return {
    bucket: bucketOf(childText(report, 'Bucket'), 'Report.Bucket'),
    prefix: childText(report, 'Prefix') ?? '',
    failedOnly: childText(report, 'ReportScope') === 'FailedTasksOnly',
    expectedOwner: childText(report, 'ExpectedBucketOwner'),
  }
}

export interface Task {
  readonly bucket: string
  readonly key: string
}

export interface TaskResult extends Task {
  readonly error: { readonly code: string; readonly status: number; readonly message: string } | undefined
}

/** A job and its state. */
export interface Job {
  readonly id: string
  readonly token: string
  readonly request: Element
  readonly spec: JobSpec
  readonly account: string
  readonly created: Date
  priority: number
  status: JobStatus
  reason: string | undefined
  confirmed: boolean
  tasks: readonly Task[] | undefined
  readonly results: TaskResult[]
  failures: { readonly code: string; readonly reason: string }[]
  activeSince: Date | undefined
  ended: Date | undefined
  suspended: Date | undefined
}

export const countFailed = ({ results }: Job): number => results.filter(({ error }) => error).length
