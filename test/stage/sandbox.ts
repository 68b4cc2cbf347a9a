import assert from 'node:assert/strict'
import { after } from 'node:test'
import type { RunnerSettings } from '../sandbox/s3control/runner.ts'
import { type Sandbox, startSandbox } from '../sandbox/start.ts'
import { type RunOptions, runScript } from '../support/run-script.ts'
import { hourlyKeys, trailKey } from './logs.ts'

export const ROLE = 'arn:aws:iam::111122223333:role/prestage-batch'
export const DAY = ['--source', 'cloudtrail', '--from', '2026-03-02', '--to', '2026-03-03']
export const KEYS = hourlyKeys(
  ['012345678901', '111122223333'],
  ['eu-west-1', 'us-east-1'],
  ['20260301', '20260302', '20260303'],
)
export const ODD = [
  'a b',
  'c+d',
  '100%',
  '%2F',
  'e,f',
  '"g"',
  "'h'",
  'mün-東',
  'i\nj',
  'k\rl',
  'm\r\nn',
  'o\tp',
  '<q>&amp;',
  '\u2028\u{1f512}',
].map((tail) => trailKey('111122223333', 'us-east-1', '20260302T1005Z', tail))
export const EXPECTED = [...KEYS, ...ODD].filter((key) => key.includes('20260302T') || /20260303T0[01]00Z/.test(key))
export const BATCH = ['--yes', '--copy', 'batch', '--batch-role', ROLE, '--poll', '0.1']

/** An organization's bucket and a staging bucket, and a way to stage from the one to the other. */
export async function fixture(jobs: Partial<RunnerSettings> = {}, now = () => new Date()) {
  const sandbox = await startSandbox({ buckets: { 'org-logs': {}, 'org-staging': {} }, jobs, now })
  after(() => sandbox.close())
  for (const key of [...KEYS, ...ODD]) sandbox.s3.put('org-logs', key, `content of ${key}`)
  const stage = async (
    args: readonly string[],
    workspace = 's3://org-staging/prestage',
    onStderr?: RunOptions['onStderr'],
    killWhen?: RunOptions['killWhen'],
  ) => {
    const options = [
      ...(args.includes('--logs') ? [] : ['--logs', 's3://org-logs']),
      '--workspace',
      workspace,
      '--output',
      'json',
      ...(args.includes('--from') ? [] : DAY),
      ...args,
    ]
    const ended = await runScript('stage', options, {
      env: sandbox.env,
      ...(onStderr && { onStderr }),
      ...(killWhen && { killWhen }),
    })
    assert.doesNotMatch(ended.stderr, /this is a bug/)
    return { ...ended, result: ended.code === 0 ? JSON.parse(ended.stdout) : undefined }
  }
  return { sandbox, stage }
}

const staged = (sandbox: Sandbox, run: string, key: string) =>
  sandbox.s3.head('org-staging', `prestage/bulk/${run}/staged/${key}`)

export function assertStaged(sandbox: Sandbox, run: string, keys: readonly string[] = EXPECTED): void {
  for (const key of keys) assert.equal(staged(sandbox, run, key)?.size, Buffer.byteLength(`content of ${key}`), key)
  assert.deepEqual(sandbox.violations, [])
}
