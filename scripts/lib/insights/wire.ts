import { isUtf8 } from 'node:buffer'
import { messageOf } from '../cli/errors.ts'
import { isEncoded } from './entity-codec.ts'
import { parseIpv4 } from './ipv4.ts'
import type { Model } from './model.ts'

/**
 * What goes over the wire to and from an IP Insights endpoint: "IP Insights Inference Data Formats", Amazon SageMaker developer
 * guide. Answers carry no key: they are in the order of the request.
 */

export const contentTypes = ['text/csv', 'application/json', 'application/jsonlines']

/** One pair to score: entity as it was trained on (encoded), address as an unsigned 32-bit number. */
export interface WirePair {
  readonly entity: string
  readonly ip: number
}

/** HTTP 400: the message says what is wrong, and where. */
export class MalformedRequest extends Error {}
/** HTTP 406. */
export class NotAcceptable extends Error {}

/** The form of an answer. */
export interface Format {
  readonly type: 'application/json' | 'application/jsonlines'
  /** With both embeddings. */
  readonly verbose: boolean
}

/** Reads a request's body. @throws MalformedRequest */
export function parseRequest(contentType: string, body: Uint8Array): WirePair[] {
  if (!isUtf8(body)) throw new MalformedRequest('the body is not UTF-8')
  const text = Buffer.from(body).toString('utf8')
  const type = parametersOf(contentType).value
  const pairs = READERS.get(type)?.(text)
  if (pairs === undefined)
    throw new MalformedRequest(`the content type must be one of ${contentTypes.join(', ')}, not "${contentType}"`)
  if (pairs.length === 0) throw new MalformedRequest('the body holds no pair')
  return pairs
}

const READERS: ReadonlyMap<string, (text: string) => WirePair[]> = new Map([
  ['text/csv', (text: string) => linesOf(text).map(([line, where]) => csvPair(line, where))],
  ['application/json', instances],
  [
    'application/jsonlines',
    (text: string) => linesOf(text).map(([line, where]) => jsonPair(parsed(line, where), where)),
  ],
])

/** Non-empty lines, each with its place. */
const linesOf = (text: string): [line: string, where: string][] =>
  text.split(/\r?\n/).flatMap((line, i): [string, string][] => (trimmed(line) === '' ? [] : [[line, `line ${i + 1}`]]))

/** Only spaces and tabs are trimmed: an entity may begin or end with another kind of white space, which the codec keeps. */
const trimmed = (text: string): string => text.replace(/^[ \t]+|[ \t]+$/g, '')

function csvPair(line: string, where: string): WirePair {
  const fields = line.split(',').map(trimmed)
  const [entity = '', address = ''] = fields
  if (fields.length !== 2) throw new MalformedRequest(`${where}: two fields are needed, entity and address`)
  // IP Insights' own reader would split such a name.
  if (!isEncoded(entity))
    throw new MalformedRequest(
      `${where}: the entity ${JSON.stringify(entity)} is not encoded as in training (john.doe is john%2Edoe)`,
    )
  return pairOf(entity, address, where)
}

function instances(text: string): WirePair[] {
  const body = parsed(text, 'the body')
  const list = memberOf(body, 'instances')
  if (!Array.isArray(list)) throw new MalformedRequest('the body has no list "instances"')
  return list.map((instance, i) => jsonPair(instance, `instance ${i}`))
}

/** `{"data":{"features":{"values":[entity, address]}}}` or `{"features":[entity, address]}`. */
function jsonPair(instance: unknown, where: string): WirePair {
  const long = memberOf(memberOf(memberOf(instance, 'data'), 'features'), 'values')
  const values = long ?? memberOf(instance, 'features')
  if (!Array.isArray(values) || values.length !== 2)
    throw new MalformedRequest(`${where}: "features" with two values is needed, entity and address`)
  const [entity, address] = values as unknown[]
  if (typeof entity !== 'string' || typeof address !== 'string' || entity === '')
    throw new MalformedRequest(`${where}: entity and address must be text, and not empty`)
  return pairOf(entity, address, where)
}

function pairOf(entity: string, address: string, where: string): WirePair {
  const ip = parseIpv4(address)
  if (ip === undefined) throw new MalformedRequest(`${where}: ${JSON.stringify(address)} is not a dotted IPv4 address`)
  return { entity, ip }
}

function parsed(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new MalformedRequest(`${where}: ${messageOf(error)}`)
  }
}

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined

/** Reads an Accept header: JSON unless JSON Lines is asked for; `;verbose=True` adds embeddings. @throws NotAcceptable */
export function accepted(header: string | undefined): Format {
  for (const range of (header ?? '').trim() === '' ? ['*/*'] : (header ?? '').split(',')) {
    const { value, parameters } = parametersOf(range)
    const verbose = parameters.get('verbose')?.toLowerCase() === 'true'
    if (value === 'application/jsonlines') return { type: value, verbose }
    if (['application/json', 'application/*', '*/*'].includes(value)) return { type: 'application/json', verbose }
  }
  throw new NotAcceptable(`answers are application/json or application/jsonlines, not "${header}"`)
}

/** `application/json;verbose=True` → its value and parameters. */
function parametersOf(header: string): { value: string; parameters: Map<string, string> } {
  const [value = '', ...rest] = header.split(';').map((part) => part.trim())
  const parameters = new Map(
    rest.map((part) => {
      const [name = '', text = ''] = part.split('=')
      return [name.trim().toLowerCase(), text.trim()] as const
    }),
  )
  return { value: value.toLowerCase(), parameters }
}

/** The answer's body. */
export function renderPredictions(model: Model, pairs: readonly WirePair[], { type, verbose }: Format): string {
  const scores = model.scoreAll(
    pairs.map(({ entity }) => entity),
    Uint32Array.from(pairs.keys()),
    Uint32Array.from(pairs, ({ ip }) => ip),
  )
  const predictions = pairs.map(({ entity, ip }, i) => ({
    dot_product: scores[i],
    ...(verbose && {
      entity_embedding: [...model.entityEmbedding(entity)],
      ip_embedding: [...model.ipEmbedding(ip)],
    }),
  }))
  if (type === 'application/json') return JSON.stringify({ predictions })
  return predictions.map((prediction) => `${JSON.stringify(prediction)}\n`).join('')
}
