import type { CreateModelInput } from '@aws-sdk/client-sagemaker'
import { messageOf } from '../../../scripts/lib/cli/errors.ts'
import type { Model as IpInsights } from '../../../scripts/lib/insights/model.ts'
import { AwsError } from '../http.ts'
import type { Caller } from '../s3/state.ts'
import { load } from './container.ts'
import { exists, invalid, missing } from './errors.ts'
import { listOf } from './lists.ts'
import { reachInto } from './network.ts'
import { download, locationOf } from './s3.ts'
import type { Members, Shared } from './shared.ts'

interface Model {
  readonly name: string
  readonly arn: string
  readonly request: CreateModelInput
  readonly created: number
}

/** Why a model cannot be served: a FailureReason. */
export class LoadFailure extends Error {}

export class Models {
  readonly all = new Map<string, Model>()
  readonly #shared: Shared

  constructor(shared: Shared) {
    this.#shared = shared
  }

  create(request: CreateModelInput, caller: Caller) {
    const name = request.ModelName ?? ''
    const arn = this.#shared.arn('model', name)
    if (this.all.has(name)) throw exists('model', arn)
    this.#shared.passRole(caller, request.ExecutionRoleArn ?? '')
    this.#check(request)
    const failure = this.#shared.failure('model', 'Creating', name)
    if (failure) throw invalid(failure.reason)
    this.#shared.tags.create(arn, request.Tags)
    this.all.set(name, { name, arn, request, created: this.#shared.now() })
    return { ModelArn: arn }
  }

  #check({ PrimaryContainer, Containers, ExecutionRoleArn = '' }: CreateModelInput): void {
    if (Containers !== undefined) throw new AwsError('NotImplemented', 501, 'Containers is not in this sandbox')
    const { Image, ModelDataUrl } = PrimaryContainer ?? {}
    if (Image === undefined) throw invalid('PrimaryContainer with an Image is required.')
    this.#checkImage(Image)
    if (ModelDataUrl === undefined) throw invalid('ModelDataUrl is required by this image.')
    const { bucket, key } = locationOf(ModelDataUrl)
    const { s3 } = this.#shared
    const found = s3.buckets.get(bucket)
    if (found?.backend.get(key) === undefined) throw invalid(`Could not find model data at ${ModelDataUrl}.`)
    try {
      s3.authorize({ account: s3.account, arn: ExecutionRoleArn }, 's3:GetObject', `${bucket}/${key}`)
      if (found.region !== s3.region) throw new AwsError('PermanentRedirect', 301, '')
    } catch {
      throw invalid(
        `Could not access model data at ${ModelDataUrl}. Please ensure that the role "${ExecutionRoleArn}" exists and that its trust relationship policy allows the action "sts:AssumeRole" for the service principal "sagemaker.amazonaws.com". Also ensure that the role has "s3:GetObject" permissions and that the object is located in ${s3.region}.`,
      )
    }
  }

  #checkImage(asked: string): void {
    const { image, s3 } = this.#shared
    if (asked === image) return
    const [, region] = /\.dkr\.ecr\.([^.]+)\./.exec(asked) ?? []
    if (region !== s3.region)
      throw invalid(
        `Region of "${asked}" does not match expected region of ${s3.region}. Cross region ECR image pulls are not allowed.`,
      )
    throw invalid(`Requested image ${asked} not found.`)
  }

  /** @throws AwsError */
  find(name: unknown): Model {
    const model = this.all.get(String(name))
    if (model === undefined || this.#shared.isUnseen(model))
      throw missing('model', this.#shared.arn('model', String(name)))
    return model
  }

  describe({ ModelName }: Members) {
    const { name, arn, request, created } = this.find(ModelName)
    const { Tags: _, ...said } = request
    return { ...said, ModelName: name, ModelArn: arn, CreationTime: created }
  }

  delete({ ModelName }: Members): void {
    const { name, arn } = this.find(ModelName)
    this.#shared.tags.remove(arn)
    this.all.delete(name)
  }

  list(input: Members) {
    const { page, next } = listOf(this.all.values(), input)
    const Models = page.map(({ name, arn, created }) => ({ ModelName: name, ModelArn: arn, CreationTime: created }))
    return { Models, NextToken: next }
  }

  /** Starts the container of a model. @throws LoadFailure */
  async load(name: string): Promise<IpInsights> {
    const model = this.all.get(name)
    if (model === undefined) throw new LoadFailure(`Could not find model "${this.#shared.arn('model', name)}".`)
    const failure = this.#shared.failure('model', 'Loading', name)
    if (failure) throw new LoadFailure(failure.reason)
    const { PrimaryContainer, ExecutionRoleArn = '' } = model.request
    const { bucket, key } = locationOf(PrimaryContainer?.ModelDataUrl ?? '')
    const { s3 } = this.#shared
    const role = { account: s3.account, arn: ExecutionRoleArn }
    try {
      reachInto(this.#shared, ExecutionRoleArn, model.request.VpcConfig)
    } catch (error) {
      throw new LoadFailure(`Failed to create network interfaces: ${messageOf(error)}`)
    }
    const bytes = await download(s3, role, bucket, key).catch((error: unknown) => {
      throw new LoadFailure(`Failed to download model data from s3://${bucket}/${key}: ${messageOf(error)}`)
    })
    return load(bytes).catch((error: unknown) => {
      throw new LoadFailure(
        `The primary container for production variant AllTraffic did not pass the ping health check. Please check CloudWatch logs for this endpoint. (${messageOf(error)})`,
      )
    })
  }
}
