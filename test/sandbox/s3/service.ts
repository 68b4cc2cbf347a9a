import * as client from '@aws-sdk/client-s3'
import { AwsError, type Call, type Incoming, type Reply, type Service } from '../http.ts'
import { checkXml } from '../model/check.ts'
import { sdkModel } from '../model/sdk.ts'
import { toXml } from '../xml.ts'
import type { S3Call } from './call.ts'
import { OPERATIONS, operationOf } from './operations.ts'
import { accessDenied, type Bucket, type Caller, type S3State } from './state.ts'
import { STORAGE_CLASSES } from './write-options.ts'

const model = sdkModel(client)

// Part of an operation's address, not among its members.
const FIXED = [
  'x-id',
  'list-type',
  'location',
  'versioning',
  'encryption',
  'requestPayment',
  'uploads',
  'delete',
  'tagging',
  'attributes',
  'metadataConfiguration',
]

/** S3 over the buckets of a state. @param identify who signed a request; throws AwsError for nobody */
export function s3Service(s3: S3State, identify: (request: Incoming) => Caller): Service {
  return {
    name: 's3',
    refuse,
    match: (request) => {
      const { bucketName, key } = addressOf(request)
      const about = bucketName === '' ? 'service' : key === '' ? 'bucket' : 'object'
      const { method, query, headers } = request
      const operation = operationOf(about, method, query, headers['x-amz-copy-source'] !== undefined)
      if (operation === undefined)
        throw new AwsError(
          'NotImplemented',
          501,
          `${method} of a ${about} with ${[...query.keys()].join()} is not in this sandbox`,
        )
      return callOf({ s3, request, headers, query, bucketName, key }, operation, identify)
    },
  }
}

/** Bucket and key: the host names the bucket when it has a label before `s3.` or `localhost`. @throws AwsError */
function addressOf({ host, path }: Incoming): { bucketName: string; key: string } {
  const [, label] = /^(.+)\.(?:localhost|s3[.-][^:]*)(?::\d+)?$/.exec(host) ?? []
  const address = label === undefined ? path.slice(1) : `${label}${path}`
  const at = address.indexOf('/')
  try {
    const bucketName = decodeURIComponent(at < 0 ? address : address.slice(0, at))
    return { bucketName, key: at < 0 ? '' : decodeURIComponent(address.slice(at + 1)) }
  } catch {
    throw new AwsError('InvalidURI', 400, "Couldn't parse the specified URI.")
  }
}

function callOf(parts: Omit<S3Call, 'caller'>, operation: string, identify: (request: Incoming) => Caller): Call {
  const { request, bucketName, key } = parts
  const described = model(operation)
  const uri = { Bucket: bucketName, Key: key }
  return {
    service: 's3',
    operation,
    resource: key === '' ? bucketName : `${bucketName}/${key}`,
    checkRequest: async () => {
      if (!described) return [`${operation} is not in the SDK`]
      const streams = operation === 'PutObject' || operation === 'UploadPart'
      const body = streams ? '' : (await request.bytes()).toString()
      const given = streams ? { Body: '' } : {}
      const { query, headers } = request
      return [...checkXml(described, 'input', { query, headers, uri, body, given }, FIXED), ...checkedNames(request)]
    },
    checkReply: ({ status, headers, body }) => {
      if (!described || status >= 300) return []
      return checkXml(described, 'output', { headers, body: typeof body === 'string' ? body : '' })
    },
    run: () => perform(parts, operation, identify(request)),
    refuse: (error, requestId) => refuse(error, requestId, request, uri),
  }
}

async function perform(parts: Omit<S3Call, 'caller'>, operation: string, caller: Caller): Promise<Reply> {
  const call: S3Call = { ...parts, caller }
  const entry = OPERATIONS[operation]
  if (entry === undefined) throw new Error(`no operation ${operation}`)
  const { s3, bucketName, key } = call
  const resource = key === '' ? bucketName : `${bucketName}/${key}`
  if (typeof entry.run === 'object') {
    s3.authorize(caller, entry.action, resource)
    return entry.run.unchecked(call)
  }
  const bucket = admitted(call, operation)
  if (entry.action !== '') s3.authorize(caller, entry.action, resource, { context: conditions(call, operation) })
  // Tags are set with the object, and are a right of their own.
  if (call.headers['x-amz-tagging']) s3.authorize(caller, 's3:PutObjectTagging', resource)
  const reply = await entry.run({ ...call, bucket })
  const charged =
    bucket.requesterPays && call.headers['x-amz-request-payer'] !== undefined && operation !== 'HeadBucket'
  return charged ? { ...reply, headers: { ...reply.headers, 'x-amz-request-charged': 'requester' } } : reply
}

