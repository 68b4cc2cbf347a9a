import { readFileSync } from 'node:fs'
import type { Access } from '../../sandbox/access.ts'
import { parseTemplate, Resolver } from '../../sandbox/cloudformation/template.ts'
import { ROOT } from '../../support/run-script.ts'
import { type Policies, policiesIn } from './policies.ts'

/** The names of tests that set no stack up. */
export const ACCOUNT = '111122223333'
const REGION = 'us-east-1'
const OPERATOR = `arn:aws:iam::${ACCOUNT}:user/analyst`
const LOGS = ['arn:aws:s3:::org-logs', 'arn:aws:s3:::org-waf-logs', 'arn:aws:s3:::parquet-logs']
/** Tests also have lakes among other logs. */
const LAKES = ['arn:aws:s3:::aws-security-data-lake-us-east-1-example', 'arn:aws:s3:::org-logs']
const NAMES: Readonly<Record<string, string>> = {
  StagingBucket: 'org-staging',
  BatchRole: 'prestage-batch',
  SageMakerRole: 'prestage-sagemaker',
  Workgroup: 'primary',
  Database: 'prestage',
  Key: '00000000-0000-4000-8000-000000000001',
}
const ARNS: Readonly<Record<string, string>> = {
  Key: `arn:aws:kms:${REGION}:${ACCOUNT}:key/${NAMES.Key}`,
  StagingBucket: `arn:aws:s3:::${NAMES.StagingBucket}`,
  Night: `arn:aws:codebuild:${REGION}:${ACCOUNT}:project/prestage-nightly`,
}

/** The policies of the templates as they are for the names of the tests. */
export const renderedPolicies = (): Policies =>
  policiesIn([...resourcesOf('prestage'), ...resourcesOf('nightly', '-nightly')], {
    account: ACCOUNT,
    region: REGION,
    operator: OPERATOR,
  })

function resourcesOf(file: string, ending = '') {
  const template = parseTemplate(readFileSync(`${ROOT}cfn/${file}.yaml`, 'utf8'))
  const resolver = new Resolver(template, {
    parameters: {
      CreateKey: 'true',
      AllowVpc: 'vpc-0a1b2c3d',
      QueryMetadata: 'true',
      LakeBucketArns: LAKES.join(),
      LakeObjectArns: LAKES.map((bucket) => `${bucket}/*`).join(),
      LogsBucketArns: LOGS.join(),
      LogsObjectArns: LOGS.map((bucket) => `${bucket}/*`).join(),
    },
    pseudo: {
      'AWS::Partition': 'aws',
      'AWS::Region': REGION,
      'AWS::AccountId': ACCOUNT,
      'AWS::StackName': `prestage${ending}`,
      'AWS::StackId': 'stack',
    },
    ref: (id) => NAMES[id] ?? id,
    att: (id) => ARNS[id] ?? `arn:aws:iam::${ACCOUNT}:role/${NAMES[id]}`,
  })
  return Object.entries(template.Resources).map(([id, { Type, Properties = {} }]) => {
    const properties = /^AWS::(IAM|S3|KMS)::/.test(Type) ? (resolver.value(Properties) as typeof Properties) : {}
    return { id, type: Type, physical: NAMES[id] ?? id, properties }
  })
}

/** A call by the names above, where a test that sets a stack up has other ones. */
export function byTheseNames(access: Access): Access {
  const text = JSON.stringify(access)
    .replace(/:user\/\w+"/g, ':user/analyst"')
    .replaceAll(
      /(:(?:sagemaker|athena|glue|kms|cloudformation|cloudwatch|codebuild|application-autoscaling|ec2):)[a-z-]+-\d:/g,
      `$1${REGION}:`,
    )
    .replace(/prestage-stagingbucket-\d+/g, 'org-staging')
    .replace(/prestage-BatchRole-\d+/g, 'prestage-batch')
    .replace(/prestage-SageMakerRole-\d+/g, 'prestage-sagemaker')
    .replace(/workgroup\/prestage"/g, 'workgroup/primary"')
    .replace(/key\/[\w-]+"/g, `key/${NAMES.Key}"`)
  return JSON.parse(text) as Access
}
