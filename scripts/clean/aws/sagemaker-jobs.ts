import * as sm from '@aws-sdk/client-sagemaker'
import { detailsOf } from '../../lib/aws/errors.ts'
import { answered, ifThere, watched } from '../../lib/aws/sagemaker/jobs.ts'
import type { Leftover } from './leftovers.ts'
import { about, type Found, ownOf, pages, QUERY, type World } from './sagemaker-owned.ts'

type Status = 'InProgress' | 'Stopping'

/** One kind of job. */
interface Kind {
  /** As it stands in the names of operations. */
  readonly word: 'Training' | 'Transform'
  list(asked: typeof QUERY & { StatusEquals: Status; NextToken?: string }): Promise<Page>
  stop(name: string): Promise<unknown>
  /** Undefined when there is none of this name. */
  status(name: string): Promise<string | undefined>
}

interface Page {
  readonly NextToken?: string | undefined
  readonly found: Found[]
}

const trainingJobs = ({ client }: World): Kind => ({
  word: 'Training',
  list: async (asked) => {
    const { TrainingJobSummaries: jobs = [], NextToken } = await client.send(new sm.ListTrainingJobsCommand(asked))
    return { NextToken, found: jobs.map((job) => named(job.TrainingJobName, job.TrainingJobArn)) }
  },
  stop: (TrainingJobName) => client.send(new sm.StopTrainingJobCommand({ TrainingJobName })),
  status: async (TrainingJobName) =>
    (await ifThere(client.send(new sm.DescribeTrainingJobCommand({ TrainingJobName }))))?.TrainingJobStatus,
})

const transformJobs = ({ client }: World): Kind => ({
  word: 'Transform',
  list: async (asked) => {
    const { TransformJobSummaries: jobs = [], NextToken } = await client.send(new sm.ListTransformJobsCommand(asked))
    return { NextToken, found: jobs.map((job) => named(job.TransformJobName, job.TransformJobArn)) }
  },
  stop: (TransformJobName) => client.send(new sm.StopTransformJobCommand({ TransformJobName })),
  status: async (TransformJobName) =>
    (await ifThere(client.send(new sm.DescribeTransformJobCommand({ TransformJobName }))))?.TransformJobStatus,
})

const named = (name = '', arn = ''): Found => ({ name, arn })

/** Training and transform jobs of the run that still run, or are about to stop. */
export async function sagemakerJobs(world: World): Promise<Leftover[]> {
  const found: Leftover[] = []
  for (const kind of [trainingJobs(world), transformJobs(world)])
    for (const StatusEquals of ['InProgress', 'Stopping'] as const) {
      const listed = await pages(
        world,
        `List${kind.word}Jobs`,
        (token) => kind.list({ ...QUERY, StatusEquals, ...token }),
        (page) => page.found,
      )
      for (const { name } of await ownOf(world, listed)) found.push(leftover(world, kind, name, StatusEquals))
    }
  return found
}

function leftover(world: World, { word, stop, status }: Kind, name: string, now: Status): Leftover {
  const what = `${word.toLowerCase()} job ${name}`
  return {
    what,
    files: 0,
    bytes: 0,
    note: now === 'InProgress' ? 'is running: it is stopped' : 'is stopping: its end is waited for',
    done: 'no longer runs',
    remove: async (signal) => {
      if (now === 'InProgress') await answered(stop(name).catch(unlessEnded), about(world, what, `Stop${word}Job`))
      // Until its end it is paid for, and writes.
      await watched(
        () => answered(status(name), about(world, what, `Describe${word}Job`)),
        (is) => is !== 'InProgress' && is !== 'Stopping',
        signal,
      )
    },
  }
}

/** It has ended by itself meanwhile. */
function unlessEnded(error: unknown): void {
  if (!/status|rejected/i.test(detailsOf(error).message)) throw error
}
