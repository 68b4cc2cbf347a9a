import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import * as v from 'valibot'
import { messageOf, misfits, UserError } from '../cli/errors.ts'
import { packed, unpacked } from './archive.ts'
import { dot, Encoder, scoreBy } from './encoder.ts'
import { type Hyperparameters, validated } from './hyperparameters.ts'
import { entityRow, levelsOf, type Shape, type Weights, weightBytesOf } from './network.ts'
import { readSafetensors, type Tensors, writeSafetensors } from './safetensors.ts'

/** What model.json says. */
export interface ModelDescription {
  readonly format: 'prestage-ip-insights'
  readonly version: 1
  readonly hyperparameters: Hyperparameters
  readonly seed: number
  /** Lengths of the prefixes whose vectors are summed, and the most rows that one of them has. */
  readonly prefixes: { readonly lengths: readonly number[]; readonly rows: number }
  /** Training pairs, repeats included, and distinct entities. */
  readonly trainedOn: { readonly pairs: number; readonly entities: number }
  /** How entity names are written. */
  readonly entityCodec: 'percent'
}

/** A trained model. Entities are encoded (entity-codec.ts), addresses unsigned 32-bit numbers. */
export interface Model {
  readonly description: ModelDescription
  /** Whether the entity was trained on: the score of any other means nothing. */
  has(entity: string): boolean
  /** Training pairs of the entity; 0 for an unknown one. */
  events(entity: string): number
  /** IP Insights' dot_product: high is normal, low is anomalous. Unknown entities borrow a vector by hash. */
  score(entity: string, ip: number): number
  /** The same of many, `entities[entityIndex[i]]` from `ips[i]`, much faster. */
  scoreAll(entities: readonly string[], entityIndex: Uint32Array, ips: Uint32Array): Float64Array
  entityEmbedding(entity: string): Float32Array
  ipEmbedding(ip: number): Float32Array
}

/** Assembles a model. `entities` are the known ones, encoded, with their training pairs. */
export function modelOf(description: ModelDescription, weights: Weights, entities: ReadonlyMap<string, number>): Model {
  const { vector_dim: dim, num_entity_vectors: rows } = description.hyperparameters
  const vectors = { values: weights.entities, dim }
  const encoder = new Encoder(weights, 1)
  const encode = (ip: number) => encoder.encode([ip], 1)
  return {
    description,
    has: (entity) => entities.has(entity),
    events: (entity) => entities.get(entity) ?? 0,
    score: (entity, ip) => dot(vectors, entityRow(entity, rows), { values: encode(ip), dim }, 0),
    scoreAll: scoreBy(weights),
    entityEmbedding: (entity) => {
      const at = entityRow(entity, rows) * dim
      return weights.entities.slice(at, at + dim)
    },
    ipEmbedding: (ip) => encode(ip).slice(),
  }
}

/** Everything that goes into a model's file. */
export interface Trained {
  readonly description: ModelDescription
  readonly weights: Weights
  /** Known entities, encoded, with their training pairs. */
  readonly entities: ReadonlyMap<string, number>
}

const MEMBERS = { description: 'model.json', entities: 'entities.csv', weights: 'weights.safetensors' } as const

/** The bytes of model.tar.gz; the same for the same model. */
export const packModel = ({ description, weights, entities }: Trained): Promise<Uint8Array> =>
  packed([
    // First: it says how large the weights may be.
    [MEMBERS.description, Buffer.from(`${JSON.stringify(description, null, 2)}\n`)],
    [MEMBERS.entities, Buffer.from([...entities].map(([entity, events]) => `${entity},${events}\n`).join(''))],
    [MEMBERS.weights, writeSafetensors(tensorsOf(weights))],
  ])

/** SHA-256 of a model's file: names the model. */
export const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Reads a model.tar.gz from this machine's disk. @throws UserError when there is none or it is damaged */
export async function loadModel(path: string): Promise<Model> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? noModel(path) : error
  })
  return modelIn(bytes, path)
}

/** @param name of the missing file, for the error */
export const noModel = (name: string): UserError => new UserError(`no model at ${name}`, { hint: 'train one first' })

/** The model in the bytes of a file with this name. @throws UserError when it is damaged, or no model of this tool */
export async function modelIn(bytes: Uint8Array, name: string, hint?: string): Promise<Model> {
  try {
    return await unpackModel(bytes)
  } catch (error) {
    throw new UserError(`${name} is not a model of this tool: ${messageOf(error)}`, {
      cause: error,
      ...(hint !== undefined && { hint }),
    })
  }
}

