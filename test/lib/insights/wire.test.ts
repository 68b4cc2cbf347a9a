import assert from 'node:assert/strict'
import { test } from 'node:test'
import { modelOf } from '../../../scripts/lib/insights/model.ts'
import {
  accepted,
  MalformedRequest,
  NotAcceptable,
  parseRequest,
  renderPredictions,
} from '../../../scripts/lib/insights/wire.ts'
import { someModel } from './tiny.ts'

const read = (type: string, body: string | Buffer) => parseRequest(type, Buffer.from(body))
const PAIRS = [
  { entity: 'e1', ip: 0xc0a80102 },
  { entity: 'john%2Edoe', ip: 0x0a0a0102 },
]
const LONG = '{"data":{"features":{"values":["e1","192.168.1.2"]}}}'
const SHORT = '{"features":["john%2Edoe","10.10.1.2"]}'

const good: [type: string, body: string][] = [
  ['text/csv', 'e1,192.168.1.2\njohn%2Edoe,10.10.1.2'],
  ['text/csv; charset=utf-8', 'e1, 192.168.1.2\r\njohn%2Edoe, 10.10.1.2\r\n'],
  ['application/json', `{"instances":[${LONG},${SHORT}]}`],
  [
    'Application/JSON;charset=utf-8',
    `{"instances":[${SHORT.replace('john%2Edoe', 'e1').replace('10.10.1.2', '192.168.1.2')},${SHORT}]}`,
  ],
  ['application/jsonlines', `${LONG}\n${SHORT}\n\n`],
]
for (const [type, body] of good) test(`read: ${type}: ${body}`, () => assert.deepEqual(read(type, body), PAIRS))

const bad: [type: string, body: string | Buffer, why: RegExp][] = [
  ['text/csv', '', /no pair/],
  ['text/csv', 'e1', /line 1: two fields/],
  ['text/csv', 'e1,1.2.3.4\n\ne2,1.2.3.4,7', /line 3: two fields/],
  ['text/csv', 'john.doe,1.2.3.4', /line 1: .*john%2Edoe/],
  ['text/csv', ',1.2.3.4', /line 1: .*not encoded/],
  ['text/csv', 'e1,1.2.3', /line 1: "1\.2\.3" is not a dotted IPv4 address/],
  ['text/csv', 'e1,::1', /not a dotted IPv4/],
  ['text/csv', Buffer.from([0xff, 0xfe]), /UTF-8/],
  ['application/json', '', /the body: /],
  ['application/json', '{"instances":[', /the body: /],
  ['application/json', '[]', /no list "instances"/],
  ['application/json', 'null', /no list "instances"/],
  ['application/json', '{"instances":{}}', /no list "instances"/],
  ['application/json', '{"instances":[]}', /no pair/],
  ['application/json', '{"instances":[{"features":["e1"]}]}', /instance 0: "features" with two values/],
  ['application/json', `{"instances":[${LONG},7]}`, /instance 1: "features"/],
  ['application/json', '{"instances":[{"features":[7,"1.2.3.4"]}]}', /instance 0: .*must be text/],
  ['application/json', '{"instances":[{"features":["","1.2.3.4"]}]}', /instance 0: .*not empty/],
  ['application/json', '{"instances":[{"features":["e1","1.2.3.4.5"]}]}', /instance 0: "1\.2\.3\.4\.5"/],
  ['application/jsonlines', `${LONG},\n${SHORT}`, /line 1: /],
  ['application/jsonlines', `${LONG}\n{"instances":[]}`, /line 2: "features"/],
  ['application/x-recordio-protobuf', 'x', /content type must be one of text\/csv/],
  ['', 'e1,1.2.3.4', /content type/],
  ['__proto__', 'e1,1.2.3.4', /content type/],
  ['toString', 'e1,1.2.3.4', /content type/],
]
for (const [type, body, why] of bad)
  test(`malformed: ${type}: ${body.toString()}`, () =>
    assert.throws(
      () => read(type, body),
      (error) => error instanceof MalformedRequest && why.test(error.message),
    ))

const accepts: [header: string | undefined, type: string, verbose: boolean][] = [
  [undefined, 'application/json', false],
  ['', 'application/json', false],
  ['*/*', 'application/json', false],
  ['application/json', 'application/json', false],
  ['application/json;verbose=True', 'application/json', true],
  ['application/jsonlines; verbose=true', 'application/jsonlines', true],
  ['application/jsonlines;verbose=False', 'application/jsonlines', false],
  ['text/html, application/jsonlines', 'application/jsonlines', false],
]
for (const [header, type, verbose] of accepts)
  test(`accepted: ${header}`, () => assert.deepEqual(accepted(header), { type, verbose }))

for (const header of ['text/csv', 'application/x-recordio-protobuf'])
  test(`not acceptable: ${header}`, () => assert.throws(() => accepted(header), NotAcceptable))

const { description, weights, entities } = someModel()
const model = modelOf(description, weights, entities)

test('answers are in the order of the request, as JSON and as JSON Lines', () => {
  const expected = PAIRS.map(({ entity, ip }) => ({ dot_product: model.score(entity, ip) }))
  assert.deepEqual(JSON.parse(renderPredictions(model, PAIRS, accepted('application/json'))), { predictions: expected })
  const lines = renderPredictions(model, PAIRS, accepted('application/jsonlines'))
  assert.deepEqual(
    lines
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    expected,
  )
  assert.ok(lines.endsWith('\n'))
})

test('the embeddings of a verbose answer give its dot product', () => {
  const { predictions } = JSON.parse(renderPredictions(model, PAIRS, accepted('application/json;verbose=True')))
  for (const { dot_product, entity_embedding, ip_embedding } of predictions) {
    assert.equal(entity_embedding.length, 5)
    const dot = entity_embedding.reduce((sum: number, x: number, i: number) => sum + x * ip_embedding[i], 0)
    assert.ok(Math.abs(dot - dot_product) < 1e-9)
  }
})
