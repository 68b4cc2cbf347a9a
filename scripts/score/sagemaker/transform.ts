import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { sagemakerClient } from '../../lib/aws/clients.ts'
import { dotProductIn } from '../../lib/aws/sagemaker/answers.ts'
import { sleepOf } from '../../lib/aws/settings.ts'
import { UserError } from '../../lib/cli/errors.ts'
import type { Measured, Trial } from '../../lib/insights/evaluation.ts'
import { paths } from '../../lib/runs/paths.ts'
import { linesOf } from '../../lib/stores/lines.ts'
import type { AwsSettings } from '../../lib/stores/open.ts'
import type { Store } from '../../lib/stores/store.ts'
import { lineOf, type Scorer, type ScoringSession } from '../scorer.ts'
import { goodJobs, runTransform, type TransformJobSpec, transformJobName } from './transform-job.ts'
import { linked, unlinked } from './transform-rows.ts'

export type Purpose = 'calibrating' | 'scoring'

export interface TransformSettings {
  /** The job, but for what it is to answer. */
  readonly base: Omit<TransformJobSpec, 'input' | 'output'>
  /** The run's. */
  readonly store: Store
  readonly aws: AwsSettings
  /** Starts another job although one has answered. */
  readonly overwrite: boolean
  readonly signal: AbortSignal
  onState(text: string): void
  /** Called before a job is created. */
  onJob(purpose: Purpose, job: string): Promise<void> | undefined
  onLeft(job: string): void
}

const FOLDER = `${paths.tmp}transform/`
const SENT = '/in/pairs.csv'
const answersAt = (digest: string): string => `${FOLDER}${digest}/out/pairs.csv.out`
/** Lines that are written at a time. */
const SLICE = 10_000

/** The model in a batch transform: every pair goes into one object, and the answers come back in its base. */
export async function transform(settings: TransformSettings): Promise<ScoringSession> {
  const { base, store, aws, signal } = settings
  const client = await sagemakerClient(aws, base.region)
  const { onState, onLeft } = settings
  let job = ''

  /** Dot products of lines, in their base. */
  async function* ask(purpose: Purpose, lines: () => Iterable<string>): AsyncGenerator<number, void> {
    const { digest, rows } = digestOf(lines())
    if (rows === 0) return
    const [input, output] = [`${FOLDER}${digest}${SENT}`, answersAt(digest)]
    const spec = { ...base, input: store.uriOf(input), output: `${store.uriOf(FOLDER)}${digest}/out` }
    const steps = {
      upload: async () => {
        await store.write(input, Readable.from(slices(linked(lines())), { objectMode: false }))
      },
      onJob: async (name: string) => settings.onJob(purpose, name),
      isUsable: async () => !settings.overwrite && (await store.head(output)) !== undefined,
    }
    const ended = await runTransform(client, spec, steps, { signal, sleep: sleepOf(aws), onState, onLeft })
    job = ended.TransformJobName ?? transformJobName(spec, 1)
    const where = store.uriOf(output)
    if ((await store.head(output)) === undefined)
      throw new UserError(`transform job ${job} is completed, but has written nothing to ${where}`, {
        hint: 'the same command starts another one',
      })
    yield* unlinked(answersIn(await store.read(output), where, signal), rows, where)
  }

  return {
    by: () => ({ via: 'transform', job, region: base.region, instanceType: base.instanceType }),
    measure: (trial) => measured(trial, (lines) => ask('calibrating', lines)),
    scorer: async (lines) => {
      const { rows } = digestOf(lines())
      return sequential(ask('scoring', lines), rows)
    },
    // The answers are paid for: they stay until the run is cleaned, in case the step is interrupted after this.
    tidy: async () => {
      for await (const { key } of store.list({ prefix: FOLDER })) if (key.endsWith(SENT)) await store.remove(key)
    },
  }
}

/** How many of these jobs need not be paid for again: they run, or what they have answered is there. */
export async function reusableJobs(
  { base, store, aws }: Pick<TransformSettings, 'base' | 'store' | 'aws' | 'signal'>,
  names: readonly string[],
): Promise<number> {
  if (names.length === 0) return 0
  const jobs = await goodJobs(await sagemakerClient(aws, base.region), base, names)
  const good = await Promise.all(
    jobs.map(async ({ TransformJobStatus, TransformOutput }) => {
      if (TransformJobStatus === 'InProgress') return true
      const [, digest] = /([0-9a-f]+)\/out$/.exec(TransformOutput?.S3OutputPath ?? '') ?? []
      return digest !== undefined && (await store.head(answersAt(digest))) !== undefined
    }),
  )
  return good.filter(Boolean).length
}

type Ask = (lines: () => Iterable<string>) => AsyncIterable<number>

/** A trial in one go. */
async function measured({ distinct, examples, madeUp }: Trial, ask: Ask): Promise<Measured> {
  const { entities, entityIndex, normal, attack } = examples
  const parts = [
    { entities: distinct.entities, entityIndex: distinct.entityIndex, ips: distinct.ip },
    { entities, entityIndex, ips: normal },
    { entities, entityIndex, ips: attack },
    { entities: madeUp.entities, entityIndex: madeUp.entityIndex, ips: madeUp.ip },
  ]
  function* lines() {
    for (const part of parts)
      for (const [i, ip] of part.ips.entries()) yield lineOf(part.entities[part.entityIndex[i] ?? 0] ?? '', ip)
  }
  const all = new Float64Array(parts.reduce((sum, { ips }) => sum + ips.length, 0))
  let at = 0
  for await (const score of ask(lines)) all[at++] = score
  let from = 0
  const next = (count: number) => {
    from += count
    return all.subarray(from - count, from)
  }
  return {
    distinct: next(distinct.ip.length),
    normal: next(normal.length),
    attack: next(attack.length),
    madeUp: next(madeUp.ip.length),
  }
}

/** A scorer that gives out the answers as they come: what is asked for is what was sent, in that base. */
function sequential(answers: AsyncGenerator<number, void>, rows: number): Scorer {
  let given = 0
  return {
    concurrency: 1,
    async score({ ips }) {
      const scores = new Float64Array(ips.length)
      for (let i = 0; i < ips.length; i++) scores[i] = (await answers.next()).value ?? Number.NaN
      given += ips.length
      // Only its end proves that there are no more answers than lines.
      if (given === rows) await answers.next()
      return scores
    },
  }
}

function digestOf(lines: Iterable<string>): { digest: string; rows: number } {
  const hash = createHash('sha256')
  let rows = 0
  for (const line of lines) {
    hash.update(`${line}\n`)
    rows += 1
  }
  return { digest: hash.digest('hex').slice(0, 16), rows }
}

function* slices(lines: Iterable<string>): Generator<string> {
  let slice: string[] = []
  for (const line of lines) {
    if (slice.push(`${line}\n`) < SLICE) continue
    yield slice.join('')
    slice = []
  }
  yield slice.join('')
}

async function* answersIn(stream: Readable, where: string, signal: AbortSignal): AsyncGenerator<number> {
  let number = 0
  for await (const line of linesOf(stream)) {
    number += 1
    if (number % SLICE === 0) signal.throwIfAborted()
    // AssembleWith adds a newline after every payload, also to one that ends in a newline: "TransformOutput", API reference.
    if (line === '') continue
    yield dotProductIn(line, number, where)
  }
}
