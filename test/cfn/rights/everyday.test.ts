import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Access } from '../../sandbox/access.ts'
import { refusedEveryday } from './everyday.ts'

const call = (action: string, resource: string, principal = 'user/analyst'): Access => ({
  principal: `arn:aws:iam::111122223333:${principal}`,
  action,
  resource,
  context: {},
  operation: 'Test',
})
const sagemaker = (name: string, region = 'us-east-1') => `arn:aws:sagemaker:${region}:111122223333:${name}`
const STAGING = 'arn:aws:s3:::org-staging/prestage'
const project = 'arn:aws:codebuild:us-east-1:111122223333:project/prestage'
const stack = 'arn:aws:cloudformation:us-east-1:111122223333:stack'

const allowed: [what: string, access: Access][] = [
  ['a run', call('s3:GetObject', 'arn:aws:s3:::org-staging/prestage/runs/a/more')],
  ['a run of a stack', call('s3:GetObject', 'arn:aws:s3:::prestage-stagingbucket-0008/prestage/runs/a')],
  ['an endpoint', call('sagemaker:InvokeEndpoint', sagemaker('endpoint/prestage-waf'))],
  ['another region', call('sagemaker:InvokeEndpoint', sagemaker('endpoint/prestage-waf', 'eu-west-1'))],
  ['an endpoint by a name of his own', call('sagemaker:InvokeEndpoint', sagemaker('endpoint/mine'))],
  ['setting up', call('cloudformation:CreateChangeSet', `${stack}/prestage/1`)],
  ['how the nights ended', call('codebuild:BatchGetBuilds', `${project}-nightly`)],
  ['whether there are nights', call('cloudformation:DescribeStacks', `${stack}/prestage-nightly/1`)],
  ['the batch role', call('s3:PutObject', `${STAGING}/bulk/a/staged/more`, 'role/prestage-batch')],
  ['that of a stack', call('s3:PutObject', `${STAGING}/bulk/a/jobs/more`, 'role/prestage-BatchRole-0011')],
]
for (const [what, access] of allowed)
  test(`an everyday call is allowed: ${what}`, async () => assert.deepEqual(await refusedEveryday([access]), []))

const refused: [what: string, access: Access, says: RegExp][] = [
  [
    'an action that nobody has',
    call('s3:DeleteBucket', 'arn:aws:s3:::org-staging'),
    /^operator: s3:DeleteBucket on arn:aws:s3:::org-staging \(Test\)$/,
  ],
  ['another bucket', call('s3:GetObject', 'arn:aws:s3:::org-secrets/a'), /org-secrets/],
  ['another place', call('s3:PutObject', 'arn:aws:s3:::org-staging/elsewhere/a'), /elsewhere/],
  ['builds of others', call('codebuild:BatchGetBuilds', project), /project\/prestage \(Test\)/],
  ['another endpoint', call('sagemaker:InvokeEndpoint', sagemaker('endpoint/fraud')), /endpoint\/fraud/],
  [
    'a role beyond its own',
    call('s3:DeleteObject', 'arn:aws:s3:::org-staging/prestage/runs/a', 'role/prestage-batch'),
    /^BatchRole: s3:DeleteObject/,
  ],
  [
    'copies among results',
    call('s3:PutObject', `${STAGING}/runs/a/staged/more`, 'role/prestage-batch'),
    /^BatchRole: s3:PutObject/,
  ],
  [
    'a model that could expire',
    call('s3:PutObject', `${STAGING}/bulk/a/model/more`, 'role/prestage-sagemaker'),
    /^SageMakerRole: s3:PutObject/,
  ],
  [
    'a role that is none of the stack',
    call('s3:GetObject', 'arn:aws:s3:::org-staging/prestage/runs/a', 'role/other'),
    /^arn:aws:iam::111122223333:role\/other: s3:GetObject/,
  ],
]
for (const [what, access, says] of refused)
  test(`an everyday call is refused: ${what}`, async () =>
    assert.match((await refusedEveryday([access])).join('\n'), says))
