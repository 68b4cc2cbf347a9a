import type { CreateTrainingJobRequest, SecondaryStatus, TrainingJobStatus } from '@aws-sdk/client-sagemaker'
import { AwsError } from '../http.ts'
import { type Trained, train } from './container.ts'
import { ClientError } from './csv.ts'
import type { Moving } from './mover.ts'
import { reachInto } from './network.ts'
import { download, keysBelow, locationOf, upload } from './s3.ts'
import type { Shared } from './shared.ts'

/** The share that a spot job saves; any number will do. */
const SPOT_SAVES = 0.7

const WHAT_FAILED: Partial<Record<SecondaryStatus, string>> = {
  Starting: 'Failed to create network interfaces',
  Uploading: 'Failed to upload model artifacts',
}

/** A training job and its state. Times are seconds. */
export class TrainingJob implements Moving {
  readonly kind = 'training'
  readonly request: CreateTrainingJobRequest
  readonly arn: string
  readonly created: number
  readonly transitions: Transition[] = []
  status: TrainingJobStatus = 'InProgress'
  reason: string | undefined
  modified: number
  started: number | undefined
  ended: number | undefined
  auc: number | undefined
  readonly #shared: Shared
  readonly #stopping = new AbortController()
  #channels: Record<string, string[]> = {}
  #trained: Trained | undefined

  constructor(shared: Shared, request: CreateTrainingJobRequest, arn: string) {
    this.#shared = shared
    this.request = request
    this.arn = arn
    this.created = shared.now()
    this.modified = this.created
    this.#go('Starting')
  }

  get name(): string {
    return this.request.TrainingJobName ?? ''
  }

  get secondary(): SecondaryStatus {
    return this.transitions.at(-1)?.Status ?? 'Starting'
  }

  stage(): string | undefined {
    return this.status === 'InProgress' || this.status === 'Stopping' ? this.secondary : undefined
  }

  /** Where the model goes. */
  get output(): string {
    const path = (this.request.OutputDataConfig?.S3OutputPath ?? '').replace(/\/$/, '')
    return `${path}/${this.name}/output/model.tar.gz`
  }

  get seconds(): { training: number; billable: number } | undefined {
    if (this.started === undefined || this.ended === undefined) return undefined
    const training = Math.max(1, Math.ceil(this.ended - this.started))
    const { EnableManagedSpotTraining, ResourceConfig } = this.request
    const paid = EnableManagedSpotTraining ? Math.ceil(training * (1 - SPOT_SAVES)) : training
    return { training, billable: paid * (ResourceConfig?.InstanceCount ?? 1) }
  }

  stop(): void {
    this.status = 'Stopping'
    this.#go('Stopping')
    this.#stopping.abort()
  }

  async step(): Promise<void> {
    const failure = this.#shared.failure('training', this.secondary, this.name)
    if (failure?.into && failure.into !== 'UpdateRollbackFailed') return this.#end('Stopped', failure.into)
    if (failure) return this.#fail(failure.reason)
    try {
      await this.#work()
    } catch (error) {
      if (this.status === 'Stopping') return
      if (error instanceof ClientError) return this.#fail(`ClientError: ${error.message}`)
      if (!(error instanceof AwsError)) throw error
      const what = WHAT_FAILED[this.secondary] ?? 'Data download failed'
      this.#fail(`ClientError: ${what}: ${error.code} (${error.status}): ${error.message}`)
    }
  }

