import * as client from '@aws-sdk/client-codebuild'
import * as sns from '@aws-sdk/client-sns'
import { AwsError, type Incoming, type Service } from '../http.ts'
import { allow, jsonService } from '../json-service.ts'
import { queryService } from '../query-service.ts'
import type { Caller } from '../s3/state.ts'
import type { Build, CodeBuild } from './codebuild.ts'

/** Builds of a project on a page. */
const PAGE = 100

const seconds = (time: Date): number => time.getTime() / 1000

/** CodeBuild: the two operations that tell of builds, newest first. */
export function codebuildService(codebuild: CodeBuild, identify: (request: Incoming) => Caller): Service {
  const authorize = (request: Incoming, action: string, project: string) =>
    allow(codebuild.s3, identify(request), `codebuild:${action}`, codebuild.arn(project))
  const answerOf = (build: Build) => ({
    id: build.id,
    arn: codebuild.buildArn(build.id),
    buildNumber: build.number,
    projectName: build.project,
    startTime: seconds(build.started),
    ...(build.ended !== undefined && { endTime: seconds(build.ended) }),
    buildStatus: build.status,
    buildComplete: build.status !== 'IN_PROGRESS',
    currentPhase: build.status === 'IN_PROGRESS' ? 'BUILD' : 'COMPLETED',
    logs: { deepLink: `https://console.aws.amazon.com/cloudwatch/home#logEvent:${build.id}` },
  })
  return jsonService({
    name: 'codebuild',
    target: 'CodeBuild_20161006',
    client,
    identify,
    resource: ({ projectName, ids }) => String(projectName ?? ids),
    operations: {
      ListBuildsForProject: ({ projectName, sortOrder, nextToken }, request) => {
        const name = String(projectName)
        authorize(request, 'ListBuildsForProject', name)
        if (!codebuild.projects.has(name))
          throw new AwsError('ResourceNotFoundException', 400, `The build project ${codebuild.arn(name)} is not found`)
        const ids = codebuild.builds.filter(({ project }) => project === name).map(({ id }) => id)
        // "ListBuildsForProject", API reference: a sequence can be asked for only while one page has all.
        if (sortOrder !== undefined && ids.length > PAGE)
          throw new AwsError('InvalidInputException', 400, 'Sort order is not supported for more than 100 builds')
        if (sortOrder !== 'ASCENDING') ids.reverse()
        const at = Number(nextToken ?? 0)
        return { ids: ids.slice(at, at + PAGE), ...(at + PAGE < ids.length && { nextToken: String(at + PAGE) }) }
      },
      BatchGetBuilds: ({ ids }, request) => {
        const asked = ids as readonly string[]
        if (asked.length === 0 || asked.length > PAGE)
          throw new AwsError('InvalidInputException', 400, 'Invalid length for parameter ids')
        for (const id of asked) authorize(request, 'BatchGetBuilds', id.split(':')[0] ?? '')
        const found = codebuild.builds.filter(({ id }) => asked.includes(id))
        const missing = asked.filter((id) => !found.some((build) => build.id === id))
        return { builds: found.map(answerOf), buildsNotFound: missing }
      },
    },
  })
}

interface Publish {
  readonly TopicArn?: string
  readonly Subject?: string
  readonly Message: string
}

/** SNS: only Publish, to a topic. "Publish", API reference, says what a subject may be. */
export const snsService = (codebuild: CodeBuild, identify: (request: Incoming) => Caller): Service =>
  queryService({
    name: 'sns',
    version: '2010-03-31',
    namespace: 'http://sns.amazonaws.com/doc/2010-03-31/',
    client: sns,
    identify,
    resource: ({ TopicArn }) => String(TopicArn ?? ''),
    operations: {
      Publish: ({ TopicArn = '', Subject, Message }: Publish, caller: Caller) => {
        const refuse = (name: string) => new AwsError('InvalidParameter', 400, `Invalid parameter: ${name}`)
        if (Subject !== undefined && !/^[!-~][ -~]{0,98}$/.test(Subject)) throw refuse('Subject')
        if (Message === '' || Buffer.byteLength(Message) > 262_144) throw refuse('Message')
        codebuild.publish(caller, TopicArn, Message, Subject === undefined ? {} : { subject: Subject })
        return { MessageId: '00000000-0000-4000-8000-000000000000' }
      },
    },
  })
