import { bucketAndPrefix, objectsArn } from './parameters.ts'

export interface Readers {
  /** Role of batch jobs, output BatchRoleArn of the stack. */
  readonly batchRole: string
  /** Account of the stack: whom its own policies allow it. */
  readonly account: string
  readonly partition: string
}

/** What the policy of a logs bucket must allow, for a stack in another account. */
export function bucketStatements(uri: string, { batchRole, account, partition }: Readers): object[] {
  const reader = `arn:${partition}:iam::${account}:root`
  return [
    {
      Sid: 'PrestageFindsLogs',
      Effect: 'Allow',
      Principal: { AWS: reader },
      Action: 's3:ListBucket',
      Resource: `arn:${partition}:s3:::${bucketAndPrefix(uri).bucket}`,
    },
    {
      Sid: 'PrestageReadsLogs',
      Effect: 'Allow',
      Principal: { AWS: reader },
      Action: ['s3:GetObject', 's3:GetObjectTagging'],
      Resource: objectsArn(uri, partition),
    },
    {
      Sid: 'PrestageCopiesLogs',
      Effect: 'Allow',
      Principal: { AWS: batchRole },
      Action: ['s3:GetObject', 's3:GetObjectTagging'],
      Resource: objectsArn(uri, partition),
    },
  ]
}

/** What the policy of the key of the logs must allow. In a key's policy `*` is the key itself. */
export const keyStatements = ({ batchRole, account, partition }: Readers): object[] => [
  {
    Sid: 'PrestageReadsEncryptedLogs',
    Effect: 'Allow',
    Principal: { AWS: [`arn:${partition}:iam::${account}:root`, batchRole] },
    Action: 'kms:Decrypt',
    Resource: '*',
  },
]
