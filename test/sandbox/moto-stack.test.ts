import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import * as s3 from '@aws-sdk/client-s3'
import { runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'
import { type Account, anAccount, isMoto, onlyMoto, unlessMoto } from './moto.ts'

// The shipped template in a CloudFormation that is not ours.

const account = await anAccount()
let stack: { outputs: Record<string, string>; changes: { type: string; resource: string }[] }
const cwd = tempFolder()
const setup = (...args: string[]) =>
  runScript('setup', ['--poll', '0.05', '--output', 'json', ...args], { cwd, env: account.env })
const made = async (...args: string[]) => {
  const { code, stdout, stderr } = await setup('--read-logs', 's3://org-logs/AWSLogs', '--yes', ...args)
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout)
}

before(async () => {
  await account.client.send(new s3.CreateBucketCommand({ Bucket: 'org-logs' }))
  await account.put('org-logs', 'AWSLogs/012345678901/CloudTrail/x', 'x')
  stack = await made('--encryption', 'kms', '--allow-vpc', 'vpc-0123abcd')
})

/** What moto's CloudFormation makes nothing of. */
const LACKS = ['AWS::S3::BucketPolicy', 'AWS::Athena::WorkGroup', 'AWS::Athena::NamedQuery', 'AWS::Glue::Database']

test('setup makes the stack, and its outputs name what was made', () => {
  const { outputs, changes } = stack
  assert.match(outputs.Workspace ?? '', /^s3:\/\/[a-z0-9.-]+\/prestage$/)
  assert.equal(outputs.Workspace, `s3://${outputs.StagingBucket}/prestage`)
  for (const role of ['BatchRoleArn', 'SageMakerRoleArn'])
    assert.match(outputs[role] ?? '', /^arn:aws:iam::\d{12}:role\//)
  for (const policy of ['OperatorPolicyArn', 'OperatorModelPolicyArn'])
    assert.match(outputs[policy] ?? '', /^arn:aws:iam::\d{12}:policy\//)
  assert.match(outputs.KmsKeyArn ?? '', /^arn:aws:kms:us-east-1:\d{12}:key\//)
  assert.equal(outputs.LogsObjectArns, 'arn:aws:s3:::org-logs/AWSLogs/*')
  assert.equal('Workgroup' in outputs, !isMoto)
  const types = new Set(changes.map(({ type }) => type))
  for (const type of [...LACKS, 'AWS::S3::Bucket', 'AWS::IAM::Role', 'AWS::IAM::ManagedPolicy', 'AWS::KMS::Key'])
    assert.ok(types.has(type), type)
})

test('the bucket is encrypted with the key of the stack', async () => {
  const Bucket = stack.outputs.StagingBucket
  const { ServerSideEncryptionConfiguration } = await account.client.send(new s3.GetBucketEncryptionCommand({ Bucket }))
  const [rule] = ServerSideEncryptionConfiguration?.Rules ?? []
  assert.deepEqual(
    [rule?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm, rule?.ApplyServerSideEncryptionByDefault?.KMSMasterKeyID],
    ['aws:kms', stack.outputs.KmsKeyArn],
  )
})

test('IAM takes the policies, and nothing in them is left to fill in', onlyMoto('has no IAM'), async () => {
  const { policies, roles } = await iamOf(account, stack.outputs)
  assert.deepEqual(
    roles.map(({ services }) => services),
    [['batchoperations.s3.amazonaws.com'], ['sagemaker.amazonaws.com']],
  )
  for (const text of [...policies, ...roles.flatMap(({ documents }) => documents)]) {
    assert.match(text, /Effect\W+Allow/)
    // What the two were called is all that is missing: moto's CloudFormation does not make them.
    assert.doesNotMatch(text.replaceAll(/\$\{(Workgroup|Database)\}/g, ''), /\$\{|\b(None|null|undefined)\b/)
  }
})

test('--check finds what was made', async () => {
  const { stdout } = await setup('--check')
  const { findings } = JSON.parse(stdout) as { findings: { what: string; ok: boolean; says: string }[] }
  const lacks = isMoto ? ['quotas', 'workgroup', 'roles'] : []
  assert.deepEqual(
    findings.filter(({ ok }) => !ok).map(({ what }) => what),
    lacks,
    JSON.stringify(findings),
  )
})

test('a second time there is nothing to change', unlessMoto('takes every change set for a change'), async () =>
  assert.equal((await made()).action, 'unchanged'),
)

test('--delete leaves the bucket', unlessMoto('deletes it: it does not know RetainExceptOnCreate'), async () => {
  const { code, stdout, stderr } = await setup('--delete', '--yes')
  assert.equal(code, 0, stderr)
  assert.equal(JSON.parse(stdout).keeps, stack.outputs.StagingBucket)
  await account.client.send(new s3.HeadBucketCommand({ Bucket: stack.outputs.StagingBucket }))
  assert.deepEqual(account.violations, [])
})

/** What moto's IAM holds, as text: of a stack it is no JSON. The project has no client of IAM. */
async function iamOf({ env }: Account, outputs: Readonly<Record<string, string>>) {
  const ask = async (parameters: Record<string, string>) => {
    const body = new URLSearchParams({ Version: '2010-05-08', ...parameters })
    const authorization = 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request'
    const answer = await fetch(env.AWS_ENDPOINT_URL ?? '', { method: 'POST', body, headers: { authorization } })
    const text = decodeURIComponent(await answer.text())
    assert.equal(answer.status, 200, text)
    return text
  }
  const policies = await Promise.all(
    [outputs.OperatorPolicyArn, outputs.OperatorModelPolicyArn].map((PolicyArn = '') =>
      ask({ Action: 'GetPolicyVersion', PolicyArn, VersionId: 'v1' }),
    ),
  )
  const roles = await Promise.all(
    [outputs.BatchRoleArn, outputs.SageMakerRoleArn].map(async (arn = '') => {
      const RoleName = arn.slice(arn.lastIndexOf('/') + 1)
      const trust = await ask({ Action: 'GetRole', RoleName })
      const names = (await ask({ Action: 'ListRolePolicies', RoleName })).matchAll(/<member>(.*?)<\/member>/g)
      const documents = [...names].map(([, PolicyName = '']) => ask({ Action: 'GetRolePolicy', RoleName, PolicyName }))
      const services = [...trust.matchAll(/Service\W+([\w.]+\.amazonaws\.com)/g)].map(([, name]) => name)
      return { services, documents: await Promise.all(documents) }
    }),
  )
  return { policies, roles }
}
