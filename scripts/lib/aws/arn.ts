import { UsageError } from '../cli/errors.ts'

/** Prefixes of regions: "Amazon Resource Names" and the endpoints of the partitions, AWS general reference. */
const PARTITIONS: readonly [prefix: string, partition: string][] = [
  ['cn-', 'aws-cn'],
  ['us-gov-', 'aws-us-gov'],
  ['us-isob-', 'aws-iso-b'],
  ['us-isof-', 'aws-iso-f'],
  ['us-iso-', 'aws-iso'],
  ['eu-isoe-', 'aws-iso-e'],
  ['eusc-', 'aws-eusc'],
]

/** The part of AWS that a region is in, as ARNs name it. */
export const partitionOf = (region: string): string =>
  PARTITIONS.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'aws'

/** The account of a role. A Batch job runs in the account of its role: none can be passed to another account. */
export function accountOfRole(arn: string): string {
  const account = /^arn:aws[\w-]*:iam::(\d{12}):role\/.+$/.exec(arn)?.[1]
  if (account === undefined)
    throw new UsageError(
      `"${arn}" is not the ARN of a role`,
      'for example arn:aws:iam::111122223333:role/prestage-batch',
    )
  return account
}

/** The region of a topic of SNS. @throws Error for what is no ARN of one */
export function regionOfTopic(arn: string): string {
  const region = /^arn:aws[\w-]*:sns:([a-z0-9-]+):\d{12}:[\w-]{1,256}$/.exec(arn)?.[1]
  if (region === undefined) throw new Error('must be the ARN of an SNS topic')
  return region
}

/** `s3://bucket/prefix` of the ARN of all objects below it. */
export const uriOfObjects = (arn: string): string =>
  `s3://${arn
    .split(':')
    .slice(5)
    .join(':')
    .replace(/\/?\*$/, '')}`

/** The same of several, as an output of a stack lists them. */
export const urisOfObjects = (arns: string): string[] => arns.split(',').map(uriOfObjects)
