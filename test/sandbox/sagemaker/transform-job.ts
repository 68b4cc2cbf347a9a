import type { CreateTransformJobRequest, TransformJobStatus } from '@aws-sdk/client-sagemaker'
import type { Model } from '../../../scripts/lib/insights/model.ts'
import { AwsError } from '../http.ts'
import { answerOf } from './container.ts'
import { ClientError } from './csv.ts'
import { LoadFailure, type Models } from './models.ts'
import type { Moving } from './mover.ts'
import { download, keysBelow, locationOf, upload } from './s3.ts'
import type { Shared } from './shared.ts'

type Stage = 'Starting' | 'Transforming' | 'Stopping'

/** CreateTransformJob's API reference. */
const PAYLOAD_MB = 6

/** A batch transform and its state. Times are seconds. */
export class TransformJob implements Moving {
  readonly kind = 'transform'
  readonly request: CreateTransformJobRequest
  readonly arn: string
  readonly created: number
  status: TransformJobStatus = 'InProgress'
  reason: string | undefined
  started: number | undefined
  ended: number | undefined
  readonly #shared: Shared
  readonly #models: Models
  #stage: Stage = 'Starting'
  #model: Model | undefined

  constructor(shared: Shared, models: Models, request: CreateTransformJobRequest, arn: string) {
    this.#shared = shared
    this.#models = models
    this.request = request
    this.arn = arn
    this.created = shared.now()
  }

  get name(): string {
    return this.request.TransformJobName ?? ''
  }

  stage(): string | undefined {
    return this.ended === undefined ? this.#stage : undefined
  }

  stop(): void {
    this.status = 'Stopping'
    this.#stage = 'Stopping'
  }

  async step(): Promise<void> {
    if (this.#stage === 'Stopping') return this.#end('Stopped')
    const failure = this.#shared.failure('transform', this.#stage, this.name)
    if (failure) return this.#end('Failed', failure.reason)
    try {
      if (this.#stage === 'Starting') await this.#start()
      else await this.#transform()
    } catch (error) {
      if (error instanceof LoadFailure) return this.#end('Failed', error.message)
      if (error instanceof ClientError) return this.#end('Failed', `ClientError: ${error.message}`)
      if (!(error instanceof AwsError)) throw error
      this.#end('Failed', `ClientError: ${error.code} (${error.status}): ${error.message}`)
    }
  }

  async #start(): Promise<void> {
    const model = await this.#models.load(this.request.ModelName ?? '')
    if (this.#stage === 'Stopping') return
    this.#model = model
    this.started = this.#shared.now()
    this.#stage = 'Transforming'
  }

  #role() {
    const model = this.#models.all.get(this.request.ModelName ?? '')
    return { account: this.#shared.s3.account, arn: model?.request.ExecutionRoleArn ?? '' }
  }

  async #transform(): Promise<void> {
    const { s3 } = this.#shared
    const { TransformInput, TransformOutput } = this.request
    const input = locationOf(TransformInput?.DataSource?.S3DataSource?.S3Uri ?? '')
    const path = (TransformOutput?.S3OutputPath ?? '').replace(/\/$/, '')
    for (const key of keysBelow(s3, this.#role(), `s3://${input.bucket}/${input.key}`)) {
      const bytes = await download(s3, this.#role(), input.bucket, key)
      const output = this.#answers(bytes, key)
      upload(s3, this.#role(), `${path}/${below(input.key, key)}.out`, output, TransformOutput?.KmsKeyId)
      if (this.#stage === 'Stopping') return
    }
    this.#end('Completed')
  }

  /** What the container answers to the payloads of one object, put together. @throws ClientError that fails the job */
  #answers(bytes: Buffer, key: string): Buffer {
    const { TransformInput, TransformOutput } = this.request
    const formats = {
      contentType: TransformInput?.ContentType,
      // Of batch transform, JSON Lines are IP Insights' own choice.
      accept: TransformOutput?.Accept ?? 'application/jsonlines',
    }
    const ends = TransformOutput?.AssembleWith === 'Line' ? '\n' : ''
    const parts = payloads(bytes, this.request).map((payload) => {
      if (this.#model === undefined) throw new Error('no model was loaded')
      const { status, body } = answerOf(this.#model, formats, payload)
      if (status >= 400) throw new ClientError(`See job logs for more information (${key}: ${status}: ${body})`)
      if (ends === '' || this.#shared.settings.doubledNewlines) return body + ends
      return body.replace(/\n?$/, ends)
    })
    return Buffer.from(parts.join(''))
  }

  #end(status: TransformJobStatus, reason?: string): void {
    this.status = status
    this.reason = reason?.slice(0, 1024)
    this.ended = this.#shared.now()
  }
}

/** The rest of a key below a prefix, which may end inside a name. */
function below(prefix: string, key: string): string {
  if (key === prefix) return key.slice(key.lastIndexOf('/') + 1)
  const rest = key.slice(prefix.length)
  return rest.startsWith('/') ? rest.slice(1) : key.slice(prefix.lastIndexOf('/') + 1)
}

/** What is sent to the container at a time. @throws ClientError for a record that is too large */
function payloads(
  bytes: Buffer,
  { TransformInput, BatchStrategy, MaxPayloadInMB = PAYLOAD_MB }: CreateTransformJobRequest,
) {
  const most = MaxPayloadInMB * 2 ** 20
  const records = TransformInput?.SplitType === 'Line' ? linesOf(bytes) : [bytes]
  const sent: Buffer[] = []
  let [batch, size]: [Buffer[], number] = [[], 0]
  for (const record of records) {
    if (record.length > most) throw new ClientError(`a record is larger than MaxPayloadInMB, ${MaxPayloadInMB}`)
    if (batch.length > 0 && (BatchStrategy === 'SingleRecord' || size + record.length > most)) {
      sent.push(Buffer.concat(batch))
      ;[batch, size] = [[], 0]
    }
    batch.push(record)
    size += record.length
  }
  return batch.length > 0 ? [...sent, Buffer.concat(batch)] : sent
}

/** Lines with their ends; empty ones are no records. */
function* linesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(10, at)
    const end = newline === -1 ? bytes.length : newline + 1
    if (end - at > 1 || newline === -1) yield bytes.subarray(at, end)
    at = end
  }
}
