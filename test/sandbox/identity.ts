import { createHash, createHmac } from 'node:crypto'
import { AwsError, type Incoming } from './http.ts'
import type { Caller } from './s3/state.ts'

export interface Credentials extends Caller {
  readonly accessKey: string
  readonly secret: string
  readonly token?: string
  /** Set to make the token be refused. */
  expired?: boolean
}

const ACCOUNT = '111122223333'

export const defaultCredentials = (): Credentials => ({
  accessKey: 'AKIASANDBOXSANDBOX00',
  secret: 'sandbox+secret/of+nobody',
  account: ACCOUNT,
  arn: `arn:aws:iam::${ACCOUNT}:user/analyst`,
})

/** Who signed a request. @throws AwsError for nobody, for unknown keys, expired tokens and wrong signatures */
export function identify(known: readonly Credentials[], request: Incoming): Caller {
  const { scope, headers } = request
  if (scope === undefined) throw new AwsError('AccessDenied', 403, 'Access Denied')
  const credentials = known.find(({ accessKey }) => accessKey === scope.accessKey)
  if (credentials === undefined)
    throw new AwsError('InvalidAccessKeyId', 403, 'The AWS Access Key Id you provided does not exist in our records.')
  if (credentials.expired) throw new AwsError('ExpiredToken', 400, 'The provided token has expired.')
  if (headers['x-amz-security-token'] !== credentials.token)
    throw new AwsError('InvalidToken', 400, 'The provided token is malformed or otherwise invalid.')
  if (!isSigned(request, credentials.secret))
    throw new AwsError(
      'SignatureDoesNotMatch',
      403,
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    )
  return credentials
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=[^/]+\/(?<day>\d{8})\/(?<region>[^/]+)\/(?<service>[^/]+)\/aws4_request,\s*SignedHeaders=(?<signed>[^,]+),\s*Signature=(?<signature>[0-9a-f]{64})$/

const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

/** Whether a request carries the Signature Version 4 that this secret gives for it. The path is signed as it was sent. */
function isSigned(request: Incoming, secret: string): boolean {
  const match = AUTHORIZATION.exec(request.headers.authorization ?? '')
  const { day = '', region = '', service = '', signed = '', signature = '' } = match?.groups ?? {}
  const query = request.parameters.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).sort()
  const headers = signed.split(';').map((name) => `${name}:${(request.headers[name] ?? '').trim().replace(/ +/g, ' ')}`)
  const path = service === 's3' ? request.path : request.path.split('/').map(encoded).join('/')
  const canonical = [request.method, path, query.join('&'), ...headers, '', signed, request.payloadHash()].join('\n')
  const scope = `${day}/${region}/${service}/aws4_request`
  const text = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, sha256(canonical)].join('\n')
  const key = [day, region, service, 'aws4_request'].reduce(hmac, Buffer.from(`AWS4${secret}`))
  return hmac(key, text).toString('hex') === signature
}
