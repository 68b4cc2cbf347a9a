import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { startSandbox } from '../sandbox/start.ts'
import { runScript } from '../support/run-script.ts'
import { contents, scratch, trailKey, writeObjects } from './logs.ts'

const TWO_DAYS = ['--source', 'cloudtrail', '--from', '2026-03-01', '--to', '2026-03-03']
const ONE_DAY = ['--source', 'cloudtrail', '--from', '2026-03-02', '--to', '2026-03-03']

const layered = ['20260301T1000Z', '20260302T1000Z'].map((time) => trailKey('111122223333', 'us-east-1', time))
const places: [what: string, keys: string[], workspace: string][] = [
  ['the folder of the logs', layered, ''],
  ['a folder among logs out of their folders', layered.map((key) => key.replace(/.*\//, '')), 'workspace'],
  ['a folder among logs whose names say nothing', ['a.json', 'b.json'], 'workspace'],
]

describe('a workspace among the logs', () => {
  for (const [what, keys, folder] of places)
    it(`counts nothing twice: ${what}`, async () => {
      const logs = scratch()
      writeObjects(logs, contents(keys))
      const workspace = join(logs, folder)
      const stage = async (window: readonly string[]) => {
        const args = ['--logs', logs, '--workspace', workspace, '-o', 'json', ...window]
        const { stdout, stderr } = await runScript('stage', args)
        return { ...JSON.parse(stdout || '{}'), stderr }
      }
      const day = await stage(ONE_DAY)
      assert.ok(day.objects > 0, day.stderr)
      const both = await stage(TWO_DAYS)
      assert.equal(both.objects, keys.length, both.stderr)
      const anew = await stage([...TWO_DAYS, '--overwrite'])
      assert.equal(anew.objects, keys.length, anew.stderr)
    })

  it('counts nothing twice in one bucket', async () => {
    const sandbox = await startSandbox({ buckets: { 'org-logs': {} } })
    after(() => sandbox.close())
    const run = 'cloudtrail-20260302T0000Z-20260303T0000Z-3f9a1c'
    for (const place of ['', `bulk/${run}/staged/`, `ws/bulk/${run}/staged/`])
      for (const key of layered) sandbox.s3.put('org-logs', `${place}${key}`, 'x')
    for (const [logs, objects] of [
      ['s3://org-logs', 2],
      ['s3://org-logs/ws', 0],
      [`s3://org-logs/bulk/${run}`, 2],
    ] as const) {
      const args = ['--logs', logs, '-o', 'json', '--dry-run', ...TWO_DAYS]
      const { stdout, code } = await runScript('stage', args, { cwd: scratch(), env: sandbox.env })
      if (objects === 0) assert.equal(code, 1)
      else assert.equal(JSON.parse(stdout).objects, objects, logs)
    }
  })
})
