import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Sandbox } from '../sandbox/start.ts'
import { fixture } from './sandbox.ts'

type Finding = { what: string; ok: boolean; says: string; hint?: string }

describe('setup --check', () => {
  it('finds nothing wrong', async () => {
    const { sandbox, setup, existingStack } = await fixture()
    await existingStack()
    sandbox.s3.put('org-logs', 'AWSLogs/a.json.gz', 'x')
    const { code, result, stderr } = await setup(['--check'])
    assert.deepEqual(
      result.findings.filter(({ ok }: Finding) => !ok),
      [],
    )
    assert.equal(result.findings.length, 11)
    assert.equal(code, 0, stderr)
    assert.deepEqual(sandbox.violations, [])
  })

  const wrong: [what: string, break_: (sandbox: Sandbox) => void, finding: RegExp, hint: RegExp][] = [
    ['no logs', (sandbox) => sandbox.s3.delete('org-logs', 'AWSLogs/a.json.gz'), /logs .*nothing lies there/, /prefix/],
    [
      'logs of others',
      (sandbox) => void sandbox.s3.deny({ action: 's3:GetObject', resource: /^org-logs/ }),
      /logs .*lacks s3:GetObject/,
      /ask for s3:GetObject/,
    ],
    [
      'a workspace that takes nothing',
      (sandbox) => void sandbox.s3.deny({ action: 's3:PutObject' }),
      /workspace .*lacks s3:PutObject/,
      /ask for/,
    ],
    [
      'no quota',
      (sandbox) => sandbox.quotas.set('ml.m5.large for training job usage', 0),
      /quotas .*has none of "ml.m5.large/,
      /Service Quotas/,
    ],
    [
      'no quota of serverless endpoints, which is listed for every account only',
      ({ defaultQuotas }) => [...defaultQuotas.keys()].map((name) => defaultQuotas.set(name, 0)),
      /quotas .*has none of "Maximum total concurrency that can be allocated across all serverless endpoints" in/,
      /Service Quotas/,
    ],
    ['no workgroup', ({ athena }) => delete athena.settings.workgroups.prestage, /workgroup .*no workgroup/, /name/],
    [
      'a workgroup of others',
      (sandbox) => void sandbox.s3.deny({ action: 'athena:GetWorkGroup' }),
      /workgroup .*not allowed/,
      /attach the operator policy/,
    ],
    [
      'a stack under way',
      ({ cloudformation }) => {
        cloudformation.stack('prestage').status = 'UPDATE_IN_PROGRESS'
      },
      /stack .*UPDATE_IN_PROGRESS/,
      /./,
    ],
    [
      'a stack of an older version',
      ({ cloudformation }) => {
        const stack = cloudformation.stack('prestage')
        stack.outputs = { ...stack.outputs, Template: '0123456789ab' }
      },
      /template stack prestage was made from another template$/,
      /^npx zx scripts\/setup.mjs --stack prestage shows what would change, and asks$/,
    ],
    [
      'a stack that is older than the digest of its template',
      ({ cloudformation }) => {
        const stack = cloudformation.stack('prestage')
        const { Template: _, ...older } = stack.outputs
        stack.outputs = older
      },
      /template stack prestage was made from another template$/,
      /shows what would change/,
    ],
    [
      'what an update has left undone',
      ({ cloudformation }) => {
        const { events } = cloudformation.stack('prestage')
        const [last] = events.filter(({ resource }) => resource === 'OperatorPolicy').slice(-1)
        if (last !== undefined) events.push({ ...last, status: 'UPDATE_FAILED', reason: 'LimitExceeded' })
      },
      /resources OperatorPolicy \(AWS::IAM::ManagedPolicy\) is UPDATE_FAILED: LimitExceeded/,
      /when the cause is gone, npx zx scripts\/setup.mjs --stack prestage --restore/,
    ],
    [
      'a role that somebody deleted',
      ({ cloudformation }) => void cloudformation.stack('prestage').drifts.set('BatchRole', 'deleted'),
      /roles BatchRole was deleted, and its stack does not know/,
      /setup.mjs --stack prestage --restore shows what goes back/,
    ],
    [
      'a role that somebody changed',
      ({ cloudformation }) =>
        void cloudformation.stack('prestage').drifts.set('SageMakerRole', ['/Policies/0/PolicyDocument']),
      /roles SageMakerRole was changed outside of its stack: \/Policies\/0\/PolicyDocument/,
      /setup.mjs --stack prestage --restore shows what goes back/,
    ],
    [
      'a role that CloudFormation cannot compare',
      ({ cloudformation }) => void cloudformation.stack('prestage').drifts.set('SageMakerRole', 'unknown'),
      /roles SageMakerRole cannot be compared with what its stack made/,
      /detect-stack-resource-drift --stack-name prestage --logical-resource-id SageMakerRole/,
    ],
    [
      'roles that one may not look at',
      (sandbox) => void sandbox.s3.deny({ action: 'iam:GetRolePolicy' }),
      /roles .*lacks iam:GetRolePolicy on arn:aws:iam::/,
      /operator policy of this version has it/,
    ],
  ]
  for (const [what, break_, says, hint] of wrong)
    it(`says what to do about ${what}`, async () => {
      const { sandbox, setup, existingStack } = await fixture()
      await existingStack()
      sandbox.s3.put('org-logs', 'AWSLogs/a.json.gz', 'x')
      break_(sandbox)
      const { code, result } = await setup(['--check'])
      assert.equal(code, 1)
      const bad = result.findings.filter(({ ok }: Finding) => !ok) as Finding[]
      assert.equal(bad.length, 1, JSON.stringify(bad))
      assert.match(`${bad[0]?.what} ${bad[0]?.says}`, says)
      assert.match(bad[0]?.hint ?? '', hint)
    })

  it('only tells of quotas that one option needs, and of names that AWS does not list', async () => {
    const { sandbox, setup, existingStack } = await fixture()
    await existingStack()
    sandbox.s3.put('org-logs', 'AWSLogs/a.json.gz', 'x')
    sandbox.quotas.clear()
    sandbox.defaultQuotas.delete('ml.m5.xlarge for transform job usage')
    sandbox.defaultQuotas.set('ml.m5.large for spot training job usage', 0)
    const { code, result } = await setup(['--check'])
    assert.equal(code, 0)
    const { says } = result.findings.find(({ what }: Finding) => what === 'quotas')
    assert.match(says, /^ml\.m5\.large for training job usage 15, .* serverless endpoints 10, /)
    assert.match(says, /spot training job usage 0 \(only train --spot needs it\), "ml\.m5\.xlarge .*" is not listed$/)
    assert.deepEqual(sandbox.violations, [])
  })

  it('says that there is no stack', async () => {
    const { code, result } = await (await fixture()).setup(['--check', '--stack', 'other'])
    assert.equal(code, 1)
    assert.match(result.findings.at(-1).says, /there is no stack other in us-east-1/)
  })
})
