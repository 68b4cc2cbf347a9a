import * as sm from '@aws-sdk/client-sagemaker'
import { detailsOf } from '../aws/errors.ts'
import { answered, ifThere, watched } from '../aws/sagemaker.ts'
import type { Leftover } from './leftovers.ts'
import { about, type Found, ownOf, pages, QUERY, type World } from './sagemaker-owned.ts'

/** One kind of job. */
interface Kind {
  readonly name: string
  readonly listAction: string
  list(
    status: 'InProgress' | 'Stopping',
    token: { NextToken?: string },
  ): Promise<{ NextToken?: string | undefined; found: Found[] }>
  readonly stopAction: string
  stop(name: string): Promise<unknown>
  readonly lookAction: string
  /** Undefined when there is none of this name. */
  status(name: string): Promise<string | undefined>
}

const trainingJobs = ({ client }: World): Kind => ({
  name: 'training job',
  listAction: 'ListTrainingJobs',
  list: async (StatusEquals, token) => {
    const asked = new sm.ListTrainingJobsCommand({ ...QUERY, StatusEquals, ...token })
    const { TrainingJobSummaries = [], NextToken } = await client.send(asked)
    const found = TrainingJobSummaries.map(({ TrainingJobName: name = '', TrainingJobArn: arn = '' }) => ({
      name,
      arn,
    }))
    return { NextToken, found }
  },
  stopAction: 'StopTrainingJob',
  stop: (TrainingJobName) => client.send(new sm.StopTrainingJobCommand({ TrainingJobName })),
  lookAction: 'DescribeTrainingJob',
  status: async (TrainingJobName) =>
    (await ifThere(client.send(new sm.DescribeTrainingJobCommand({ TrainingJobName }))))?.TrainingJobStatus,
})

const transformJobs = ({ client }: World): Kind => ({
  name: 'transform job',
  listAction: 'ListTransformJobs',
  list: async (StatusEquals, token) => {
    const asked = new sm.ListTransformJobsCommand({ ...QUERY, StatusEquals, ...token })
    const { TransformJobSummaries = [], NextToken } = await client.send(asked)
    const found = TransformJobSummaries.map(({ TransformJobName: name = '', TransformJobArn: arn = '' }) => ({
      name,
      arn,
    }))
    return { NextToken, found }
  },
  stopAction: 'StopTransformJob',
  stop: (TransformJobName) => client.send(new sm.StopTransformJobCommand({ TransformJobName })),
  lookAction: 'DescribeTransformJob',
  status: async (TransformJobName) =>
    (await ifThere(client.send(new sm.DescribeTransformJobCommand({ TransformJobName }))))?.TransformJobStatus,
})

/** Training and transform jobs of the run that still run, or are about to stop. */
export async function sagemakerJobs(world: World): Promise<Leftover[]> {
  const found: Leftover[] = []
  for (const kind of [trainingJobs(world), transformJobs(world)])
    for (const status of ['InProgress', 'Stopping'] as const) {
      const listed = await pages(
        world,
        kind.listAction,
        (token) => kind.list(status, token),
        (page) => page.found,
      )
      for (const { name } of await ownOf(world, listed)) found.push(leftover(world, kind, name, status))
    }
  return found
}

const leftover = (world: World, kind: Kind, name: string, status: 'InProgress' | 'Stopping'): Leftover => ({
  what: `${kind.name} ${name}`,
  files: 0,
  bytes: 0,
  note: status === 'InProgress' ? 'is running: it is stopped' : 'is stopping: its end is waited for',
  done: 'no longer runs',
  remove: async (signal) => {
    const what = `${kind.name} ${name}`
    if (status === 'InProgress') await answered(kind.stop(name).catch(unlessEnded), about(world, what, kind.stopAction))
    // Until its end it is paid for, and writes.
    await watched(
      () => answered(kind.status(name), about(world, what, kind.lookAction)),
      (now) => now !== 'InProgress' && now !== 'Stopping',
      signal,
    )
  },
})

/** It has ended by itself meanwhile. */
function unlessEnded(error: unknown): void {
  if (!/status|rejected/i.test(detailsOf(error).message)) throw error
}
