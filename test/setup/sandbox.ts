import assert from 'node:assert/strict'
import { after } from 'node:test'
import { type SandboxSettings, startSandbox } from '../sandbox/start.ts'
import { type RunOptions, runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'

export const LOGS = ['--read-logs', 's3://org-logs/AWSLogs']

/** An account with a bucket of logs, and scripts that run in a folder of their own. */
export async function fixture(settings: SandboxSettings = {}) {
  const sandbox = await startSandbox({ buckets: { 'org-logs': {} }, ...settings })
  after(() => sandbox.close())
  const cwd = tempFolder()
  const script = async (name: string, args: readonly string[], more: RunOptions = {}) => {
    const ended = await runScript(name, [...args, '--output', 'json'], { cwd, env: sandbox.env, ...more })
    assert.doesNotMatch(ended.stderr, /this is a bug/)
    return { ...ended, result: ended.stdout === '' ? undefined : JSON.parse(ended.stdout) }
  }
  const setup = (args: readonly string[], more?: RunOptions) => script('setup', ['--poll', '0.05', ...args], more)
  /** Sets up with defaults. */
  const existingStack = async () => {
    const { code, stderr, result } = await setup([...LOGS, '--yes'])
    assert.equal(code, 0, stderr)
    return result
  }
  return { sandbox, cwd, script, setup, existingStack }
}
