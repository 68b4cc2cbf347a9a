import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after } from 'node:test'
import { imageOf } from '../../scripts/lib/aws/sagemaker/image.ts'
import { formatIpv4 } from '../../scripts/lib/insights/ipv4.ts'
import { Random } from '../../scripts/lib/insights/random.ts'
import type { Run } from '../../scripts/lib/runs/run.ts'
import { createRun } from '../../scripts/lib/runs/workspace.ts'
import { REQUEST } from '../lib/runs/fixture/ledger.ts'
import { train } from '../sandbox/sagemaker/container.ts'
import { type Sandbox, type SandboxSettings, startSandbox } from '../sandbox/start.ts'
import { extractResult, trainingJobResult } from './results.ts'
import { placeInS3 } from './run-places.ts'
import { type Ended, type RunOptions, runScript } from './run-script.ts'
import { tempFolder } from './temp.ts'

export const ROLE = 'arn:aws:iam::111122223333:role/prestage-sagemaker'
const [BUCKET, PREFIX] = ['org-staging', 'prestage']
const WORKSPACE = `s3://${BUCKET}/${PREFIX}`

/** First address of the network that an entity comes from. */
const home = (entity: number): number => (30 + entity) * 2 ** 24 + 77 * 65_536

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
  /** A model.tar.gz: the run is trained, too. */
  readonly artifact?: Buffer
}

/** What the algorithm makes of these accesses. */
export async function artifactOf(rows: string, epochs = 10): Promise<Buffer> {
  const numbers = { num_entity_vectors: 1000, vector_dim: 8, epochs, mini_batch_size: 100, learning_rate: 0.02 }
  const hyperparameters = Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, String(value)]))
  const { artifact } = await train({
    hyperparameters,
    channels: { train: [rows] },
    signal: new AbortController().signal,
  })
  return artifact
}

/** A sandbox whose workspace holds one run that is extracted, and a way to take its next steps as processes. */
export async function s3Sandbox(change: Change = {}) {
  const sandbox = await startSandbox({
    buckets: { [BUCKET]: change.sandbox?.region === undefined ? {} : { region: change.sandbox.region } },
    ...change.sandbox,
  })
  after(() => sandbox.close())
  const run = await putRun(sandbox, change)
  return { sandbox, run, ...processes(sandbox), ledger: () => ledgerOf(sandbox, run) }
}

/** An S3 that takes what a test puts there. */
export interface Place {
  readonly s3: {
    readonly state: { readonly region: string }
    put(bucket: string, key: string, body: string | Buffer): unknown
  }
}

/** Puts a run that is extracted into the sandbox's S3; another window is another run. */
export async function putRun(sandbox: Place, change: Change & { readonly to?: string } = {}): Promise<Run> {
  const {
    train: trained = accesses(1, 1800),
    holdout = accesses(2, 600),
    source = REQUEST.source,
    to = REQUEST.to,
  } = change
  const run = await createRun(tempFolder(), { ...REQUEST, source, to })
  const rows = (text: string) => text.split('\n').length - 1
  await run.step('extract', { settings: {}, inputs: [], overwrite: false }, async () =>
    extractResult({
      events: rows(trained) + rows(holdout),
      pairs: rows(trained) + rows(holdout),
      trainPairs: rows(trained),
      holdoutPairs: rows(holdout),
      digest: String(trained.length),
    }),
  )
  const put = (key: string, body: string | Buffer) =>
    sandbox.s3.put(BUCKET, `${PREFIX}/${placeInS3(run.id, key)}`, body)
  const { artifact } = change
  if (artifact !== undefined) {
    put('model/job/output/model.tar.gz', artifact)
    await run.step('train', { settings: {}, inputs: ['extract'], overwrite: false }, async () =>
      trainingJobResult({
        model: `${WORKSPACE}/runs/${run.id}/model/job/output/model.tar.gz`,
        modelBytes: artifact.length,
        image: imageOf(sandbox.s3.state.region),
        region: sandbox.s3.state.region,
        holdoutPairs: rows(holdout),
        digest: `${run.id} ${artifact.length}`,
      }),
    )
  }
  put('run.json', readFileSync(run.path('run.json'), 'utf8'))
  put('pairs/train/attempt-1/part', trained)
  if (holdout !== '') put('pairs/holdout/attempt-1/part', holdout)
  return run
}

const ledgerOf = async (sandbox: Sandbox, run: Run) =>
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
