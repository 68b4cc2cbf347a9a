import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { tried } from '../../scripts/setup/try/beliefs.ts'
import { masked } from '../../scripts/setup/try/render.ts'
import { differing, heldUntilAsked, triable, unseen } from './try-sandbox.ts'

/** Slow enough that requests meet each other. */
const ENDPOINT = { pace: 'poll', coldStart: { invocations: 1000, delay: 20 } } as const

describe('setup --check --try', () => {
  it('finds the sandbox as believed, writes a page without secrets, and leaves nothing behind', async () => {
    const { sandbox, cwd, bucket, tryIt, assertNothingLeft } = await triable()
    const { code, comparisons, stderr } = await tryIt()
    assert.deepEqual(
      comparisons.filter(({ as }) => as !== 'believed'),
      [],
    )
    assert.deepEqual(
      comparisons.map(({ id }) => id),
      tried(false),
    )
    assert.equal(code, 0, stderr)
    const page = readFileSync(`${cwd}/prestage-try.md`, 'utf8')
    for (const id of tried(false)) assert.ok(page.includes(`| \`${id}\`: `), id)
    for (const secret of [sandbox.account, bucket]) assert.ok(!page.includes(secret), secret)
    assertNothingLeft()
  })

  it('finds an endpoint of the sandbox as believed', async () => {
    const { sandbox, setup, assertNothingLeft } = await triable({ sagemaker: ENDPOINT })
    heldUntilAsked(sandbox)
    const { code, result, stderr } = await setup(['--check', '--try', 'endpoint', '--max-cost', '1'])
    assert.deepEqual([differing(result.comparisons), unseen(result.comparisons)], [[], []])
    assert.deepEqual(
      result.comparisons.map(({ id }: { id: string }) => id),
      tried(true),
    )
    assert.equal(code, 0, stderr)
    assertNothingLeft()
  })

  it('shows its plan, and asks', async () => {
    const { sandbox, setup } = await triable()
    const asked = sandbox.requests.log().length
    const shown = await setup(['--check', '--try', 'endpoint', '--dry-run'])
    assert.equal(shown.code, 0)
    assert.ok(shown.result.usd > 0.25 && shown.result.usd < 0.5)
    for (const args of [[], ['--max-cost', '0.2']]) {
      const { code, stderr } = await setup(['--check', '--try', ...args])
      assert.equal(code, 3)
      assert.match(stderr, /batch job is \$0\.25/)
    }
    assert.deepEqual(
      sandbox.requests
        .log()
        .slice(asked)
        .filter(({ operation }) => /^(Create|Start)/.test(operation)),
      [],
    )
  })

  const secret: [text: string, shown: string][] = [
    [
      'User: arn:aws:sts::111122223333:assumed-role/Ops/ann@example.com may not on arn:aws:s3:::org-bucket-1/x',
      'User: arn:aws:sts::ACCOUNT:assumed-role/WHO may not on arn:aws:s3:::BUCKET/x',
    ],
    [
      'arn:aws:kms:eu-west-1:444455556666:key/0a1b2c3d-1111-2222-3333-444455556666',
      'arn:aws:kms:eu-west-1:ACCOUNT:key/KEY',
    ],
    ['signed by AKIAIOSFODNN7EXAMPLE,\nask bob@example.org', 'signed by KEY, ask WHO'],
  ]
  for (const [text, shown] of secret)
    it(`shows ${shown}`, () => assert.equal(masked(text, { account: '111122223333', bucket: 'org-bucket-1' }), shown))

  const wrong: [args: string[], says: RegExp][] = [
    [['--try'], /--try belongs to --check/],
    [['endpoint'], /stray argument "endpoint"/],
    [['--check', 'endpoint'], /stray argument "endpoint"/],
    [['--check', '--try', 'model'], /must be one of endpoint/],
  ]
  for (const [args, says] of wrong)
    it(`refuses ${args.join(' ')}`, async () => {
      const { setup } = await triable()
      const { code, stderr } = await setup(args)
      assert.equal(code, 2)
      assert.match(stderr, says)
    })
})
