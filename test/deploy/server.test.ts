import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { type Endpoint, startEndpoint } from '../../scripts/deploy/local/endpoint.ts'
import { encodeEntity } from '../../scripts/lib/insights/entity-codec.ts'
import { tokenDigest } from '../../scripts/lib/runs/endpoint.ts'
import { toyModel } from './toy-model.ts'

let endpoint: Endpoint
before(async () => {
  endpoint = await startEndpoint({ model: toyModel(), digest: 'd1', token: 'secret' })
})
after(() => endpoint.close())

const CSV = 'text/csv'
const JSON_TYPE = 'application/json'
const LINES = 'application/jsonlines'

interface Invocation {
  readonly type?: string
  readonly accept?: string
  readonly body: string | Buffer
}

async function invoke({ type = CSV, accept, body }: Invocation) {
  const answer = await fetch(`${endpoint.url}/invocations`, {
    method: 'POST',
    headers: { 'content-type': type, ...(accept !== undefined && { accept }) },
    body,
  })
  return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() }
}

const nested = (entity: string, ip: string) => ({ data: { features: { values: [entity, ip] } } })
const flat = (entity: string, ip: string) => ({ features: [entity, ip] })
const dots = (...values: number[]) => `{"predictions":[${values.map((value) => `{"dot_product":${value}}`).join()}]}`

const answered: [what: string, ask: Invocation, text: string, type?: string][] = [
  ['CSV', { body: 'e1,10.0.0.3\ne2,10.0.0.4\n' }, dots(-2, -2)],
  ["CSV as in AWS's sample, with blanks", { body: 'e1, 10.0.0.3\ne2, 10.0.0.4' }, dots(-2, -2)],
  ['CSV with CR LF', { body: 'e1,10.0.0.3\r\ne2,10.0.0.4\r\n' }, dots(-2, -2)],
  ['CSV with a charset', { type: 'text/csv; charset=utf-8', body: 'e1,10.0.0.3' }, dots(-2)],
  ['an entity that was never seen', { body: 'nobody,10.0.0.3' }, dots(-3)],
  ['an entity that ends in a space of its own', { body: 'e1\u00a0,10.0.0.3\n\u3000e1,10.0.0.3' }, dots(-3, -3)],
  ['JSON, nested', { type: JSON_TYPE, body: JSON.stringify({ instances: [nested('e1', '10.0.0.3')] }) }, dots(-2)],
  [
    'JSON, both forms',
    { type: JSON_TYPE, body: JSON.stringify({ instances: [flat('e1', '10.0.0.1'), nested('e2', '10.0.0.1')] }) },
    dots(0, 1),
  ],
  [
    'JSON Lines',
    { type: LINES, body: `${JSON.stringify(nested('e1', '10.0.0.3'))}\n${JSON.stringify(flat('e2', '10.0.0.4'))}\n` },
    dots(-2, -2),
  ],
  [
    'JSON Lines back',
    { accept: LINES, body: 'e1,10.0.0.3\ne2,10.0.0.3' },
    '{"dot_product":-2}\n{"dot_product":-1}\n',
    LINES,
  ],
  [
    'embeddings',
    { accept: `${JSON_TYPE};verbose=True`, body: 'e1,10.0.0.3' },
    '{"predictions":[{"dot_product":-2,"entity_embedding":[1,1],"ip_embedding":[1,-3]}]}',
  ],
  [
    'embeddings in lines, in small letters',
    { accept: `${LINES}; verbose=true`, body: 'e1,10.0.0.3' },
    '{"dot_product":-2,"entity_embedding":[1,1],"ip_embedding":[1,-3]}\n',
    LINES,
  ],
  ['no embeddings unless they are requested', { accept: `${JSON_TYPE};verbose=False`, body: 'e1,10.0.0.3' }, dots(-2)],
  [
    'the first form that can be had',
    { accept: `text/html, ${LINES}`, body: 'e1,10.0.0.3' },
    '{"dot_product":-2}\n',
    LINES,
  ],
]

for (const [what, ask, text, type = JSON_TYPE] of answered)
  test(`answers ${what}`, async () => assert.deepEqual(await invoke(ask), { status: 200, type, text }))

