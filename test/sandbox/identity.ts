import { AwsError, type Incoming } from './http.ts'
import type { Caller } from './s3/state.ts'
import { isSigned } from './signature.ts'

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
