import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { packTar, unpackTar } from 'modern-tar'
import { eventsByEntity } from '../../../scripts/lib/insights/accesses.ts'
import { scoreAll } from '../../../scripts/lib/insights/encoder.ts'
import type { Hyperparameters } from '../../../scripts/lib/insights/hyperparameters.ts'
import { auc } from '../../../scripts/lib/insights/metrics.ts'
import { type Model, packModel, unpackModel } from '../../../scripts/lib/insights/model.ts'
import { entityRow, type Weights } from '../../../scripts/lib/insights/network.ts'
import type { Pairs } from '../../../scripts/lib/insights/pairs.ts'
import { Random } from '../../../scripts/lib/insights/random.ts'
import { trainWeights } from '../../../scripts/lib/insights/trainer.ts'
import * as wire from '../../../scripts/lib/insights/wire.ts'
import { ClientError, pairsOf } from './csv.ts'
import { hyperparametersOf } from './hyperparameters.ts'

/** What the IP Insights container of this sandbox does, with the trainer and the model of the product. */

const SEED = 1

/** The one member of a model.tar.gz: like MXNet's, only its own container can open it. */
const MEMBER = 'model_algo-1'

/** "IP Insights", Amazon SageMaker developer guide: the largest model. */
const LARGEST_MODEL = 8 * 2 ** 30

export interface TrainingInput {
  readonly hyperparameters: Readonly<Record<string, string>>
  /** Texts of the objects of each channel. */
  readonly channels: Readonly<Record<string, readonly string[]>>
  readonly signal: AbortSignal
}

export interface Trained {
  /** The bytes of model.tar.gz. */
  readonly artifact: Buffer
  /** validation:discriminator_auc; undefined without a validation channel. */
  readonly auc: number | undefined
}

/** Trains. @throws ClientError for what the container would refuse */
export async function train({ hyperparameters, channels, signal }: TrainingInput): Promise<Trained> {
  const set = hyperparametersOf(hyperparameters)
  if (set.num_entity_vectors * set.vector_dim * 4 > LARGEST_MODEL)
    throw new ClientError('The model would be larger than 8 GB: reduce num_entity_vectors or vector_dim')
  const pairs = pairsOf(channels.train ?? [])
  const validation = channels.validation && pairsOf(channels.validation)
  if (pairs.ip.length === 0) throw new ClientError('No data in the train channel')
  const weights = await trainWeights(pairs, { hyperparameters: set, seed: SEED, signal })
  const packed = await packModel({
    description: {
      format: 'prestage-ip-insights',
      version: 1,
      hyperparameters: set,
      seed: SEED,
      prefixes: { lengths: weights.shape.prefixLengths, rows: weights.shape.prefixRows },
      trainedOn: { pairs: pairs.ip.length, entities: pairs.entities.length },
      entityCodec: 'percent',
    },
    weights,
    entities: eventsByEntity(pairs),
  })
  return { artifact: await wrapped(packed), auc: validation && discriminatorAuc(weights, set, validation) }
}

/** Validation pairs against the same entities with uniform random addresses, one each, whatever the training's rates. */
function discriminatorAuc(weights: Weights, set: Hyperparameters, { entities, entityIndex, ip }: Pairs): number {
  const random = new Random(SEED, 5)
  const rowOf = entities.map((entity) => entityRow(entity, set.num_entity_vectors))
  const rows = entityIndex.map((e) => rowOf[e] ?? 0)
  const randoms = ip.map(() => random.uint32())
  return auc(scoreAll(weights, rows, ip), scoreAll(weights, rows, randoms))
}

/** A model of the product as the artifact of a training job. */
export async function wrapped(model: Uint8Array): Promise<Buffer> {
  const tar = await packTar([
    { header: { name: MEMBER, size: model.length, type: 'file', mtime: new Date(0) }, body: model },
  ])
  return promisify(gzip)(tar, { level: 1 })
}

/** Loads what `train` made. @throws Error when it is anything else, a model of the product included */
export async function load(artifact: Buffer): Promise<Model> {
  const members = await unpackTar(await promisify(gunzip)(artifact))
  const data = members.find(({ header }) => header.name === MEMBER)?.data
  if (data === undefined) throw new Error(`no ${MEMBER} in the model's archive`)
  return unpackModel(Buffer.from(data))
}

/** What the container answers. */
export interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

interface Formats {
  readonly contentType: string | undefined
  readonly accept: string | undefined
}

/** Answers an invocation in IP Insights' own formats, as the container does for endpoints and for transforms. */
export function answerOf(model: Model, { contentType = '', accept }: Formats, body: Buffer): Answer {
  try {
    const format = wire.accepted(accept)
    return {
      status: 200,
      type: format.type,
      body: wire.renderPredictions(model, wire.parseRequest(contentType, body), format),
    }
  } catch (error) {
    if (error instanceof wire.MalformedRequest) return refused(400, error)
    if (error instanceof wire.NotAcceptable) return refused(406, error)
    throw error
  }
}

const refused = (status: number, { message }: Error): Answer => ({ status, type: 'text/plain', body: message })
