import type { Made, Stack } from '../../sandbox/cloudformation/stack.ts'
import type { Json, Members } from '../../sandbox/cloudformation/template.ts'

export interface Statement {
  readonly Sid: string
  readonly Effect: string
  readonly Action: string | readonly string[]
  readonly Resource: string | readonly string[]
  readonly Condition?: Members
}

export interface Policy {
  readonly Version: string
  readonly Statement: readonly Statement[]
}

/** What a stack lets whom do, resolved as CloudFormation resolves it. */
export interface Policies {
  /** By who has them: `operator`, `BatchRole`, `SageMakerRole`; then by their names. */
  readonly identities: Readonly<Record<string, Readonly<Record<string, Policy>>>>
  /** Who is meant, by the ARN that acts. */
  readonly names: Readonly<Record<string, string>>
  /** Of roles, buckets and keys, by the ARN of what they are attached to. */
  readonly resources: Readonly<Record<string, unknown>>
}

interface Resource extends Pick<Made, 'type' | 'physical' | 'properties'> {
  readonly id: string
}

/** The policies of a stack that stands. @param operator ARN of who has its operator policies */
export const policiesOf = (stack: Stack, account: string, region: string, operator: string): Policies =>
  policiesIn(
    [...stack.made].map(([id, resource]) => ({ id, ...resource })),
    { account, region, operator },
  )

/** The policies among resources, resolved. */
export function policiesIn(
  made: readonly Resource[],
  { account, region, operator }: Readonly<Record<'account' | 'region' | 'operator', string>>,
): Policies {
  const of = (type: string) => made.filter((resource) => resource.type === type)
  const roleArn = (physical: string) => `arn:aws:iam::${account}:role/${physical}`
  const managed = of('AWS::IAM::ManagedPolicy').map(({ id, properties }) => [id, documentIn(properties.PolicyDocument)])
  const roles = of('AWS::IAM::Role')
  const inline = roles.map(({ id, properties }) => [
    id,
    Object.fromEntries(
      (properties.Policies as Members[]).map((policy) => [
        policy.PolicyName as string,
        documentIn(policy.PolicyDocument),
      ]),
    ),
  ])
  return {
    identities: { operator: Object.fromEntries(managed), ...Object.fromEntries(inline) },
    names: { [operator]: 'operator', ...Object.fromEntries(roles.map(({ id, physical }) => [roleArn(physical), id])) },
    resources: Object.fromEntries([
      ...roles.map(({ physical, properties }) => [roleArn(physical), properties.AssumeRolePolicyDocument]),
      ...of('AWS::S3::BucketPolicy').map(({ properties }) => [
        `arn:aws:s3:::${properties.Bucket as string}`,
        properties.PolicyDocument,
      ]),
      ...of('AWS::KMS::Key').map(({ physical, properties }) => [
        `arn:aws:kms:${region}:${account}:key/${physical}`,
        properties.KeyPolicy,
      ]),
    ]),
  }
}

const documentIn = (document: Json | undefined): Policy => document as unknown as Policy

export const listOf = <T>(one: T | readonly T[]): readonly T[] => [one].flat() as T[]
