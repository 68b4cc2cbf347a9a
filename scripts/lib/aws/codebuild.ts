import { BatchGetBuildsCommand, type CodeBuildClient, ListBuildsForProjectCommand } from '@aws-sdk/client-codebuild'
import { explaining } from './errors.ts'

/** A build, as far as it tells how it went. */
export interface Build {
  readonly id: string
  readonly started: Date | undefined
  readonly ended: Date | undefined
  /** SUCCEEDED, FAILED, FAULT, TIMED_OUT, IN_PROGRESS, STOPPED, or what CodeBuild may say besides. */
  readonly status: string
  /** Its log in the console. */
  readonly log: string | undefined
}

/** The last builds of a project, newest first. @throws UserError when it cannot be asked about */
export async function lastBuilds(client: CodeBuildClient, project: string, most: number): Promise<Build[]> {
  const asked = (action: string) => ({
    what: `CodeBuild project ${project}`,
    action: `codebuild:${action}`,
    resource: `arn:aws:codebuild:*:*:project/${project}`,
  })
  // Newest first unless it is asked otherwise; asked for a sequence, CodeBuild refuses a project with more than 100 builds.
  const { ids = [] } = await explaining(
    client.send(new ListBuildsForProjectCommand({ projectName: project })),
    asked('ListBuildsForProject'),
  )
  // CodeBuild refuses a question about no build.
  if (ids.length === 0) return []
  const { builds = [] } = await explaining(
    client.send(new BatchGetBuildsCommand({ ids: ids.slice(0, most) })),
    asked('BatchGetBuilds'),
  )
  const found = builds.map(({ id = '', startTime, endTime, buildStatus = '', logs }) => ({
    id,
    started: startTime,
    ended: endTime,
    status: buildStatus,
    log: logs?.deepLink,
  }))
  // It need not keep the sequence of the question.
  return found.toSorted((a, b) => ids.indexOf(a.id) - ids.indexOf(b.id))
}
