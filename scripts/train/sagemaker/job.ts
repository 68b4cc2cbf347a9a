import {
  CreateTrainingJobCommand,
  DescribeTrainingJobCommand,
  type DescribeTrainingJobCommandOutput,
  type SageMakerClient,
} from '@aws-sdk/client-sagemaker'
import { answered, ifThere, inSight, isTaken, watched } from '../../lib/aws/sagemaker/jobs.ts'
import type { Checkpoint, Saved } from '../../lib/runs/checkpoints.ts'
import { failureOf, whyOf } from './failure.ts'
import { jobName, type Order, requestOf } from './spec.ts'

type Job = DescribeTrainingJobCommandOutput

export interface TrainingWorld {
  readonly client: SageMakerClient
  /** Asked for only when a job is to be created. */
  role(): string
  readonly checkpoint: Checkpoint<Saved<'train'>>
  /** A job that is done is done again. */
  readonly overwrite: boolean
  readonly signal: AbortSignal
  onState(text: string): void
  /** Called with its name when a stop leaves a job behind that goes on and costs money. */
  onLeft(name: string): void
}

/**
 * The training job of an order: the one that exists, or a new one, at its end. A job under way is waited for, one that is done is
 * taken; after one that failed another is created only where it may do better.
 * @throws UserError that explains the failure
 */
export async function trainingJob(world: TrainingWorld, order: Order): Promise<Job> {
  const { signal } = world
  const name = await named(world, order)
  try {
    const job = await watched(
      async () => {
        const job = await inSight(() => look(world, name), signal)
        if (job === undefined) throw new Error(`training job ${name} is gone`)
        world.onState(stateOf(name, job))
        return job
      },
      ({ TrainingJobStatus }) => TrainingJobStatus !== 'InProgress' && TrainingJobStatus !== 'Stopping',
      signal,
    )
    if (job.TrainingJobStatus !== 'Completed') throw failureOf(job, false)
    return job
  } catch (error) {
    if (signal.aborted) world.onLeft(name)
    throw error
  }
}

/** The name of a job that exists by now. */
async function named(world: TrainingWorld, order: Order): Promise<string> {
  const { saved } = world.checkpoint
  let found: Job | undefined
  let attempt = 0
  // What was noted before it was created may be missing; what is in the way of it was there before.
  const noted = saved.jobOf === jobName(order, 1) ? (saved.attempt ?? 1) : 1
  for (attempt = noted; ; attempt++) {
    const job = await look(world, jobName(order, attempt))
    if (job === undefined) break
    found = job
  }
  const last = jobName(order, attempt - 1)
  if (found !== undefined && !isToBeRepeated(found, world)) {
    await world.checkpoint.save({ jobOf: jobName(order, 1), attempt: attempt - 1, job: last })
    return last
  }
  const name = jobName(order, attempt)
  await world.checkpoint.save({ jobOf: jobName(order, 1), attempt, job: name })
  world.signal.throwIfAborted()
  await create(world, order, name)
  return name
}

/** Whether there is a job of this order, after which no other one would be created. @param noted by an earlier attempt */
export async function isOrdered(client: SageMakerClient, order: Order, noted: Saved<'train'>): Promise<boolean> {
  const { job: name } = noted
  if (noted.jobOf !== jobName(order, 1) || name === undefined) return false
  const describe = client.send(new DescribeTrainingJobCommand({ TrainingJobName: name }))
  const job = await answered(ifThere(describe), asked(name, 'DescribeTrainingJob'))
  if (job === undefined) return false
  return !['Failed', 'Stopped'].includes(job.TrainingJobStatus ?? '') || !whyOf(job).passes
}

/** @throws UserError for a failure that would come again */
function isToBeRepeated(job: Job, { overwrite }: TrainingWorld): boolean {
  if (job.TrainingJobStatus === 'InProgress' || job.TrainingJobStatus === 'Stopping') return false
  if (overwrite) return true
  if (job.TrainingJobStatus === 'Completed') return false
  if (whyOf(job).passes) return true
  throw failureOf(job, true)
}

const look = (world: TrainingWorld, TrainingJobName: string): Promise<Job | undefined> =>
  answered(
    ifThere(world.client.send(new DescribeTrainingJobCommand({ TrainingJobName }), { abortSignal: world.signal })),
    asked(TrainingJobName, 'DescribeTrainingJob'),
  )

/** A stop does not break it off: what was sent may have been heard. */
async function create({ client, role, onState }: TrainingWorld, order: Order, name: string): Promise<void> {
  try {
    await client.send(new CreateTrainingJobCommand(requestOf(order, name, role())))
    onState(`${name} created`)
  } catch (error) {
    // The first try was heard, its answer was lost.
    if (isTaken(error)) return
    await answered(Promise.reject(error), asked(name, 'CreateTrainingJob'))
  }
}

const asked = (name: string, action: string) => ({
  what: `training job ${name}`,
  action: `sagemaker:${action}`,
  resource: `arn:aws:sagemaker:*:*:training-job/${name}`,
})

/** `Training: Training image download completed …` */
function stateOf(name: string, { SecondaryStatus, SecondaryStatusTransitions = [] }: Job): string {
  const { StatusMessage = '' } = SecondaryStatusTransitions.at(-1) ?? {}
  return `${name} ${SecondaryStatus}${StatusMessage === '' ? '' : `: ${StatusMessage}`}`
}
