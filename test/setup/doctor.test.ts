import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Sandbox } from '../aws/start.ts'
import { world } from './world.ts'

type Finding = { what: string; ok: boolean; says: string; hint?: string }

describe('setup --check', () => {
  it('finds nothing wrong', async () => {
    const { sandbox, setup, standing } = await world()
    await standing()
    sandbox.s3.put('org-logs', 'AWSLogs/a.json.gz', 'x')
    const { code, result, stderr } = await setup(['--check'])
    assert.deepEqual(
      result.findings.filter(({ ok }: Finding) => !ok),
      [],
    )
    assert.equal(result.findings.length, 9)
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
    ['no quota', (sandbox) => sandbox.quotas.clear(), /quotas .*has none of "ml.m5.large/, /Service Quotas/],
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
  ]
  for (const [what, break_, says, hint] of wrong)
    it(`says what to do about ${what}`, async () => {
      const { sandbox, setup, standing } = await world()
      await standing()
      sandbox.s3.put('org-logs', 'AWSLogs/a.json.gz', 'x')
      break_(sandbox)
      const { code, result } = await setup(['--check'])
      assert.equal(code, 1)
      const bad = result.findings.filter(({ ok }: Finding) => !ok) as Finding[]
      assert.equal(bad.length, 1, JSON.stringify(bad))
      assert.match(`${bad[0]?.what} ${bad[0]?.says}`, says)
      assert.match(bad[0]?.hint ?? '', hint)
    })

  it('says that there is no stack', async () => {
    const { code, result } = await (await world()).setup(['--check', '--stack', 'other'])
    assert.equal(code, 1)
    assert.match(result.findings.at(-1).says, /there is no stack other in us-east-1/)
  })
})
