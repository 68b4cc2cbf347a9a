import type { Access } from '../access.ts'
import { AwsError, type Incoming } from '../http.ts'
import { accessDenied, type Caller, type S3State } from '../s3/state.ts'
import { childText, type Element, type Node, parseXml } from '../xml.ts'
import type { Control } from './control.ts'
import { checkPartition, countFailed, type Job, type JobStatus, jobSpec, TERMINAL } from './job.ts'

export interface ControlCall {
  readonly s3: S3State
  readonly control: Control
  readonly caller: Caller
  readonly request: Incoming
  /** From the path; empty where it names none. */
  readonly jobId: string
}

const SERVICE = 'batchoperations.s3.amazonaws.com'
/**
 * Which service CreateJob passes a role to, as far as IAM is told. Nobody has it written down: AWS's own policies have `s3.amazonaws.com`, and
 * aws-samples/sample-replicate-on-tag-for-amazon-s3 found that no such key is set. A policy must allow each.
 */
const PASSED: readonly Access['context'][] = [
  {},
  { 'iam:PassedToService': 's3.amazonaws.com' },
  { 'iam:PassedToService': SERVICE },
]
/** Values of the key are in no document; it may be absent. */
const REQUESTED: readonly Access['context'][] = [{}, { 's3:RequestJobOperation': 'S3PutObjectCopy' }]

export type Result = Record<string, Node>

const toNode = (element: Element): Node => {
  if (element.children.length === 0) return element.text
  const names = [...new Set(element.children.map(({ name }) => name))]
  return Object.fromEntries(names.map((name) => [name, element.children.filter((c) => c.name === name).map(toNode)]))
}

export async function createJob({ s3, control, caller, request }: ControlCall): Promise<Result> {
  const root = parseXml((await request.bytes()).toString())
  const token = childText(root, 'ClientRequestToken') ?? ''
  const known = control.jobs().find((job) => job.token === token && job.account === caller.account)
  if (known && control.settings.repeated === 'same' && JSON.stringify(known.request) === JSON.stringify(root))
    return { JobId: known.id }
  if (known) throw new AwsError('IdempotencyException', 400, 'The request token was used with other parameters before')
  const spec = jobSpec(root)
  checkPartition(root, request.scope?.region)
  for (const context of PASSED) s3.authorize(caller, 'iam:PassRole', spec.role, { context })
  if (!spec.role.includes(`::${caller.account}:`))
    throw new AwsError('AccessDenied', 403, 'Cross-account pass role is not allowed.')
  const target = s3.buckets.get(spec.copy.bucket)
  if (target && target.region !== request.scope?.region)
    throw new AwsError('InvalidRequest', 400, `The job must be created in the Region of bucket ${target.name}`)
  const job = control.add({
    token,
    request: root,
    spec,
    account: caller.account,
    created: s3.now(),
    priority: Number(childText(root, 'Priority')),
    reason: undefined,
    confirmed: false,
    tasks: undefined,
    activeSince: undefined,
    ended: undefined,
    suspended: undefined,
  })
  takeRole(s3, job)
  return { JobId: job.id }
}

/**
 * What the trust policy of a role is asked when the service takes it for a job. The user guide's own has no condition; which keys there are, and
 * what form the ARN has, is nowhere documented.
 */
function takeRole(s3: S3State, { account, spec }: Job): void {
  const own = { 'aws:SourceAccount': account }
  const asked = [{}, own, { ...own, 'aws:SourceArn': `arn:aws:s3:::${spec.copy.bucket}` }]
  for (const context of asked) s3.authorize({ account, arn: SERVICE }, 'sts:AssumeRole', spec.role, { context })
}

/**
 * Whether somebody may do this. Creating and listing have no resource: "Actions, resources, and condition keys for Amazon S3", Service
 * Authorization Reference. @throws AwsError
 */
export function allowJobs({ s3, caller, jobId }: ControlCall, operation: string): void {
  const arn = jobId === '' ? '*' : s3.arn('s3', `job/${jobId}`)
  for (const context of operation === 'CreateJob' ? REQUESTED : [{}])
    s3.authorize(caller, `s3:${operation}`, jobId === '' ? 'job/*' : jobId, { arn, context })
}

function jobOf({ control, caller, jobId }: ControlCall): Job {
  const job = control.find(jobId)
  if (job) control.runner.expire(job)
  if (job && job.account === caller.account) return job
  throw unknown(control, jobId)
}

const unknown = ({ settings }: ControlCall['control'], jobId: string): AwsError =>
  new AwsError(settings.unknown, 404, `The job ${jobId} does not exist`)

