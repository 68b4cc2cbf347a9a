import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Sandbox, startSandbox } from '../sandbox/start.ts'
import { runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'

const DAY = 86_400_000

/** Keys of a bucket that logs its accesses into one folder for two years, seven a day, with two names. */
const keys = Array.from({ length: 2 * 365 * 7 }, (_, n) => {
  const time = new Date(Date.UTC(2024, 5, 1) + Math.floor(n / 7) * DAY + (n % 7) * 10_000_000).toISOString()
  const name = `${time.slice(0, 19).replace(/[T:]/g, '-')}-E568B2907131C${String(n % 1000).padStart(3, '0')}`
  return [`flat/${name}`, `flat/media-${name}`]
}).flat()

/** What a distribution logs in version 2 without a suffix path, two files an hour for three months. */
const CLOUDFRONT = 'AWSLogs/111122223333/CloudFront/'
const requested = Array.from({ length: 2 * 90 * 24 }, (_, n) => {
  const hour = new Date(Date.UTC(2026, 0, 1) + Math.floor(n / 2) * 3_600_000).toISOString().slice(0, 13)
  return `${CLOUDFRONT}E1EXAMPLE1ABCD.${hour.replace('T', '-')}.${n}.gz`
})

describe('keys that lie flat in one folder', () => {
  let sandbox: Sandbox
  before(async () => {
    sandbox = await startSandbox({ buckets: { 'org-logs': {}, 'cdn-logs': {} } })
    for (const key of keys) sandbox.s3.put('org-logs', key, '')
    for (const key of requested) sandbox.s3.put('cdn-logs', key, '')
    const trail = 'AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/02/'
    sandbox.s3.put('org-logs', `flat/${trail}111122223333_CloudTrail_us-east-1_20260302T1005Z_a.json.gz`, '')
  })
  after(() => sandbox.close())

  const run = async (command: string, args: readonly string[]) => {
    const before = sandbox.requests.of('ListObjectsV2')
    const all = ['--logs', 's3://org-logs', '--output', 'json', ...args]
    const { stdout, stderr, code } = await runScript(command, all, { env: sandbox.env })
    assert.equal(code, 0, stderr)
    return { json: JSON.parse(stdout), stderr, requests: sandbox.requests.of('ListObjectsV2') - before }
  }

  it('are found without reading the folder, and only those that a window may need', async () => {
    const args = ['--source', 's3access', '--from', '2026-03-02', '--to', '2026-03-03', '--workspace', tempFolder()]
    const { json, requests } = await run('stage', [...args, '--dry-run'])
    // Delivery may be a day late.
    assert.equal(json.objects, 2 * 2 * 7 + 2)
    assert.ok(requests <= 16, `${requests} requests for ${keys.length} keys`)
  })

  it('are found below folders of AWS, too, and their account is known', async () => {
    const args = ['--source', 'cloudfront', '--from', '2026-03-02', '--to', '2026-03-03', '--workspace', tempFolder()]
    for (const [account, objects] of [
      ['111122223333', 50],
      ['999999999999', undefined],
    ] as const) {
      const given = [...args, '--account', account, '--dry-run', '--logs', 's3://cdn-logs', '--output', 'json']
      const before = sandbox.requests.of('ListObjectsV2')
      const { stdout } = await runScript('stage', given, { env: sandbox.env })
      assert.equal(stdout === '' ? undefined : JSON.parse(stdout).objects, objects)
      const requests = sandbox.requests.of('ListObjectsV2') - before
      assert.ok(requests <= 12, `${requests} requests for ${requested.length} keys`)
    }
  })

  it('do not hold up who looks for something else there', async () => {
    const { json, requests } = await run('inventory', [])
    const found = json.sources.map(({ source, first, last }: Record<string, string>) => [source, first, last])
    assert.deepEqual(found, [
      ['cloudtrail', '2026-03-02', '2026-03-02'],
      ['s3access', '2024-06-01', '2026-05-31'],
    ])
    assert.ok(requests <= 120, `${requests} requests for ${keys.length} keys`)
  })
})