/** What a policy may ask of a listing, or of what is written. */
function conditions({ query, headers }: S3Call, operation: string): Record<string, string> {
  const encryption = headers['x-amz-server-side-encryption']
  if (encryption !== undefined) return { 's3:x-amz-server-side-encryption': encryption }
  if (operation !== 'ListObjectsV2') return {}
  const [prefix = '', delimiter = ''] = [query.get('prefix'), query.get('delimiter')]
  return { 's3:prefix': prefix, ...(delimiter !== '' && { 's3:delimiter': delimiter }) }
}

/** The bucket of a call, if it lies in the region that was asked, belongs to whom is expected and somebody pays. */
function admitted({ s3, request, headers, bucketName, caller }: S3Call, operation: string): Bucket {
  const bucket = s3.bucket(bucketName)
  const region = request.scope?.region
  // The region of a bucket can be asked for anywhere.
  if (region !== undefined && region !== bucket.region && operation !== 'GetBucketLocation')
    throw new AwsError(
      'PermanentRedirect',
      301,
      'The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.',
      {
        fields: { Endpoint: `s3.${bucket.region}.amazonaws.com`, Bucket: bucket.name },
        headers: { 'x-amz-bucket-region': bucket.region },
      },
    )
  const owner = headers['x-amz-expected-bucket-owner']
  if (owner !== undefined && owner !== bucket.owner) throw accessDenied()
  if (bucket.requesterPays && bucket.owner !== caller.account && headers['x-amz-request-payer'] !== 'requester')
    throw accessDenied()
  return bucket
}

function refuse(error: AwsError, requestId: string, request?: Incoming, uri?: { Bucket: string; Key: string }): Reply {
  const resource = uri && (uri.Key === '' ? `/${uri.Bucket}` : `/${uri.Bucket}/${uri.Key}`)
  const document = {
    Code: error.code,
    Message: error.message,
    ...error.fields,
    Resource: resource,
    RequestId: requestId,
  }
  // HEAD has no body; a header still names the region.
  const body =
    request?.method === 'HEAD' || error.status === 304 ? undefined : toXml('Error', { ...document, HostId: 'sandbox' })
  return {
    status: error.status,
    headers: { 'content-type': 'application/xml', ...error.headers },
    ...(body !== undefined && { body }),
  }
}

/** Values that the SDK's schemas leave open but S3's API reference does not. */
const HEADERS: Readonly<Record<string, RegExp>> = {
  'x-amz-storage-class': new RegExp(`^(${STORAGE_CLASSES.join('|')})$`),
  'x-amz-server-side-encryption': /^(AES256|aws:kms|aws:kms:dsse)$/,
  'x-amz-server-side-encryption-bucket-key-enabled': /^(true|false)$/,
  'x-amz-metadata-directive': /^(COPY|REPLACE)$/,
  'x-amz-tagging-directive': /^(COPY|REPLACE)$/,
  'x-amz-checksum-algorithm': /^(CRC32|CRC32C|CRC64NVME|SHA1|SHA256)$/,
  'x-amz-checksum-mode': /^ENABLED$/,
  'x-amz-request-payer': /^requester$/,
  'x-amz-expected-bucket-owner': /^\d{12}$/,
  'x-amz-source-expected-bucket-owner': /^\d{12}$/,
  'x-amz-copy-source-range': /^bytes=\d+-\d+$/,
  'x-amz-copy-source': /^\/?[a-z0-9][a-z0-9.-]+\/[!-~]+$/,
  'x-amz-content-sha256': /^([0-9a-f]{64}|UNSIGNED-PAYLOAD|STREAMING-[A-Z0-9-]+)$/,
}

const QUERY: Readonly<Record<string, RegExp>> = {
  'list-type': /^2$/,
  'encoding-type': /^url$/,
  'fetch-owner': /^(true|false)$/,
}

/** Values of headers and query that S3 does not know, as sentences. */
function checkedNames({ headers, query }: Pick<Incoming, 'headers' | 'query'>): string[] {
  const wrong = (what: string, rules: Readonly<Record<string, RegExp>>, value: (name: string) => string | undefined) =>
    Object.entries(rules).flatMap(([name, rule]) => {
      const given = value(name)
      return given === undefined || rule.test(given)
        ? []
        : [`${what} ${name} ${JSON.stringify(given)} does not match ${rule}`]
    })
  return [...wrong('header', HEADERS, (name) => headers[name]), ...wrong('query', QUERY, (name) => query.get(name))]
}
