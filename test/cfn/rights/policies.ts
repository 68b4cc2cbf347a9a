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

interface Whose {
  readonly account: string
  readonly region: string
  /** ARN of who has the operator policies. */
  readonly operator: string
}

/** The policies of stacks that stand. */
export const policiesOf = (stacks: readonly Stack[], whose: Whose): Policies =>
  policiesIn(
    stacks.flatMap(({ made }) => [...made].map(([id, resource]) => ({ id, ...resource }))),
    whose,
  )

/** The policies among resources, resolved. */
export function policiesIn(made: readonly Resource[], { account, region, operator }: Whose): Policies {
  const of = (type: string) => made.filter((resource) => resource.type === type)
  const roleArn = (physical: string) => `arn:aws:iam::${account}:role/${physical}`
  const managed = of('AWS::IAM::ManagedPolicy')
  const roles = of('AWS::IAM::Role')
  const identities = roles.map(({ id, properties }) => {
    const { Policies = [], ManagedPolicyArns = [] } = properties
    const inline = (Policies as Members[]).map(({ PolicyName, PolicyDocument }) => [PolicyName, PolicyDocument])
    const attached = managed.filter(({ physical }) => [ManagedPolicyArns].flat().includes(physical))
    return [id, Object.fromEntries([...inline, ...attached.map(documentOf)])]
  })
  return {
    identities: { operator: Object.fromEntries(managed.map(documentOf)), ...Object.fromEntries(identities) },
    names: { [operator]: 'operator', ...Object.fromEntries(roles.map(({ id, physical }) => [roleArn(physical), id])) },
    resources: Object.fromEntries([
      ...roles.map(({ physical, properties }) => [roleArn(physical), properties.AssumeRolePolicyDocument]),
      ...of('AWS::S3::BucketPolicy').map(({ properties }) => [
        `arn:aws:s3:::${properties.Bucket as string}`,
        properties.PolicyDocument,
      ]),
      ...of('AWS::SNS::TopicPolicy').flatMap(({ properties }) =>
        [properties.Topics ?? []].flat().map((topic) => [topic, properties.PolicyDocument]),
      ),
      ...of('AWS::KMS::Key').map(({ physical, properties }) => [
        `arn:aws:kms:${region}:${account}:key/${physical}`,
        properties.KeyPolicy,
      ]),
    ]),
  }
}

const documentOf = ({ id, properties }: Resource): [string, Json | undefined] => [id, properties.PolicyDocument]

export const listOf = <T>(one: T | readonly T[]): readonly T[] => [one].flat() as T[]
