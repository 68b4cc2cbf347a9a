import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Json, type Members, parseTemplate, Resolver, type Template } from '../sandbox/cloudformation/template.ts'
import { ROOT } from '../support/run-script.ts'
import { withDigest } from './digest.ts'
import { bucketFaults, networkFaults } from './manners.ts'
import { namedQueryParts, withParts } from './named-queries.ts'
import { policyFaults } from './policies.ts'
import { schemaFaults } from './schema.ts'

type Check = (template: Template) => string[] | Promise<string[]>

const read = (name: string): string => readFileSync(`${ROOT}cfn/${name}`, 'utf8')
const TEXT = read('prestage.yaml')

const checks: Record<string, Check> = { schemaFaults, policyFaults, networkFaults, bucketFaults }

for (const file of ['prestage.yaml', 'nightly.yaml', 'logs-bucket-policy.yaml'])
  for (const [name, check] of Object.entries(checks))
    test(`${file}: ${name}`, async () => assert.deepEqual(await check(parseTemplate(read(file))), []))

/** The template with something in it changed; a path that is not there is a mistake of the test. */
function changed(path: string, value: Json | undefined): Template {
  const template = structuredClone(parseTemplate(TEXT))
  const keys = path.split('/')
  const last = keys.pop() ?? ''
  let at = template.Resources as unknown as Members
  for (const key of keys) at = (at[key] ?? assert.fail(`no ${key} in ${path}`)) as Members
  if (value === undefined) delete at[last]
  else at[last] = value
  return template
}

const operator = 'OperatorPolicy/Properties/PolicyDocument/Statement'
const bucket = 'StagingBucket/Properties'
const ALLOW = { Effect: 'Allow', Resource: 'arn:aws:s3:::b/k' }

const bad: [check: Check, what: string, path: string, value: Json | undefined, says: RegExp][] = [
  [schemaFaults, 'a type that is none', 'Workgroup/Type', 'AWS::Athena::Workgroup', /no resource type/],
  [schemaFaults, 'a property that is none', `${bucket}/Encryption`, {}, /no property Encryption/],
  [schemaFaults, 'one deep inside', `${bucket}/OwnershipControls/Rules/0/Owner`, 'a', /no property Owner/],
  [schemaFaults, 'what is required', 'Workgroup/Properties/Name', undefined, /Workgroup.Name is required/],
  [schemaFaults, 'required deep inside', `${bucket}/LifecycleConfiguration/Rules/0/Status`, undefined, /required/],
  [schemaFaults, 'a text for a truth', 'Key/Properties/EnableKeyRotation', 'yes', /neither true nor false/],
  [schemaFaults, 'a text for a number', 'Key/Properties/PendingWindowInDays', 'a', /no number/],
  [schemaFaults, 'a text for a list', `${bucket}/LifecycleConfiguration/Rules`, 'a', /no list/],
  [schemaFaults, 'a list for a text', 'Workgroup/Properties/Name', ['a'], /no text/],
  [schemaFaults, 'behind a condition', `${bucket}/Tags`, { 'Fn::If': ['HasKey', 'a', 'b'] }, /no list/],
  [schemaFaults, 'no tag', `${bucket}/Tags`, undefined, /no tag prestage:stack/],
  [policyFaults, 'an action that is none', `${operator}/0/Action`, 's3:ReadObject', /no action s3:ReadObject/],
  [policyFaults, 'a service that is none', `${operator}/0/Action`, 's4:GetObject', /no action s4:GetObject/],
  [policyFaults, 'all actions', `${operator}/0/Action`, 's3:*', /s3:\* has a wildcard/],
  [policyFaults, 'all that read', `${operator}/0/Action`, ['s3:GetObject', 's3:Get*'], /s3:Get\* has a wildcard/],
  [policyFaults, 'every resource', `${operator}/0/Resource`, '*', /s3:ListBucket on every resource/],
  [policyFaults, 'every resource beside one', `${operator}/0/Resource`, ['arn:aws:s3:::b', '*'], /on every resource/],
  [policyFaults, 'every bucket', `${operator}/1/Resource`, 'arn:aws:s3:::*', /s3:GetObject on every resource/],
  [
    policyFaults,
    'behind a condition',
    `${operator}/0`,
    { 'Fn::If': ['HasKey', { ...ALLOW, Action: 's3:*' }, { Ref: 'AWS::NoValue' }] },
    /has a wildcard/,
  ],
  [
    policyFaults,
    'every metric',
    'SageMakerRole/Properties/Policies/0/PolicyDocument/Statement/6/Condition',
    {},
    /PutMetricData on/,
  ],
  [
    policyFaults,
    'a policy behind a condition',
    'SageMakerRole/Properties/Policies/1/Fn::If/1/PolicyDocument/Statement/2/Condition',
    {},
    /ec2:DeleteNetworkInterfacePermission on every/,
  ],
  [policyFaults, 'a role for anybody', `${operator}/0`, { ...ALLOW, Action: 'iam:PassRole' }, /without iam:PassedTo/],
  [
    policyFaults,
    'a role for whatever matches',
    `${operator}/0`,
    { ...ALLOW, Action: 'iam:PassRole', Condition: { StringLike: { 'iam:PassedToService': '*' } } },
    /without iam:PassedToService/,
  ],
  [
    policyFaults,
    'many roles for whoever is not named',
    `${operator}/0`,
    {
      ...ALLOW,
      Action: 'iam:PassRole',
      Resource: 'arn:aws:iam::111122223333:role/a-*',
      Condition: { StringEqualsIfExists: { 'iam:PassedToService': 's3.amazonaws.com' } },
    },
    /without iam:PassedToService/,
  ],
  [policyFaults, 'trust', 'BatchRole/Properties/AssumeRolePolicyDocument/Statement/0/Condition', {}, /SourceAccount/],
  [
    policyFaults,
    'a public bucket',
    'StagingBucketPolicy/Properties/PolicyDocument/Statement/0',
    { ...ALLOW, Action: 's3:GetObject', Principal: { AWS: '*' } },
    /allows everybody/,
  ],
  [networkFaults, 'a network', 'Listener', { Type: 'AWS::EC2::SecurityGroup' }, /is a AWS::EC2/],
  [networkFaults, 'a rule', `${bucket}/SecurityGroupIngress`, [], /inbound rule/],
  [bucketFaults, 'no encryption', `${bucket}/BucketEncryption`, undefined, /not encrypted/],
  [bucketFaults, 'public', `${bucket}/PublicAccessBlockConfiguration/BlockPublicPolicy`, false, /public/],
  [bucketFaults, 'no TLS', 'StagingBucketPolicy/Properties/PolicyDocument/Statement/0/Effect', 'Allow', /without TLS/],
  [bucketFaults, 'uploads', `${bucket}/LifecycleConfiguration/Rules/2`, {}, /interrupted uploads/],
  [bucketFaults, 'for ever', `${bucket}/LifecycleConfiguration`, {}, /for ever/],
  [bucketFaults, 'deleted', 'StagingBucket/DeletionPolicy', 'Delete', /goes with its stack/],
]

