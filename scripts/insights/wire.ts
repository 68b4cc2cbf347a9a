import { isUtf8 } from 'node:buffer'
import { Readable } from 'node:stream'
import * as z from 'zod'
import { parseIpv4 } from './ipv4.ts'
import type { Model } from './model.ts'

/** Formats of requests: "IP Insights Inference Data Formats", Amazon SageMaker developer guide. */
export const contentTypes: readonly string[] = ['text/csv', 'application/json', 'application/jsonlines']

/** What a request asks about, in its order. Entities are as they were written: encoded, if the caller does as in training. */
export interface Asked {
  readonly entities: readonly string[]
  readonly ips: Uint32Array
}

/** How an answer is to be written. */
export interface AnswerFormat {
  readonly type: 'application/json' | 'application/jsonlines'
  /** With both embeddings. */
  readonly verbose: boolean
}

/** The body cannot be read; the message says where and why. */
export class MalformedRequest extends Error {}

/** No format that the caller accepts. */
export class NotAcceptable extends Error {}

/** Reads an `Accept` header such as `application/jsonlines;verbose=True`; JSON where nothing is wished. */
export function accepted(header = '*/*'): AnswerFormat {
  for (const wish of header.split(',')) {
    const [range = '', ...parameters] = wish.split(';').map((part) => part.trim().toLowerCase())
    const verbose = parameters.includes('verbose=true')
    if (range === 'application/jsonlines') return { type: range, verbose }
    if (/^(application\/json|application\/\*|\*\/\*|)$/.test(range)) return { type: 'application/json', verbose }
  }
  throw new NotAcceptable(`cannot answer in ${header}: only in application/json or application/jsonlines`)
}

/** @throws MalformedRequest */
export function requestOf(contentType: string, body: Buffer): Asked {
  if (!isUtf8(body)) throw new MalformedRequest('the body is not UTF-8')
  const text = body.toString('utf8')
  if (text.trim() === '') throw new MalformedRequest('the body is empty')
  if (contentType.startsWith('text/csv')) return asked(linesOf(text).map(csvRow), 'line')
  if (contentType.startsWith('application/jsonlines'))
    return asked(
      linesOf(text).map((line, i) => valuesOf(parsed(line, `line ${i + 1}: `), `line ${i + 1}`)),
      'line',
    )
  const instances = instancesSchema.safeParse(parsed(text, ''))
  if (!instances.success) throw new MalformedRequest('expected {"instances": […]}')
  return asked(
    instances.data.instances.map((instance, i) => valuesOf(instance, `instance ${i + 1}`)),
    'instance',
  )
}

type Row = readonly [entity: string, ip: string]

function asked(rows: readonly Row[], unit: string): Asked {
  const ips = new Uint32Array(rows.length)
  for (const [i, [entity, address]] of rows.entries()) {
    const ip = parseIpv4(address)
    if (entity === '') throw new MalformedRequest(`${unit} ${i + 1}: the entity is empty`)
    if (ip === undefined) throw new MalformedRequest(`${unit} ${i + 1}: ${shown(address)} is not a dotted IPv4 address`)
    ips[i] = ip
  }
  return { entities: rows.map(([entity]) => entity), ips }
}

/** AWS's own samples have a blank after the comma. */
function csvRow(line: string, i: number): Row {
  const [entity, ip, ...more] = line.split(',').map((field) => field.trim())
  if (entity === undefined || ip === undefined || more.length > 0)
    throw new MalformedRequest(`line ${i + 1}: ${shown(line)} is not two fields, entity,address`)
  if (entity.includes('"'))
    throw new MalformedRequest(
      `line ${i + 1}: fields are not quoted; special characters are percent-encoded as in training`,
    )
  return [entity, ip]
}

const pair = z.tuple([z.string(), z.string()])
const instanceSchema = z.union([
  z.object({ data: z.object({ features: z.object({ values: pair }) }) }).transform(({ data }) => data.features.values),
  z.object({ features: pair }).transform(({ features }) => features),
])
const instancesSchema = z.object({ instances: z.array(z.unknown()) })

function valuesOf(instance: unknown, where: string): Row {
  const result = instanceSchema.safeParse(instance)
  if (result.success) return result.data
  throw new MalformedRequest(
    `${where}: expected {"features": ["entity", "address"]}, or the same as data.features.values`,
  )
}

function parsed(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new MalformedRequest(`${where}not valid JSON`)
  }
}

const linesOf = (text: string): string[] => text.replace(/\r?\n$/, '').split(/\r?\n/)

const shown = (text: string): string => JSON.stringify(text.slice(0, 80))

const CHUNK = 64 << 10

/** The answer, in the request's order. Unseen entities are answered too, as IP Insights does: by a vector that is not theirs. */
export function answerOf(model: Model, { entities, ips }: Asked, { type, verbose }: AnswerFormat): Readable {
  const json = type === 'application/json'
  function* chunks() {
    let chunk = json ? '{"predictions":[' : ''
    for (const [i, entity] of entities.entries()) {
      if (i > 0) chunk += json ? ',' : '\n'
      chunk += JSON.stringify(prediction(model, entity, ips[i]!, verbose))
      if (chunk.length < CHUNK) continue
      yield chunk
      chunk = ''
    }
    yield `${chunk}${json ? ']}' : ''}\n`
  }
  return Readable.from(chunks(), { objectMode: false })
}

const prediction = (model: Model, entity: string, ip: number, verbose: boolean) => ({
  dot_product: model.score(entity, ip),
  ...(verbose && {
    entity_embedding: [...model.entityEmbedding(entity)],
    ip_embedding: [...model.ipEmbedding(ip)],
  }),
})