const refused: [what: string, ask: Invocation, status: number, says: RegExp][] = [
  ['an empty body', { body: '' }, 400, /holds no pair/],
  ['nothing but newlines', { body: '\n\n' }, 400, /holds no pair/],
  ['no instance', { type: JSON_TYPE, body: '{"instances":[]}' }, 400, /holds no pair/],
  ['one field', { body: 'e1,10.0.0.1\ne1' }, 400, /line 2: two fields are needed/],
  ['three fields', { body: 'a,b,10.0.0.1' }, 400, /line 1: two fields are needed/],
  ['quotes', { body: '"e1","10.0.0.1"' }, 400, /line 1: the entity .* is not encoded/],
  ['no address', { body: 'e1,AWS Internal' }, 400, /line 1: "AWS Internal" is not a dotted IPv4 address/],
  ['IPv6', { body: 'e1,2001:db8::1' }, 400, /is not a dotted IPv4 address/],
  ['leading zeros', { body: 'e1,010.0.0.1' }, 400, /is not a dotted IPv4 address/],
  ['no entity', { body: ',10.0.0.1' }, 400, /line 1: the entity "" is not encoded/],
  ['a name that the CSV reader would split', { body: 'john.doe,10.0.0.1' }, 400, /john%2Edoe/],
  ['a header', { body: 'entity,ip\ne1,10.0.0.1' }, 400, /line 1: "ip"/],
  ['bytes that are not UTF-8', { body: Buffer.from([0xff, 0x2c, 0x31]) }, 400, /not UTF-8/],
  ['broken JSON', { type: JSON_TYPE, body: '{"instances":[' }, 400, /the body: .*JSON/],
  ['JSON of another shape', { type: JSON_TYPE, body: '[1]' }, 400, /no list "instances"/],
  [
    'a number for an entity',
    { type: JSON_TYPE, body: '{"instances":[{"features":[1,"10.0.0.1"]}]}' },
    400,
    /instance 0: .*must be text/,
  ],
  ['JSON without end or bottom', { type: JSON_TYPE, body: '['.repeat(5_000_000) }, 400, /the body: /],
  ["AWS's malformed sample line", { type: LINES, body: '{"features":["e1","10.0.0.1"]},\n' }, 400, /line 1: .*JSON/],
  ['another content type', { type: 'application/x-recordio-protobuf', body: 'x' }, 415, /text\/csv/],
  ['a form that it cannot write', { accept: 'text/csv', body: 'e1,10.0.0.1' }, 406, /application\/jsonlines/],
  ['over 6 MB', { body: 'e1,10.0.0.1\n'.repeat(600_000) }, 413, /larger than 6291456 bytes/],
]

for (const [what, ask, status, says] of refused)
  test(`refuses ${what} with ${status} and a reason`, async () => {
    const answer = await invoke(ask)
    assert.equal(answer.status, status)
    assert.match((JSON.parse(answer.text) as { error: string }).error, says)
  })

test('every pair gets its own answer, in order, whatever the entities', async () => {
  const entity = fc.string({ unit: 'grapheme', minLength: 1 }).map(encodeEntity)
  const pairs = fc.array(fc.tuple(entity, fc.nat(255)), { minLength: 1, maxLength: 300 })
  await fc.assert(
    fc.asyncProperty(pairs, async (list) => {
      const body = list.map(([name, octet]) => `${name},10.0.0.${octet}`).join('\n')
      const { text } = await invoke({ accept: LINES, body })
      const model = toyModel()
      assert.deepEqual(
        text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line).dot_product),
        list.map(([name, octet]) => model.score(name, octet)),
      )
    }),
    { numRuns: 30 },
  )
})

test('a body close to the limit is answered whole', async () => {
  const rows = 400_000
  const { status, text } = await invoke({ accept: LINES, body: 'e1,10.0.0.1\n'.repeat(rows) })
  assert.equal(status, 200)
  assert.equal(text, '{"dot_product":0}\n'.repeat(rows))
})

test('requests at the same time get their own answers, many of them over one connection', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 2 })
  const connections = new Set<Socket>()
  const ask = (octet: number) =>
    new Promise<string>((resolve, reject) => {
      const headers = { 'content-type': CSV, accept: LINES }
      const sent = request(`${endpoint.url}/invocations`, { method: 'POST', agent, headers }, (answer) => {
        let body = ''
        answer.setEncoding('utf8').on('data', (part: string) => {
          body += part
        })
        answer.once('end', () => resolve(body))
      })
      sent.once('socket', (socket) => connections.add(socket)).once('error', reject)
      sent.end(`e200,10.0.0.${octet}\n`.repeat(1 + octet))
    })
  const octets = Array.from({ length: 100 }, (_, i) => i)
  const bodies = await Promise.all(octets.map(ask))
  assert.deepEqual(
    bodies,
    octets.map((octet) => `{"dot_product":${200 - octet}}\n`.repeat(1 + octet)),
  )
  assert.equal(connections.size, 2)
  agent.destroy()
})