for (const [check, what, path, value, says] of bad)
  test(`a bad template is found, ${check.name}: ${what}`, async () =>
    assert.match((await check(changed(path, value))).join('\n'), says))

test('the named queries are those of sql/explore (npm run cfn)', async () =>
  assert.equal(withParts(TEXT, await namedQueryParts()), TEXT))

test('a template without a place for them is refused', async () =>
  assert.throws(() => withParts('Resources: {}', { texts: '' }), /no place/))

test('the digest of the template is up to date (npm run cfn)', () => assert.equal(withDigest(TEXT), TEXT))

test('whatever changes changes the digest', () => {
  const other = withDigest(TEXT.replace('s3:AbortMultipartUpload', 's3:ListBucketVersions'))
  assert.notEqual(other.slice(other.indexOf('  Template:')), TEXT.slice(TEXT.indexOf('  Template:')))
  assert.throws(() => withDigest('Outputs: {}'), /no output Template/)
})

test('the template can be sent as it is', () => assert.ok(Buffer.byteLength(TEXT) < 51_200, String(TEXT.length)))

test('a managed policy fits, with long names', () => {
  const template = parseTemplate(TEXT)
  const name = 'x'.repeat(60)
  const resolver = new Resolver(template, {
    parameters: {
      CreateKey: 'true',
      AllowVpc: 'vpc-0a1b2c3d4e5f60718',
      LogsBucketArns: [1, 2, 3, 4].map((n) => `arn:aws:s3:::${name}${n}`).join(),
      LogsObjectArns: [1, 2, 3, 4].map((n) => `arn:aws:s3:::${name}${n}/AWSLogs/o-0123456789/*`).join(),
      LogsKeyArns: [1, 2].map((n) => `arn:aws:kms:ap-southeast-2:111122223333:key/${name}${n}`).join(),
    },
    pseudo: {
      'AWS::Partition': 'aws-us-gov',
      'AWS::Region': 'ap-southeast-2',
      'AWS::AccountId': '111122223333',
      'AWS::StackName': name,
      'AWS::StackId': name.repeat(2),
    },
    ref: () => name,
    att: () => `arn:aws:iam::111122223333:role/${name}`,
  })
  for (const [id, { Type, Properties = {} }] of Object.entries(template.Resources))
    if (Type === 'AWS::IAM::ManagedPolicy') {
      const size = JSON.stringify(resolver.value(Properties.PolicyDocument ?? null)).length
      assert.ok(size <= 6144, `${id} has ${size} characters`)
    }
})
