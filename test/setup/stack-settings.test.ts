import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { hourlyKeys } from '../stage/logs.ts'
import { runScript } from '../support/run-script.ts'
import { fixture } from './sandbox.ts'

const DAY = ['--source', 'cloudtrail', '--logs', 's3://org-logs', '--from', '2026-03-02', '--to', '2026-03-03']
const FIXTURE = new URL('../stage/fixture/iceberg', import.meta.url).pathname
const KEYS = hourlyKeys(['012345678901'], ['us-east-1'], ['20260302'])

describe('settings from a stack', () => {
  it('stage takes workspace and role from it, by prestage.yaml alone', async () => {
    const { sandbox, script, existingStack } = await fixture({ jobs: { pace: 10 } })
    for (const key of KEYS) sandbox.s3.put('org-logs', key, key)
    const { outputs } = await existingStack()
    const { result, stderr } = await script('stage', [...DAY, '--copy', 'batch', '--poll', '0.05', '--yes'])
    assert.equal(result?.objects, KEYS.length, stderr)
    assert.ok(result.staged.startsWith(`${outputs.Workspace}/bulk/`))
    assert.equal(sandbox.control.jobs().at(-1)?.spec.role, outputs.BatchRoleArn)
    assert.deepEqual(sandbox.violations, [])
  })

  it('what is given otherwise wins, and work on a folder asks nobody', async () => {
    const { sandbox, cwd, script, existingStack } = await fixture()
    for (const key of KEYS) sandbox.s3.put('org-logs', key, key)
    await existingStack()
    const asked = sandbox.requests.of('DescribeStacks')
    const { result, stderr } = await script('stage', [...DAY, '--workspace', './here', '--yes'])
    assert.ok(result?.staged.startsWith(`${cwd}/here`), stderr)
    assert.equal(sandbox.requests.of('DescribeStacks'), asked)
  })

  const mistakes: [what: string, stack: string, region: string | undefined, says: RegExp][] = [
    ['none', 'other', undefined, /there is no stack other in us-east-1\n.*setup.mjs makes one/],
    ['one of others', 'theirs', undefined, /stack theirs has no output Workspace: setup did not make it/],
    ['one that is not finished', 'moving', undefined, /stack moving in us-east-1 is not finished: CREATE_IN_PROGRESS/],
    ['no region', 'other', '', /no AWS region/],
  ]
  for (const [what, stack, region, says] of mistakes)
    it(`names a stack that is ${what}`, async () => {
      const { sandbox, cwd, script } = await fixture()
      sandbox.cloudformation.add('theirs').status = 'CREATE_COMPLETE'
      sandbox.cloudformation.add('moving').status = 'CREATE_IN_PROGRESS'
      writeFileSync(`${cwd}/prestage.yaml`, `# of the team\nstack: ${stack}\n`)
      const env = { ...sandbox.env, ...(region !== undefined && { AWS_REGION: region }) }
      const { code, stderr } = await script('stage', [...DAY, '--dry-run'], { env })
      assert.notEqual(code, 0)
      assert.match(stderr, says)
      if (stack !== 'theirs')
        assert.match(stderr, /line 2 of prestage\.yaml names stack \w+: remove it, or add --workspace \.\/workspace/)
      assert.equal(sandbox.requests.of('ListObjectsV2'), 0)
      const here = await script('report', ['--workspace', './here'], { env })
      assert.match(here.stderr, /there is no run in/)
    })
})

it('setup --delete says that the configuration no longer names a stack that is deleted', async () => {
  const { cwd, sandbox, existingStack } = await fixture()
  await existingStack()
  writeFileSync(`${cwd}/prestage.yaml`, 'stack: prestage\n')
  const args = ['--poll', '0.05', '--delete', '--yes']
  const { code, stdout, stderr } = await runScript('setup', args, { cwd, env: sandbox.env })
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^stack prestage is deleted\n(.*\n)* {2}\S+\/prestage\.yaml no longer names it$/m)
  assert.doesNotMatch(stdout, /then take/)
})

describe('a stack with a Security Lake', () => {
  it('lets the operator read a Security Lake and look up its tables, and no more again', async () => {
    const { sandbox, setup, existingStack } = await fixture()
    await existingStack()
    const policyOf = (name: string) =>
      JSON.stringify(sandbox.cloudformation.stack('prestage').made.get(name)?.properties)
    assert.doesNotMatch(policyOf('OperatorPolicy'), /[lL]ake/)
    const { stderr, result } = await setup(['--read-lake', 's3://lake/aws', '--yes'])
    assert.match(stderr, /~ policy OperatorPolicy: PolicyDocument/)
    assert.match(policyOf('OperatorPolicy'), /"Action":"s3:GetObject","Resource":\["arn:aws:s3:::lake\/aws\/\*"\]/)
    assert.match(
      policyOf('OperatorPolicy'),
      /"glue:GetTable","Resource":\["arn:aws:glue:us-east-1:\d+:database\/amazon_security/,
    )
    assert.doesNotMatch(policyOf('BatchRole'), /lake/)
    assert.equal(result?.outputs.LakeObjectArns, 'arn:aws:s3:::lake/aws/*')
    assert.equal((await setup(['--read-lake', 'none', '--yes'])).result.action, 'updated')
    assert.doesNotMatch(policyOf('OperatorPolicy'), /[lL]ake/)
    assert.deepEqual(sandbox.violations, [])
  })

  it('has it among the logs that are looked through for a source', async () => {
    const { sandbox, script, setup, existingStack } = await fixture({ buckets: { 'org-logs': {}, lake: {} } })
    await sandbox.s3.load('lake', FIXTURE)
    for (const key of KEYS) sandbox.s3.put('org-logs', key, key)
    await existingStack()
    const { stderr } = await setup(['--read-lake', 's3://lake/aws', '--yes'])
    for (const [source, objects] of [
      ['securitylake', 3],
      ['cloudtrail', KEYS.length],
    ] as const) {
      const window = ['--source', source, '--from', '2026-03-02', '--to', '2026-03-03']
      const staged = await script('stage', [...window, '--copy', 'direct', '--yes'])
      assert.equal(staged.result?.objects, objects, stderr + staged.stderr)
    }
    assert.deepEqual(sandbox.violations, [])
  })
})
