import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after } from 'node:test'
import { type Sandbox, type SandboxSettings, startSandbox } from '../sandbox/start.ts'
import { placeInS3 } from './run-places.ts'
import { type Ended, type RunOptions, runScript } from './run-script.ts'

export const WORKSPACE = 's3://org-staging/prestage'

/** A sandbox with a bucket of logs and one to stage into. */
export async function athenaSandbox(settings: Pick<SandboxSettings, 'athena' | 'buckets'> = {}) {
  const sandbox = await startSandbox({
    ...settings,
    buckets: { 'org-logs': {}, 'parquet-logs': {}, 'org-staging': {}, ...settings.buckets },
  })
  after(() => sandbox.close())
  const run = async (script: string, args: readonly string[], options: RunOptions = {}) => {
    const all = ['--workspace', WORKSPACE, '--output', 'json', ...args]
    const ended = await runScript(script, all, { ...options, env: { ...sandbox.env, ...options.env } })
    assert.doesNotMatch(ended.stderr, /this is a bug/)
    return { ...ended, result: resultOf(ended) }
  }
  const stage = (source: string, window: readonly string[]) =>
    run('stage', ['--source', source, '--logs', 's3://org-logs', '--copy', 'direct', '--yes', ...window])
  return { sandbox, run, stage }
}

const resultOf = ({ code, stdout }: Ended) => (code === 0 && stdout !== '' ? JSON.parse(stdout) : undefined)

/** Lines below a prefix of a run in the sandbox, in order: a multiset. */
export async function linesAt(sandbox: Sandbox, run: string, prefix: string): Promise<string[]> {
  const lines: string[] = []
  for (const key of sandbox.s3.keys('org-staging', `prestage/${placeInS3(run, prefix)}`))
    lines.push(...(await sandbox.s3.get('org-staging', key)).toString().split('\n').slice(0, -1))
  return lines.sort()
}

/** The same of a run in a folder. */
export const linesIn = (folder: string): string[] =>
  readdirSync(folder)
    .flatMap((name) => readFileSync(`${folder}/${name}`, 'utf8').split('\n').slice(0, -1))
    .sort()
