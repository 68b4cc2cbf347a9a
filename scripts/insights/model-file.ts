import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import * as v from 'valibot'
import { messageOf, misfits, UserError } from '../cli/errors.ts'
import { validated } from './hyperparameters.ts'
import { type Model, type ModelDescription, modelOf } from './model.ts'
import { levelsOf, type Shape, type Weights } from './network.ts'
import { readSafetensors, type Tensors, writeSafetensors } from './safetensors.ts'

/** Everything that goes into a model's file. */
export interface Trained {
  readonly description: ModelDescription
  readonly weights: Weights
  /** Known entities, encoded, with their training pairs. */
  readonly entities: ReadonlyMap<string, number>
}

const MEMBERS = { description: 'model.json', entities: 'entities.csv', weights: 'weights.safetensors' } as const

/** The bytes of model.tar.gz; the same for the same model. */
export async function packModel({ description, weights, entities }: Trained): Promise<Uint8Array> {
  const { packTar } = await import('modern-tar')
  const members: [string, Uint8Array][] = [
    [MEMBERS.description, Buffer.from(`${JSON.stringify(description, null, 2)}\n`)],
    [MEMBERS.entities, Buffer.from([...entities].map(([entity, events]) => `${entity},${events}\n`).join(''))],
    [MEMBERS.weights, writeSafetensors(tensorsOf(weights))],
  ]
  const tar = await packTar(
    members.map(([name, body]) => ({
      header: { name, size: body.length, type: 'file', mode: 0o644, mtime: new Date(0), uid: 0, gid: 0 },
      body,
    })),
  )
  // Weights hardly compress: more effort is wasted on them.
  const packed = await promisify(gzip)(tar, { level: 1 })
  packed[GZIP_SYSTEM] = UNKNOWN_SYSTEM
  return packed
}

/** RFC 1952: the byte that names the operating system, and the value for an unknown one. */
const [GZIP_SYSTEM, UNKNOWN_SYSTEM] = [9, 255] as const

/** SHA-256 of a model's file: names the model. */
export const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Reads a model.tar.gz from this machine's disk. @throws UserError when there is none or it is damaged */
export async function loadModel(path: string): Promise<Model> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? noModel(path) : error
  })
  return modelIn(bytes, path)
}

/** @param name of the file that there is none of, for the error */
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
  const { unpackTar } = await import('modern-tar')
  const members = new Map(
    (await unpackTar(await promisify(gunzip)(bytes))).map(({ header, data }) => [header.name, data]),
  )
  const member = (name: string): Buffer => {
    const data = members.get(name)
    if (data === undefined) throw new Error(`${name} is missing`)
    return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  }
  const description = descriptionOf(member(MEMBERS.description).toString('utf8'))
  const weights = weightsOf(shapeIn(description), readSafetensors(member(MEMBERS.weights)))
  return modelOf(description, weights, entitiesOf(member(MEMBERS.entities).toString('utf8')))
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
    rows: v.pipe(whole, v.gtValue(0)),
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
  const lines = text.split('\n').filter((line) => line !== '')
  return new Map(
    lines.map((line, i) => {
      const [, entity = '', events] = /^([^,]+),(\d+)$/.exec(line) ?? []
      // What is no number would count as often enough.
      if (events === undefined) throw new Error(`${MEMBERS.entities}: line ${i + 1} is no entity with its pairs`)
      return [entity, Number(events)]
    }),
  )
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
