import type { WorkgroupSettings } from '../athena/settings.ts'
import { MAKERS, placeOf } from '../codebuild/resources.ts'
import { AwsError } from '../http.ts'
import type { S3State } from '../s3/state.ts'
import type { CloudFormation } from './cloudformation.ts'
import type { Made, Stack } from './stack.ts'
import type { Members } from './template.ts'

/** Creates the resources that the sandbox has, so that they can be used, and only names the others. @returns the value of Ref */
export function makeReal(cloud: CloudFormation, stack: Stack, id: string, type: string, properties: Members): string {
  const { s3, athena } = cloud
  const before = stack.made.get(id)?.physical
  const unique = before ?? `${stack.name}-${id}-${cloud.newId().slice(-4)}`
  switch (type) {
    case 'AWS::S3::Bucket': {
      const name = String(properties.BucketName ?? unique).toLowerCase()
      const keyId = /"KMSMasterKeyID":"([^"]+)"/.exec(JSON.stringify(properties))?.[1]
      const encryption =
        keyId === undefined ? { algorithm: 'AES256' as const } : { algorithm: 'aws:kms' as const, keyId }
      if (!s3.buckets.has(name)) s3.createBucket(name, { encryption })
      return name
    }
    case 'AWS::Athena::WorkGroup':
      athena.settings.workgroups[String(properties.Name)] = workgroupOf(properties)
      return String(properties.Name)
    case 'AWS::Glue::Database': {
      const name = String((properties.DatabaseInput as Members).Name)
      athena.catalog.createDatabase(name, true)
      return name
    }
    case 'AWS::IAM::ManagedPolicy':
      return `arn:aws:iam::${s3.account}:policy/${unique}`
    case 'AWS::SNS::Topic':
      return s3.arn('sns', unique.split(':').at(-1) ?? '')
    default: {
      const name = String(properties.Name ?? unique)
      MAKERS[type]?.({ codebuild: cloud.codebuild, name, properties, trusts: (role) => trustIn(cloud, role) })
      return name
    }
  }
}

/** The trust of a role that some stack has made, as a text. */
function trustIn(cloud: CloudFormation, roleArn: string): string | undefined {
  const role = cloud.resources('AWS::IAM::Role').find((made) => attributeOf(cloud.s3, made, 'Arn') === roleArn)
  return role && JSON.stringify(role.properties.AssumeRolePolicyDocument)
}

/** @throws AwsError for a policy that somebody still has: "DeletePolicy", IAM API reference */
export function removeReal(cloud: CloudFormation, { type, physical }: Made): void {
  const { s3, athena, codebuild } = cloud
  const roles = cloud.resources('AWS::IAM::Role').map(({ properties }) => properties.ManagedPolicyArns ?? [])
  if (type === 'AWS::IAM::ManagedPolicy' && roles.flat().includes(physical))
    throw new AwsError('DeleteConflict', 409, 'Cannot delete a policy attached to entities.')
  placeOf(codebuild, type)?.delete(physical)
  if (type === 'AWS::S3::Bucket') s3.buckets.delete(physical)
  if (type === 'AWS::Athena::WorkGroup') delete athena.settings.workgroups[physical]
}

function workgroupOf(properties: Members): WorkgroupSettings {
  const configuration = (properties.WorkGroupConfiguration ?? {}) as Members
  const { OutputLocation } = (configuration.ResultConfiguration ?? {}) as Members
  return {
    enforced: configuration.EnforceWorkGroupConfiguration === true,
    ...(OutputLocation !== undefined && { outputLocation: String(OutputLocation) }),
    cutoff: Number(configuration.BytesScannedCutoffPerQuery),
  }
}

export function attributeOf({ account, region }: S3State, { type, physical }: Made, name: string): string | undefined {
  if (name !== 'Arn') return undefined
  switch (type) {
    case 'AWS::S3::Bucket':
      return `arn:aws:s3:::${physical}`
    case 'AWS::IAM::Role':
      return `arn:aws:iam::${account}:role/${physical}`
    case 'AWS::KMS::Key':
      return `arn:aws:kms:${region}:${account}:key/${physical}`
    case 'AWS::CodeBuild::Project':
      return `arn:aws:codebuild:${region}:${account}:project/${physical}`
    case 'AWS::Events::Rule':
      return `arn:aws:events:${region}:${account}:rule/${physical}`
    case 'AWS::CloudWatch::Alarm':
      return `arn:aws:cloudwatch:${region}:${account}:alarm:${physical}`
    case 'AWS::Logs::LogGroup':
      return `arn:aws:logs:${region}:${account}:log-group:${physical}:*`
    default:
      return undefined
  }
}