function progress({ s3, control }: ControlCall, job: Job): Node {
  const tasks = control.settings.tellsTasks || job.status !== 'Suspended' ? job.tasks : undefined
  const failed = countFailed(job)
  const seconds = job.activeSince ? ((job.ended ?? s3.now()).getTime() - job.activeSince.getTime()) / 1000 : 0
  return {
    TotalNumberOfTasks: tasks?.length ?? 0,
    NumberOfTasksSucceeded: job.results.length - failed,
    NumberOfTasksFailed: failed,
    Timers: { ElapsedTimeInActiveSeconds: Math.floor(seconds) },
  }
}

const polls = new WeakMap<Job, number>()
const stale = new WeakMap<Job, { readonly status: JobStatus; left: number }>()

function statusTold(job: Job): JobStatus {
  const before = stale.get(job)
  if (before === undefined || before.left === 0) return job.status
  before.left -= 1
  return before.status
}

export async function describeJob(call: ControlCall): Promise<Result> {
  const { control, request } = call
  const job = jobOf(call)
  const poll = (polls.get(job) ?? 0) + 1
  polls.set(job, poll)
  if (poll <= control.settings.invisibleFor) throw unknown(control, job.id)
  if (control.settings.pace === 'poll') await control.runner.step(job)
  const asked = Object.fromEntries(job.request.children.map((child) => [child.name, toNode(child)]))
  const { Manifest, Operation, Report, RoleArn, ConfirmationRequired, Description } = asked
  const Job: Record<string, Node> = {
    JobId: job.id,
    ConfirmationRequired,
    Description,
    JobArn: `arn:aws:s3:${request.scope?.region}:${job.account}:job/${job.id}`,
    Status: statusTold(job),
    Manifest,
    Operation,
    Priority: job.priority,
    ProgressSummary: progress(call, job),
    StatusUpdateReason: job.reason,
    FailureReasons:
      job.failures.length === 0
        ? undefined
        : { member: job.failures.map(({ code, reason }) => ({ FailureCode: code, FailureReason: reason })) },
    Report,
    CreationTime: job.created,
    TerminationDate: job.ended,
    RoleArn,
    SuspendedDate: job.suspended,
    SuspendedCause: job.status === 'Suspended' ? 'AWAITING_CONFIRMATION' : undefined,
  }
  return { Job }
}

export function listJobs(call: ControlCall): Result {
  const { control, caller, request } = call
  const { query } = request
  const statuses = query.get('jobStatuses')?.split(',')
  const most = Math.min(Number(query.get('maxResults') ?? 1000), 1000)
  const start = Number(query.get('nextToken') ?? 0)
  if (!Number.isInteger(start)) throw new AwsError('InvalidNextTokenException', 400, 'The token is not valid')
  for (const job of control.jobs()) control.runner.expire(job)
  const jobs = [...control.jobs()]
    .reverse()
    .filter((job) => job.account === caller.account && (statuses?.includes(job.status) ?? true))
  const page = jobs.slice(start, start + most)
  return {
    NextToken: start + page.length < jobs.length ? String(start + page.length) : undefined,
    Jobs: {
      member: page.map((job) => ({
        JobId: job.id,
        Description: job.spec.description,
        Operation: 'S3PutObjectCopy',
        Priority: job.priority,
        Status: job.status,
        CreationTime: job.created,
        TerminationDate: job.ended,
        ProgressSummary: progress(call, job),
      })),
    },
  }
}

const CANCELLABLE: readonly JobStatus[] = ['New', 'Preparing', 'Suspended', 'Ready', 'Active', 'Pausing', 'Paused']

export function updateJobStatus(call: ControlCall): Result {
  const { control, request } = call
  const job = jobOf(call)
  const wanted = request.query.get('requestedJobStatus')
  const allowed = wanted === 'Ready' ? job.status === 'Suspended' : CANCELLABLE.includes(job.status)
  if (!allowed) throw new AwsError('JobStatusException', 400, `A job in status ${job.status} cannot go to ${wanted}`)
  stale.set(job, { status: job.status, left: control.settings.staleFor })
  job.reason = request.query.get('statusUpdateReason')
  job.status = wanted === 'Ready' ? 'Ready' : 'Cancelling'
  job.confirmed ||= wanted === 'Ready'
  control.runner.start(job)
  return { JobId: job.id, Status: job.status, StatusUpdateReason: job.reason }
}

export function updateJobPriority(call: ControlCall): Result {
  const job = jobOf(call)
  if (TERMINAL.includes(job.status))
    throw new AwsError('BadRequestException', 400, `A job in status ${job.status} has no priority`)
  job.priority = Number(call.request.query.get('priority'))
  return { JobId: job.id, Priority: job.priority }
}

/** @throws AwsError unless the account in the request, and in the host where it is there, is the caller's */
export function checkAccount({ caller, request }: ControlCall): void {
  const account = request.headers['x-amz-account-id']
  const [, label = account] = /^(\d{12})\./.exec(request.host) ?? []
  if (account !== label) throw new AwsError('InvalidRequest', 400, 'Account of host and header differ')
  if (account !== caller.account) throw accessDenied()
}
