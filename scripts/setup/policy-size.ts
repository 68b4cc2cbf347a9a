import { parse, type ScalarTag, type YAMLSeq } from 'yaml'
import { urisOfObjects } from '../lib/aws/arn.ts'
import { UsageError } from '../lib/cli/errors.ts'
import { count, plural } from '../lib/cli/format.ts'

/** Characters that a managed policy may have, white space aside; IAM raises it for nobody. */
const MOST = 6144

/** The stack that a template is to become. */
export interface Built {
  readonly stack: string
  readonly region: string
  readonly partition: string
  /** Of all parameters. */
  readonly values: Readonly<Record<string, string>>
}

/**
 * IAM would say so only while the stack is made, of names that are the stack's own.
 * @throws UsageError when the logs make a policy longer than IAM takes
 */
export function checkPolicies(template: string, built: Built): void {
  const size = Math.max(...Object.values(policySizes(template, built)))
  if (size <= MOST) return
  const objects = (built.values.LogsObjectArns ?? '').split(',')
  const rest = size - listed(objects)
  const fit = objects.findLastIndex((_, at) => rest + listed(objects.slice(0, at + 1)) <= MOST) + 1
  const most = fit === 0 ? 'none fits' : `the first ${count(fit)} fit, up to ${urisOfObjects(objects[fit - 1] ?? '')}`
  throw new UsageError(
    `a policy that names ${plural(objects.length, 'place')} of logs has ${count(size)} characters, and IAM takes ${count(MOST)}: ${most}`,
    'name fewer --read-logs, and the others with another --stack; or several of one bucket by the prefix that they share',
  )
}

/** What logs take of a policy: each its own name, and that of its bucket once. */
const listed = (objects: readonly string[]): number =>
  JSON.stringify([[...new Set(objects.map((arn) => arn.replace(/\/.*/, '')))], objects]).length

/** Characters of each managed policy of a template, by its logical id, with names as long as CloudFormation may make them. */
export function policySizes(template: string, built: Built): Record<string, number> {
  const { Resources } = parse(template, { customTags: tagsOf(built), logLevel: 'silent' }) as Rendered
  const policies = Object.entries(Resources).filter(([, { Type }]) => Type === 'AWS::IAM::ManagedPolicy')
  return Object.fromEntries(policies.map(([id, { Properties }]) => [id, lengthOf(Properties.PolicyDocument)]))
}

interface Rendered {
  readonly Resources: Readonly<Record<string, { Type: string; Properties: { PolicyDocument?: unknown } }>>
}

/** A member of a list that is left out. */
const NONE = Symbol('AWS::NoValue')

const lengthOf = (document: unknown): number =>
  JSON.stringify(document, (_, value) => (Array.isArray(value) ? value.filter((item) => item !== NONE) : value)).length

/** CloudFormation's short forms, as far as policies use them. */
function tagsOf(built: Built) {
  const [values, conditions] = [valuesIn(built), conditionsIn(built)]
  const known = (name: string) => values[name]
  const scalar = (tag: string, resolve: (text: string) => unknown): ScalarTag => ({ tag, resolve })
  return [
    scalar('!Ref', known),
    scalar('!GetAtt', known),
    scalar('!Sub', (text) => text.replace(/\$\{([^}]+)\}/g, (_, name: string) => String(known(name)))),
    {
      tag: '!If',
      collection: 'seq' as const,
      resolve: (seq: YAMLSeq) => {
        const [condition, yes, no] = seq.toJSON() as [string, unknown, unknown]
        return conditions[condition] ? yes : no
      },
    },
  ]
}

const conditionsIn = ({ values }: Built): Readonly<Record<string, boolean>> => ({
  HasKey: values.CreateKey === 'true',
  HasLake: values.LakeBucketArns !== '',
  HasLogsKeys: values.LogsKeyArns !== '',
})

function valuesIn({ stack, region, partition, values }: Built): Readonly<Record<string, unknown>> {
  const account = '0'.repeat(12)
  const named = (id: string, most: number) => `${stack}-${id}-${'x'.repeat(13)}`.slice(0, most)
  const bucket = named('StagingBucket', 63)
  const role = (id: string) => `arn:${partition}:iam::${account}:role/${named(id, 64)}`
  const list = (name: string) => values[name]?.split(',')
  return {
    ...values,
    'AWS::NoValue': NONE,
    LogsBucketArns: list('LogsBucketArns'),
    LogsObjectArns: list('LogsObjectArns'),
    LogsKeyArns: list('LogsKeyArns'),
    LakeBucketArns: list('LakeBucketArns'),
    LakeObjectArns: list('LakeObjectArns'),
    'AWS::Partition': partition,
    'AWS::Region': region,
    'AWS::AccountId': account,
    'AWS::StackName': stack,
    StagingBucket: bucket,
    'StagingBucket.Arn': `arn:${partition}:s3:::${bucket}`,
    'BatchRole.Arn': role('BatchRole'),
    'SageMakerRole.Arn': role('SageMakerRole'),
    'Key.Arn': `arn:${partition}:kms:${region}:${account}:key/${'x'.repeat(36)}`,
    Workgroup: stack,
    Database: values.DatabaseName,
  }
}
