import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fixture, LOGS } from './sandbox.ts'

describe('how long setup lets things stay', () => {
  it('lets what can be made again expire, and keeps what must outlive it', async () => {
    const { sandbox, setup, existingStack } = await fixture()
    await existingStack()
    const days = () => {
      const { properties } = sandbox.cloudformation.stack('prestage').made.get('StagingBucket') ?? assert.fail()
      const { Rules } = properties.LifecycleConfiguration as { Rules: Record<string, string>[] }
      const expiring = Rules.filter(({ ExpirationInDays }) => ExpirationInDays !== undefined)
      return Object.fromEntries(expiring.map(({ Prefix, ExpirationInDays }) => [Prefix, Number(ExpirationInDays)]))
    }
    const athena = { 'prestage/athena/': 7 }
    assert.deepEqual(days(), { ...athena, 'prestage/bulk/': 90, 'prestage/runs/': 3650, 'prestage/reports/': 3650 })
    await setup(['--retention-days', '3', '--yes'])
    assert.deepEqual(days(), { ...athena, 'prestage/bulk/': 3, 'prestage/runs/': 3650, 'prestage/reports/': 3650 })
    await setup(['--results-retention-days', '400', '--yes'])
    assert.deepEqual(days(), { ...athena, 'prestage/bulk/': 3, 'prestage/runs/': 400, 'prestage/reports/': 400 })
    assert.deepEqual(sandbox.violations, [])
  })

  const short: [what: string, before: string[] | undefined, args: string[]][] = [
    ['as asked for, with no call at all', undefined, ['--retention-days', '30', '--results-retention-days', '29']],
    ['than the default', undefined, ['--results-retention-days', '89']],
    ['than the stack has', ['--retention-days', '200'], ['--results-retention-days', '199']],
    ['than the stack keeps them', ['--results-retention-days', '400'], ['--retention-days', '401']],
  ]
  for (const [what, before, args] of short)
    it(`refuses results that expire before what they were made of: sooner ${what}`, async () => {
      const { sandbox, setup } = await fixture()
      if (before !== undefined) assert.equal((await setup([...LOGS, ...before, '--yes'])).code, 0)
      const proposed = sandbox.requests.of('CreateChangeSet')
      const { code, stderr } = await setup([...LOGS, ...args, '--yes'])
      assert.equal(code, 2, stderr)
      assert.match(stderr, /results would expire after \d+ days, before .* which stays \d+\n.*--results-retention-days/)
      assert.equal(sandbox.requests.of('CreateChangeSet'), proposed)
      if (args.length > 2) assert.equal(sandbox.requests.of('DescribeStacks'), 0)
    })

  it('takes results that expire with what they were made of', async () => {
    const { sandbox, setup } = await fixture()
    const { code, stderr } = await setup([...LOGS, '--results-retention-days', '90', '--dry-run'])
    assert.equal(code, 0, stderr)
    assert.deepEqual(sandbox.violations, [])
  })
})