  async #work(): Promise<void> {
    switch (this.secondary) {
      case 'Starting':
        reachInto(this.#shared, this.request.RoleArn, this.request.VpcConfig)
        return this.#next('Downloading')
      case 'Downloading':
        this.started = this.#shared.now()
        await this.#download()
        return this.#next('Training')
      case 'Training':
        await this.#train()
        if (this.status === 'InProgress' && this.#overtime()) return this.#end('Stopped', 'MaxRuntimeExceeded')
        return this.#next('Uploading')
      case 'Uploading':
        await this.#upload()
        this.auc = this.#trained?.auc
        return this.#end('Completed', 'Completed')
      case 'Stopping':
        return this.#end('Stopped', 'Stopped')
    }
  }

  #role() {
    return { account: this.#shared.s3.account, arn: this.request.RoleArn ?? '' }
  }

  async #download(): Promise<void> {
    const { s3 } = this.#shared
    for (const { ChannelName = '', DataSource } of this.request.InputDataConfig ?? []) {
      const uri = DataSource?.S3DataSource?.S3Uri ?? ''
      const { bucket } = locationOf(uri)
      const bytes: Buffer[] = []
      for (const key of keysBelow(s3, this.#role(), uri)) bytes.push(await download(s3, this.#role(), bucket, key))
      this.#channels[ChannelName] = bytes.map(String)
    }
  }

  async #train(): Promise<void> {
    checkChannels(this.request)
    this.#trained = await train({
      hyperparameters: this.request.HyperParameters ?? {},
      channels: this.#channels,
      signal: AbortSignal.any([this.#stopping.signal, this.#shared.mover.closing]),
    })
    this.#channels = {}
  }

  #overtime(): boolean {
    const most = this.request.StoppingCondition?.MaxRuntimeInSeconds ?? 86_400
    return this.#shared.now() - (this.started ?? 0) > most
  }

  async #upload(): Promise<void> {
    if (this.#trained === undefined) throw new Error('nothing was trained')
    const { KmsKeyId } = this.request.OutputDataConfig ?? {}
    upload(this.#shared.s3, this.#role(), this.output, this.#trained.artifact, KmsKeyId)
  }

  /** Unless it was stopped meanwhile. */
  #next(status: SecondaryStatus): void {
    if (this.status === 'InProgress') this.#go(status)
  }

  #go(status: SecondaryStatus): void {
    this.modified = this.#shared.now()
    enter(this.transitions, status, this.modified)
  }

  #fail(reason: string): void {
    this.reason = reason.slice(0, 1024)
    this.#end('Failed', 'Failed')
  }

  #end(status: TrainingJobStatus, secondary: SecondaryStatus): void {
    this.#go(secondary)
    const last = this.transitions.at(-1)
    this.ended = this.#shared.now()
    if (last) last.EndTime = this.ended
    this.status = status
  }
}

/** From StatusMessage of real jobs. */
const MESSAGES: Partial<Record<SecondaryStatus, string>> = {
  Starting: 'Preparing the instances for training',
  Downloading: 'Downloading input data',
  Training: 'Training image download completed. Training in progress.',
  Uploading: 'Uploading generated training model',
  Completed: 'Training job completed',
  Failed: 'Training job failed',
  Stopping: 'Stopping the training job',
  Stopped: 'Training job stopped',
  MaxRuntimeExceeded: 'Training job exceeded MaxRuntimeInSeconds provided',
  MaxWaitTimeExceeded: 'Training job exceeded MaxWaitTimeInSeconds provided',
  Interrupted: 'Training job interrupted',
}

/** One of SecondaryStatusTransitions; times are seconds. */
export interface Transition {
  readonly Status: SecondaryStatus
  readonly StartTime: number
  EndTime?: number
  readonly StatusMessage?: string
}

/** Ends the last state and begins another. */
function enter(transitions: Transition[], Status: SecondaryStatus, now: number): void {
  const last = transitions.at(-1)
  if (last) last.EndTime = now
  const StatusMessage = MESSAGES[Status]
  transitions.push({ Status, StartTime: now, ...(StatusMessage !== undefined && { StatusMessage }) })
}

/** What the container refuses of its channels before it starts. @throws ClientError that fails the job */
function checkChannels({ InputDataConfig = [], AlgorithmSpecification }: CreateTrainingJobRequest): void {
  for (const { ChannelName = '', ContentType, InputMode } of InputDataConfig) {
    if (!['train', 'validation'].includes(ChannelName))
      throw refused(`Additional properties are not allowed ('${ChannelName}' was unexpected)`)
    if (ContentType?.split(';')[0]?.trim() !== 'text/csv') throw refused(`'${ContentType}' is not one of ['text/csv']`)
    const mode = InputMode ?? AlgorithmSpecification?.TrainingInputMode
    if (mode !== 'File') throw refused(`'${mode}' is not one of ['File']`)
  }
  if (!InputDataConfig.some(({ ChannelName }) => ChannelName === 'train'))
    throw refused("'train' is a required property")
}

const refused = (cause: string): ClientError =>
  new ClientError(
    `Unable to initialize the algorithm. Failed to validate input data configuration. (caused by ValidationError)\n\nCaused by: ${cause}`,
  )
