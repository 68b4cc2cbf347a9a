import type { Asked } from '../access.ts'
import { AwsError } from '../http.ts'
import { allow } from '../json-service.ts'
import type { Caller, S3State } from '../s3/state.ts'
import { invalid, limitExceeded } from './errors.ts'
import images from './images.json' with { type: 'json' }
import type { Mover } from './mover.ts'
import { failureOf, type Kind, type SageMakerSettings } from './settings.ts'
import type { Tags } from './tags.ts'

const SERVICE = 'sagemaker.amazonaws.com'

/** What a new account has, where that is less than anybody needs to think of. */
const NEW_ACCOUNT: Readonly<Record<string, number>> = {
  'Maximum total concurrency that can be allocated across all serverless endpoints': 10,
  'Memory size in MB per serverless endpoint': 3072,
}

/** Members of a request or an answer. */
export type Members = Readonly<Record<string, unknown>>

export const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

/** What all parts of this SageMaker share. */
export class Shared {
  readonly s3: S3State
  readonly settings: SageMakerSettings
  readonly mover: Mover
  readonly tags: Tags
  /** Endpoints whose variant is a scalable target, by name. */
  readonly scaled = new Set<string>()
  readonly #looks = new WeakMap<object, number>()

  constructor(parts: { s3: S3State; settings: SageMakerSettings; mover: Mover; tags: Tags }) {
    this.s3 = parts.s3
    this.settings = parts.settings
    this.mover = parts.mover
    this.tags = parts.tags
  }

  /** As AWS's JSON has times: seconds. */
  now(): number {
    return this.s3.now().getTime() / 1000
  }

  /** ARNs have names in lower case. @param kind such as `training-job` */
  arn(kind: string, name: string): string {
    const { region, account } = this.s3
    const partition = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
    return `arn:${partition}:sagemaker:${region}:${account}:${kind}/${name.toLowerCase()}`
  }

  /** The IP Insights image of this region; undefined where there is none. */
  get image(): string | undefined {
    return (images.uris as Record<string, string>)[this.s3.region]
  }

  /** Whether something is too new to be found; every look counts down. */
  isUnseen(thing: object): boolean {
    const looks = this.#looks.get(thing) ?? 0
    this.#looks.set(thing, looks + 1)
    return looks < this.settings.unseenFor
  }

  failure(kind: Kind, stage: string, name: string) {
    return failureOf(this.settings, { kind, stage, name })
  }

  /** @throws AwsError for a request to another region: this SageMaker exists in one only */
  checkRegion(region: string | undefined): void {
    if (region === this.s3.region) return
    throw new AwsError('NotImplemented', 501, `this sandbox has SageMaker in ${this.s3.region} only, not in ${region}`)
  }

  /** @throws AwsError unless the caller may do this */
  authorize(caller: Caller, action: string, resource: string, asked: Asked = {}): void {
    allow(this.s3, caller, action, resource, asked)
  }

  /** @throws AwsError unless the caller may give this role to SageMaker */
  passRole(caller: Caller, roleArn: string): void {
    const account = /^arn:[^:]+:iam::(\d{12}):role\/./.exec(roleArn)?.[1]
    if (account === undefined) throw invalid(`Could not assume role ${roleArn}: it is not the ARN of a role`)
    if (account !== this.s3.account)
      throw new AwsError('AccessDeniedException', 400, 'Cross-account pass role is not allowed.')
    this.authorize(caller, 'iam:PassRole', roleArn, { context: { 'iam:PassedToService': SERVICE } })
    const taking = { context: { 'aws:SourceAccount': account } }
    this.authorize({ account, arn: SERVICE }, 'sts:AssumeRole', roleArn, taking)
  }

  /** @throws AwsError when so much more is over a quota */
  quota(name: string, used: number, more: number, unit = 'Instances'): void {
    const limit = this.settings.quota[name] ?? NEW_ACCOUNT[name] ?? Number.POSITIVE_INFINITY
    if (used + more <= limit) return
    throw limitExceeded(
      `The account-level service limit '${name}' is ${limit} ${unit}, with current utilization of ${used} ${unit} and a request delta of ${more} ${unit}. Please use AWS Service Quotas to request an increase for this quota. If AWS Service Quotas is not available, contact AWS support to request an increase for this quota.`,
    )
  }
}
