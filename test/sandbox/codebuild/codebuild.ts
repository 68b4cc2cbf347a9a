import { AwsError } from '../http.ts'
import type { Caller, S3State } from '../s3/state.ts'
import type { Alarm } from './alarms.ts'

/** A project as its template made it. */
export interface Project {
  readonly name: string
  readonly role: string
  /** `bucket/key` of the archive. */
  readonly source: string
  readonly buildspec: string
  readonly environment: Readonly<Record<string, string>>
  readonly logGroup: string
  readonly mostBuilds: number | undefined
}

export interface Build {
  readonly id: string
  readonly project: string
  readonly number: number
  readonly started: Date
  ended: Date | undefined
  /** SUCCEEDED, FAILED, FAULT, TIMED_OUT, IN_PROGRESS or STOPPED. */
  status: string
  /** What the commands printed. */
  output: string
}

/** A schedule, with the project that it starts in the name of its role. */
export interface Schedule {
  readonly expression: string
  readonly target: string
  readonly role: string
}

/** A rule of EventBridge with its one target, a topic. */
export interface Rule {
  readonly arn: string
  readonly pattern: unknown
  readonly topic: string
  readonly paths: Readonly<Record<string, string>>
  readonly template: string
}

export interface Message {
  readonly topic: string
  readonly subject: string | undefined
  readonly message: string
}

/** CodeBuild of a sandbox, and what stands around it in a stack: schedules, rules and topics. */
export class CodeBuild {
  readonly projects = new Map<string, Project>()
  readonly schedules = new Map<string, Schedule>()
  readonly rules = new Map<string, Rule>()
  /** Addresses that are subscribed to a topic, which SNS asks first. */
  readonly subscriptions = new Map<string, { topic: string; endpoint: string }>()
  readonly alarms = new Map<string, Alarm>()
  readonly builds: Build[] = []
  /** All that was sent to topics. */
  readonly messages: Message[] = []
  readonly s3: S3State

  constructor(s3: S3State) {
    this.s3 = s3
  }

  arn = (project: string): string => this.s3.arn('codebuild', `project/${project}`)
  buildArn = (build: string): string => this.s3.arn('codebuild', `build/${build}`)

  /** @throws AwsError when there is no such project, or so many of its builds run that CodeBuild starts no other */
  add(project: string): Build {
    const found = this.projects.get(project)
    if (found === undefined)
      throw new AwsError('ResourceNotFoundException', 400, `Project cannot be found: ${this.arn(project)}`)
    const running = this.builds.filter((build) => build.project === project && build.status === 'IN_PROGRESS')
    if (running.length >= (found.mostBuilds ?? Number.POSITIVE_INFINITY))
      throw new AwsError(
        'AccountLimitExceededException',
        400,
        'Cannot have more than 1 builds in queue for the project',
      )
    const number = this.builds.filter((build) => build.project === project).length + 1
    const id = `${project}:00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
    const build: Build = {
      id,
      project,
      number,
      started: this.s3.now(),
      ended: undefined,
      status: 'IN_PROGRESS',
      output: '',
    }
    this.builds.push(build)
    return build
  }

  /** Ends a build, and tells those whom a rule of EventBridge tells. */
  end(build: Build, status: string): void {
    build.status = status
    build.ended = this.s3.now()
    const event = eventOf(this, build)
    for (const rule of this.rules.values()) if (matches(rule.pattern, event)) this.#tell(rule, event)
  }

  #tell({ arn, topic, paths, template }: Rule, event: unknown): void {
    const { account } = this.s3
    this.publish({ account, arn: 'events.amazonaws.com' }, topic, transformed(template, paths, event), {
      context: { 'aws:SourceArn': arn },
    })
  }

  /** @throws AwsError when the caller may not */
  publish(
    caller: Caller,
    topic: string,
    message: string,
    { subject, context = {} }: { subject?: string; context?: Readonly<Record<string, string>> } = {},
  ): void {
    this.s3.authorize(caller, 'sns:Publish', topic, { context })
    this.messages.push({ topic, subject, message })
  }
}

/** "Build notifications input format reference", CodeBuild user guide. */
const eventOf = (codebuild: CodeBuild, { id, project, status, started }: Build) => ({
  source: 'aws.codebuild',
  'detail-type': 'CodeBuild Build State Change',
  detail: {
    'build-status': status,
    'project-name': project,
    'build-id': codebuild.buildArn(id),
    'additional-information': {
      'build-start-time': started.toUTCString(),
      logs: { 'deep-link': `https://console.aws.amazon.com/cloudwatch/home#logEvent:${id}` },
    },
  },
})

/** "Event patterns", EventBridge user guide: as far as texts and anything-but. */
function matches(pattern: unknown, value: unknown): boolean {
  if (Array.isArray(pattern))
    return pattern.some((one: unknown) =>
      typeof one === 'object' && one !== null && 'anything-but' in one
        ? ![one['anything-but']].flat().includes(value)
        : one === value,
    )
  const members = Object.entries(pattern as Readonly<Record<string, unknown>>)
  return members.every(([name, part]) =>
    matches(part, (value as Readonly<Record<string, unknown>> | undefined)?.[name]),
  )
}

/** "Input transformation", EventBridge user guide: a text in quotes. @throws Error for a path that the event has not */
function transformed(template: string, paths: Rule['paths'], event: unknown): string {
  return template.replace(/^"|"$/g, '').replace(/<([\w.-]+)>/g, (_, name: string) => {
    const keys = (paths[name] ?? '').replace(/^\$\./, '').split('.')
    const found = keys.reduce((at, key) => (at as Record<string, unknown> | undefined)?.[key], event)
    if (typeof found !== 'string') throw new Error(`nothing at ${paths[name]}`)
    return found
  })
}
