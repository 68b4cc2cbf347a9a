import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { extract, pairsOf, stagedRun } from '../support/staged-run.ts'
import { tempFolder } from '../support/temp.ts'

const request = (change: object = {}) => ({
  timestamp: Date.parse('2026-03-02T10:00:00Z'),
  action: 'ALLOW',
  ja3Fingerprint: 'ja3',
  ja4Fingerprint: 'ja4',
  httpRequest: {
    clientIp: '8.8.4.4',
    country: 'DE',
    requestId: `r-${Math.random()}`,
    headers: [
      { name: 'Host', value: 'shop.example' },
      { name: 'USER-agent', value: 'curl/8.5, "odd"\n' },
      { name: 'user-agent', value: 'second' },
    ],
    ...change,
  },
})

async function run(records: readonly unknown[], args: readonly string[] = []) {
  const workspace = tempFolder()
  const staged = await stagedRun(
    workspace,
    { 'a.log': records.map((r) => JSON.stringify(r)).join('\n') },
    { source: 'waf' },
  )
  const { result, stderr } = await extract(workspace, args)
  assert.ok(result, stderr)
  return { pairs: pairsOf(staged, 'train'), dropped: result.dropped }
}

describe('WAF entities', () => {
  const table: [string[], string][] = [
    [[], 'curl/8.5, "odd"\n'],
    [['--entity', 'user-agent'], 'curl/8.5, "odd"\n'],
    [['--entity', 'host'], 'shop.example'],
    [['--entity', 'country'], 'DE'],
    [['--entity', 'ja3'], 'ja3'],
    [['--entity', 'ja4'], 'ja4'],
  ]
  for (const [args, expected] of table)
    it(`${args.join(' ') || 'by default'}: ${JSON.stringify(expected)}`, async () =>
      assert.deepEqual((await run([request()], args)).pairs, [`${expected} 8.8.4.4`]))

  it('that are absent are counted', async () => {
    const { dropped } = await run([
      request(),
      request({ headers: [] }),
      request({ headers: undefined }),
      request({ headers: null }),
    ])
    assert.deepEqual(dropped, { 'no-entity': 3 })
  })

  const lengths: [what: string, agent: string, dropped: object][] = [
    ['as many characters as a row can hold', '.'.repeat(16_000), {}],
    ['as many of four bytes', '🙂'.repeat(16_000), {}],
    ['one more', '.'.repeat(16_001), { 'long-entity': 1 }],
    ['what no row could hold', '.'.repeat(100_000), { 'long-entity': 1 }],
  ]
  for (const [what, value, expected] of lengths)
    it(`of ${what}: a stranger's request stops no extraction`, async () => {
      const { dropped } = await run([request(), request({ headers: [{ name: 'user-agent', value }] })])
      assert.deepEqual(dropped, expected)
    })

  it('of another source are refused', async () => {
    const workspace = tempFolder()
    await stagedRun(workspace, { a: '' }, { source: 'waf' })
    const { code, stderr } = await extract(workspace, ['--entity', 'principal'])
    assert.equal(code, 2)
    assert.match(stderr, /waf has no entity "principal"[\s\S]*user-agent, ja4/)
  })
})