/** The model in the bytes of a file. @throws Error that says what is wrong */
export async function unpackModel(bytes: Uint8Array): Promise<Model> {
  const members = new Map<string, Buffer>()
  let description: ModelDescription | undefined
  for await (const { name, size, content } of unpacked(bytes)) {
    const most = mostBytes(name, description)
    if (size > most)
      throw new Error(most === 0 ? `${name} is no part of one` : `${name}: ${size} bytes are more than it can have`)
    members.set(name, await content())
    if (name === MEMBERS.description) description = descriptionOf(String(members.get(name)))
  }
  const member = (name: string): Buffer => members.get(name) ?? missing(name)
  if (description === undefined) return missing(MEMBERS.description)
  const weights = weightsOf(shapeIn(description), readSafetensors(member(MEMBERS.weights)))
  return modelOf(description, weights, entitiesOf(String(member(MEMBERS.entities))))
}

const missing = (name: string): never => {
  throw new Error(`${name} is missing`)
}

/** Of names and of weights: together they are what a file can hold. */
const MOST_ENTITY_BYTES = 2 ** 29
const MOST_WEIGHT_BYTES = 3 * 2 ** 29
/** Of the description, and of what precedes the weights. */
const MOST_HEADER_BYTES = 2 ** 20

/** Compressed data may expand to any size: no member is unpacked beyond its largest valid size. */
function mostBytes(name: string, description: ModelDescription | undefined): number {
  if (name === MEMBERS.description) return MOST_HEADER_BYTES
  if (name === MEMBERS.entities) return MOST_ENTITY_BYTES
  if (name !== MEMBERS.weights) return 0
  if (description === undefined)
    throw new Error(`${name} comes before ${MEMBERS.description}, which says how large it is`)
  return Math.min(MOST_WEIGHT_BYTES, weightBytesOf(shapeIn(description))) + MOST_HEADER_BYTES
}

const number = v.pipe(v.number(), v.finite())
const whole = v.pipe(v.number(), v.safeInteger())

const descriptionSchema = v.strictObject({
  format: v.literal('prestage-ip-insights'),
  version: v.literal(1),
  hyperparameters: v.record(v.string(), number),
  seed: number,
  prefixes: v.strictObject({
    lengths: v.array(v.pipe(whole, v.minValue(1), v.maxValue(32))),
    rows: v.pipe(
      whole,
      v.gtValue(0),
      v.check((rows) => Number.isInteger(Math.log2(rows)), 'a power of two'),
    ),
  }),
  trainedOn: v.strictObject({ pairs: whole, entities: whole }),
  entityCodec: v.literal('percent'),
})

function descriptionOf(text: string): ModelDescription {
  const given = JSON.parse(text)
  const result = v.safeParse(descriptionSchema, given)
  if (!result.success) throw new Error(`${MEMBERS.description}: ${misfits(result.issues)}`)
  // As they were given: v.record has left out a name such as `constructor`, which is to be refused.
  return { ...result.output, hyperparameters: validated(given.hyperparameters) }
}

const shapeIn = ({ hyperparameters, prefixes }: ModelDescription): Shape => ({
  dim: hyperparameters.vector_dim,
  entityRows: hyperparameters.num_entity_vectors,
  layers: hyperparameters.num_ip_encoder_layers,
  prefixLengths: prefixes.lengths,
  prefixRows: prefixes.rows,
})

function entitiesOf(text: string): Map<string, number> {
  const known = new Map<string, number>()
  let from = 0
  for (let line = 1; from < text.length; line++) {
    const newline = text.indexOf('\n', from)
    const end = newline === -1 ? text.length : newline
    const [, entity = '', events] = /^([^,]+),(\d+)$/.exec(text.slice(from, end)) ?? []
    // What is no number would count as often enough.
    if (events === undefined) throw new Error(`${MEMBERS.entities}: line ${line} is no entity with its pairs`)
    known.set(entity, Number(events))
    from = end + 1
  }
  return known
}

function tensorsOf({ shape, entities, prefixes, layers }: Weights): Tensors {
  const { dim } = shape
  return new Map([
    ['entities', { shape: [shape.entityRows, dim], data: entities }],
    ['prefixes', { shape: [levelsOf(shape).rows, dim], data: prefixes }],
    ...layers.flatMap(({ weight, bias }, l): [string, { shape: number[]; data: Float32Array }][] => [
      [`layers.${l}.weight`, { shape: [dim, dim], data: weight }],
      [`layers.${l}.bias`, { shape: [dim], data: bias }],
    ]),
  ])
}

function weightsOf(shape: Shape, tensors: Tensors): Weights {
  const { dim } = shape
  const tensor = (name: string, size: number): Float32Array => {
    const data = tensors.get(name)?.data
    if (data?.length !== size) throw new Error(`${MEMBERS.weights}: ${name} is missing or has another size`)
    return data
  }
  return {
    shape,
    entities: tensor('entities', shape.entityRows * dim),
    prefixes: tensor('prefixes', levelsOf(shape).rows * dim),
    layers: Array.from({ length: shape.layers }, (_, l) => ({
      weight: tensor(`layers.${l}.weight`, dim * dim),
      bias: tensor(`layers.${l}.bias`, dim),
    })),
  }
}
