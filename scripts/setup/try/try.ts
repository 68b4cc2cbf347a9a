import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Stack } from '../../lib/aws/cloudformation/stack.ts'
import { type AwsSettings, runHostOf } from '../../lib/aws/settings.ts'
import type { Context } from '../../lib/cli/command.ts'
import { messageOf, UserError } from '../../lib/cli/errors.ts'
import { aboutUsd } from '../../lib/cli/format.ts'
import { INSTANCES, PRICES, priceNote, totalOf } from '../../lib/runs/cost.ts'
import { withLock } from '../../lib/runs/lock.ts'
import { type Comparison, Comparisons, tried } from './beliefs.ts'
import { madeObjects } from './objects.ts'
import { type Outputs, storeOf, type TryPlace, type TryStep } from './place.ts'
import { comparisonsPage, masked } from './render.ts'

const FILE = 'prestage-try.md'

export interface TryOptions {
  readonly settings: AwsSettings
  readonly region: string
  readonly withEndpoint: boolean
  /** Seconds between two looks at a job. */
  readonly poll: number
}

/** Statements of Athena, and requests to S3, of a try. */
const [STATEMENTS, REQUESTS] = [25, 150] as const
/** What Athena counts of a query at least: "Amazon Athena pricing". */
const LEAST_BYTES = 10e6
/** Guesses: others reported 216 seconds until an ml.m5.large begins. */
const [TRAINING_HOURS, ANSWERING_SECONDS, MEMORY_GB] = [10 / 60, 300, 3] as const
const TRAINS_ON = 'ml.m5.large'

/** What the try will do, and dollars. */
export function planOfTry(withEndpoint: boolean): { plan: string[]; usd: number } {
  const items = [
    { what: 'batch job', count: 1, each: PRICES.batchJob },
    { what: 'tasks', count: madeObjects.length + 1, each: PRICES.batchObject },
    { what: 'requests to S3', count: REQUESTS, each: PRICES.putRequest },
    { what: 'queries', count: STATEMENTS * LEAST_BYTES, each: PRICES.athenaByte },
  ]
  const endpoint = [
    { what: 'hours of training', count: TRAINING_HOURS, each: INSTANCES[TRAINS_ON]?.usdPerHour ?? 0 },
    { what: 'GB-seconds of answers', count: ANSWERING_SECONDS * MEMORY_GB, each: PRICES.serverlessGBSecond },
  ]
  const usd = totalOf(withEndpoint ? [...items, ...endpoint] : items)
  const plan = [
    'try what is believed of AWS, in the workspace of the stack',
    `  ${madeObjects.length} small objects, copied by CopyObject and by a job of S3 Batch Operations`,
    '  a small CTAS and some queries of Athena',
    '  a model and an endpoint configuration in SageMaker, without an endpoint',
    ...(withEndpoint ? [`  a training job on ${TRAINS_ON} and a serverless endpoint, for about 20 minutes`] : []),
    '  everything is removed again',
    `  ${aboutUsd(usd)}, of which the batch job is ${aboutUsd(PRICES.batchJob).replace('about ', '')} (${priceNote})`,
  ]
  return { plan, usd }
}

/** Compares AWS with what is believed of it, and removes what it made for that. @returns the comparisons and the file that has them */
export async function runTry(context: Context, stack: Stack, options: TryOptions) {
  const { plan, usd } = planOfTry(options.withEndpoint)
  await context.approve({ action: 'try what is believed of AWS', plan, kind: 'spend', usd })
  const place = await placeIn(stack, options)
  const purpose = { ...runHostOf(options.settings), step: 'setup --check --try', place: 'try' }
  // With the signal a stop would keep it from taking the lock away.
  const lock = await storeOf(place.workspace, { ...options.settings, signal: undefined })
  return withLock(lock, purpose, () => locked(context, place, options))
}

async function placeIn(stack: Stack, { settings, region }: TryOptions): Promise<TryPlace> {
  const [{ stsClient }, { callerIdentity }, { shortHash }] = await Promise.all([
    import('../../lib/aws/clients.ts'),
    import('../../lib/aws/identity.ts'),
    import('../../lib/aws/sagemaker/names.ts'),
  ])
  const outputs = outputsOf(stack)
  const { account } = await callerIdentity(await stsClient(settings, region))
  const store = await storeOf(outputs.workspace, settings)
  return { ...outputs, aws: settings, region, account, store, hash: shortHash(outputs.workspace) }
}

function outputsOf({ name, outputs }: Stack): Outputs {
  const output = (key: string): string => {
    const value = outputs[key]
    if (value !== undefined) return value
    throw new UserError(`stack ${name} has no output ${key}`, { hint: 'update it: npx zx scripts/setup.mjs' })
  }
  return {
    workspace: output('Workspace'),
    bucket: output('StagingBucket'),
    batchRole: output('BatchRoleArn'),
    sagemakerRole: output('SageMakerRoleArn'),
    workgroup: output('Workgroup'),
    database: output('Database'),
  }
}

async function locked(context: Context, place: TryPlace, options: TryOptions) {
  const { signal, sleep, now, talk } = context
  const { removeTry, leftSince, writeNote } = await import('./remove.ts')
  const left = await leftSince(place)
  if (left !== undefined) {
    talk.info('removing what an interrupted try has left')
    await removeTry(place, left, talk.warn)
  }
  const progress = context.progress('try')
  const comparisons = new Comparisons(signal)
  const nonce = randomBytes(4).toString('hex')
  const say = (text: string) => progress.state(text)
  const step: TryStep = { ...place, comparisons, nonce, poll: options.poll, signal, sleep, say }
  const began = now()
  await writeNote(place, began)
  let stop: unknown
  try {
    await takeParts(step, options, talk.warn)
  } catch (error) {
    stop = error
  }
  say('removing what was made')
  if (stop !== undefined) {
    // What stopped it says more than what may be left.
    await removeTry(place, began, talk.warn).catch((error: unknown) => talk.warn(messageOf(error)))
    throw stop
  }
  const all = comparisons.all(tried(options.withEndpoint)).map((one) => ({ ...one, seen: masked(one.seen, place) }))
  const file = await writePage(all, { region: options.region, time: now() })
  await removeTry(place, began, talk.warn)
  progress.end(`${all.length} beliefs`)
  return { comparisons: all, file }
}

/** A part that comes to nothing does not end the others. */
async function takeParts(step: TryStep, { withEndpoint }: TryOptions, warn: (text: string) => void): Promise<void> {
  const parts = [
    async () => (await import('./s3.ts')).tryS3(step),
    async () => (await import('./batch.ts')).tryBatch(step),
    async () => (await import('./athena.ts')).tryAthena(step),
    async () => (await import('./sagemaker.ts')).trySagemaker(step),
    async () => withEndpoint && (await import('./sagemaker-endpoint.ts')).tryEndpoint(step),
  ]
  for (const part of parts) {
    step.signal.throwIfAborted()
    await part().catch((error: unknown) => {
      step.signal.throwIfAborted()
      warn(messageOf(error))
    })
  }
}

async function writePage(comparisons: readonly Comparison[], about: { region: string; time: Date }): Promise<string> {
  const manifest = await readFile(new URL('../../../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(manifest) as { version: string }
  const path = resolve(FILE)
  await writeFile(path, comparisonsPage(comparisons, { ...about, version }))
  return path
}
