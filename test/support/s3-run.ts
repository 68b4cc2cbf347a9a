import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after } from 'node:test'
import { formatIpv4 } from '../../scripts/insights/ipv4.ts'
import { Random } from '../../scripts/insights/random.ts'
import type { Run } from '../../scripts/runs/run.ts'
import { createRun } from '../../scripts/runs/workspace.ts'
import { type Sandbox, type SandboxSettings, startSandbox } from '../aws/start.ts'
import { REQUEST } from '../runs/fixture/ledger.ts'
import { type Ended, type RunOptions, runScript } from './run-script.ts'
import { tempFolder } from './temp.ts'

export const ROLE = 'arn:aws:iam::111122223333:role/prestage-sagemaker'
const [BUCKET, PREFIX] = ['org-staging', 'prestage']
export const WORKSPACE = `s3://${BUCKET}/${PREFIX}`

/** First address of the network that an entity comes from. */
export const home = (entity: number): number => (30 + entity) * 2 ** 24 + 77 * 65_536

/** Accesses of a dozen entities, each from a network of its own. */
export function accesses(seed: number, rows: number): string {
  const random = new Random(seed)
  const row = (_: unknown, i: number) => `user_${i % 12},${formatIpv4(home(i % 12) + random.below(250))}\n`
  return Array.from({ length: rows }, row).join('')
}

interface Change {
  readonly train?: string
  readonly holdout?: string
  readonly sandbox?: SandboxSettings
  readonly source?: string
}

/** A sandbox whose workspace holds one run that is extracted, and a way to take its next steps as processes. */
export async function s3World(change: Change = {}) {
  const sandbox = await startSandbox({
    buckets: { [BUCKET]: change.sandbox?.region === undefined ? {} : { region: change.sandbox.region } },
    ...change.sandbox,
  })
  after(() => sandbox.close())
  const run = await putRun(sandbox, change)
  return { sandbox, run, ...processes(sandbox), ledger: () => ledgerOf(sandbox, run) }
}

/** Puts a run that is extracted into the sandbox's S3; another window is another run. */
export async function putRun(sandbox: Sandbox, change: Change & { readonly to?: string } = {}): Promise<Run> {
  const { train = accesses(1, 1800), holdout = accesses(2, 600), source = REQUEST.source, to = REQUEST.to } = change
  const run = await createRun(tempFolder(), { ...REQUEST, source, to })
  const rows = (text: string) => text.split('\n').length - 1
  await run.step('extract', { settings: {}, inputs: [], overwrite: false }, async () => ({
    events: rows(train) + rows(holdout),
    pairs: rows(train) + rows(holdout),
    trainPairs: rows(train),
    holdoutPairs: rows(holdout),
    entities: 12,
    entity: 'principal',
    includePrivate: false,
    dropped: {},
    files: [],
    skippedFiles: [],
    cutoff: '2026-11-20T18:00:00.000Z',
    digest: String(train.length),
  }))
  const put = (key: string, text: string) => sandbox.s3.put(BUCKET, `${PREFIX}/runs/${run.id}/${key}`, text)
  put('run.json', readFileSync(run.path('run.json'), 'utf8'))
  put('pairs/train/attempt-1/part', train)
  if (holdout !== '') put('pairs/holdout/attempt-1/part', holdout)
  return run
}

export const ledgerOf = async (sandbox: Sandbox, run: Run) =>
  JSON.parse(String(await sandbox.s3.get(BUCKET, `${PREFIX}/runs/${run.id}/run.json`)))

type Step = (args?: readonly string[], options?: RunOptions) => Promise<Ended & { result: Record<string, unknown> }>

function processes(sandbox: Sandbox): { step: (name: string) => Step } {
  return {
    step:
      (name) =>
      async (args = [], options = {}) => {
        const unless = (flag: string, ...given: string[]) => (args.includes(flag) ? [] : [flag, ...given])
        const given = ['--workspace', WORKSPACE, ...unless('--output', 'json'), ...unless('--sagemaker-role', ROLE)]
        const ended = await runScript(name, [...given, ...args], { env: sandbox.env, ...options })
        assert.doesNotMatch(ended.stderr, /this is a bug/)
        return { ...ended, result: ended.stdout.startsWith('{') ? JSON.parse(ended.stdout) : {} }
      },
  }
}