test('GET /ping says that it lives, which model it serves, and who it is without its token', async () => {
  const answer = await fetch(`${endpoint.url}/ping`)
  assert.equal(answer.status, 200)
  assert.equal(await answer.text(), '')
  assert.equal(answer.headers.get('x-prestage-model'), 'd1')
  assert.equal(answer.headers.get('x-prestage-endpoint'), tokenDigest('secret'))
})

const elsewhere: [method: string, path: string, status: number][] = [
  ['GET', '/', 404],
  ['GET', '/invocations', 404],
  ['PUT', '/invocations', 404],
  ['GET', '/../../etc/passwd', 404],
  ['POST', '/stop', 403],
]

for (const [method, path, status] of elsewhere)
  test(`${method} ${path} is ${status}`, async () => {
    const sent = request(`${endpoint.url}/`, { method, path })
    sent.end()
    const code = await new Promise((resolve, reject) =>
      sent.once('response', (r) => resolve(r.resume().statusCode)).once('error', reject),
    )
    assert.equal(code, status)
  })

/** A request under another name: fetch does not let one choose it. */
const statusFor = (host: string, path = '/ping') =>
  new Promise<number | undefined>((resolve, reject) => {
    const { hostname, port } = new URL(endpoint.url)
    request({ hostname, port, path, headers: { host } }, (answer) => resolve(answer.resume().statusCode))
      .once('error', reject)
      .end()
  })

test('a page that points a name of its own at this machine (DNS rebinding) gets no answer', async () => {
  const { port } = new URL(endpoint.url)
  for (const host of [
    'evil.example',
    `evil.example:${port}`,
    `127.0.0.1.evil.example:${port}`,
    `localhost.evil.example`,
  ])
    for (const path of ['/ping', '/invocations', '/stop']) assert.equal(await statusFor(host, path), 421, host)
  for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, '127.0.0.1', 'LocalHost:9', '[::1]:1'])
    assert.equal(await statusFor(host), 200, host)
})

test('a wrong token stops nothing', async () => {
  const answer = await fetch(`${endpoint.url}/stop`, { method: 'POST', headers: { authorization: 'Bearer secrets' } })
  assert.equal(answer.status, 403)
  assert.equal((await fetch(`${endpoint.url}/ping`)).status, 200)
})

test('what is no HTTP at all harms nothing', async () => {
  const { hostname, port } = new URL(endpoint.url)
  const socket = connect(Number(port), hostname)
  socket.write('\0\x01\x02 garbage\r\n\r\n')
  await new Promise((resolve) =>
    socket
      .on('error', () => {})
      .once('close', resolve)
      .resume(),
  )
  assert.equal((await fetch(`${endpoint.url}/ping`)).status, 200)
})

test('with a connection left open it still closes at once', async () => {
  const other = await startEndpoint({ model: toyModel(), digest: 'd1' })
  const socket = connect(Number(new URL(other.url).port), '127.0.0.1')
  await new Promise((resolve) => socket.once('connect', resolve))
  socket.on('error', () => {})
  const closed = new Promise((resolve) => socket.once('close', resolve))
  await other.close()
  await closed
})

test('it listens on the loopback unless told otherwise', () =>
  assert.match(endpoint.url, /^http:\/\/127\.0\.0\.1:\d+$/))

test('where nothing could ask it, it does not listen', async () => {
  for (const port of [1719, 6000, 6669, 10_080]) {
    await assert.rejects(fetch(`http://127.0.0.1:${port}/`), (error: Error) => /bad port/.test(String(error.cause)))
    await assert.rejects(startEndpoint({ model: toyModel(), digest: 'd', port }), /is blocked for fetch/)
  }
})

test('the right token makes it ask to be closed', async () => {
  const other = await startEndpoint({ model: toyModel(), digest: 'd1', token: 't' })
  await fetch(`${other.url}/stop`, { method: 'POST', headers: { authorization: 'Bearer t' } })
  await other.asked
  await other.close()
})

test('a port that is taken, and a place where none can listen', async () => {
  const port = Number(new URL(endpoint.url).port)
  await assert.rejects(startEndpoint({ model: toyModel(), digest: 'd', port }), /port \d+ of 127.0.0.1 is taken/)
  await assert.rejects(
    startEndpoint({ model: toyModel(), digest: 'd', host: '192.0.2.1' }),
    /cannot listen on 192.0.2.1/,
  )
})
