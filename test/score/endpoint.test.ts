import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UserError } from '../../scripts/lib/cli/errors.ts'
import { type EndpointSettings, endpointScorer } from '../../scripts/score/local/endpoint.ts'
import { waiting } from '../support/waiting.ts'
import { type Answer, cut, endless, faultyEndpoint, hangUp, honest, never, status, text } from './faulty-endpoint.ts'

const batch = { entities: ['e1', 'a%2Eb', 'e1'], ips: Uint32Array.of(0x0a000001, 0xffffffff, 0) }

async function scoreWith(answers: readonly Answer[], change: Partial<EndpointSettings> = {}) {
  const endpoint = await faultyEndpoint(...answers)
  const warnings: string[] = []
  const scorer = endpointScorer({
    url: endpoint.url,
    ...waiting(),
    warn: (warning) => warnings.push(warning),
    pauseMs: 1,
    ...change,
  })
  const scores = scorer.score(batch)
  return { scores, endpoint, warnings }
}

test('pairs go as CSV, scores come back in their order', async () => {
  const { scores, endpoint } = await scoreWith([honest])
  assert.deepEqual(await scores, Float64Array.of(0, 1, 2))
  assert.deepEqual(endpoint.bodies, ['e1,10.0.0.1\na%2Eb,255.255.255.255\ne1,0.0.0.0\n'])
})

for (const suffix of ['', '/', '/invocations', '/invocations/'])
  test(`the address may end in "${suffix}"`, async () => {
    const endpoint = await faultyEndpoint(honest)
    const scorer = endpointScorer({
      url: `${endpoint.url}${suffix}`,
      ...waiting(),
      warn: () => {},
    })
    assert.equal((await scorer.score(batch)).length, 3)
  })

const passing: [what: string, first: Answer, warns: RegExp][] = [
  ['a status 500', status(500, 'oops'), /status 500: oops; asking again/],
  ['a status 503', status(503), /status 503/],
  ['a status 429', status(429), /status 429/],
  ['a connection that is cut', cut, /asking again/],
  ['a connection that closes without a word', hangUp, /asking again/],
  ['no answer in time', never, /no answer within 0\.2 s/],
]

for (const [what, first, warns] of passing)
  test(`${what} is asked again`, async () => {
    const { scores, endpoint, warnings } = await scoreWith([first, first, honest], { timeoutMs: 200 })
    assert.deepEqual(await scores, Float64Array.of(0, 1, 2))
    assert.equal(endpoint.bodies.length, 3)
    assert.equal(warnings.length, 2)
    assert.match(warnings[0] ?? '', warns)
  })

test('what ails several requests at once is said once for each attempt', async () => {
  const endpoint = await faultyEndpoint(status(503))
  const warnings: string[] = []
  const scorer = endpointScorer({ url: endpoint.url, ...waiting(), warn: (text) => warnings.push(text), pauseMs: 1 })
  const ends = await Promise.allSettled([batch, batch, batch, batch].map((each) => scorer.score(each)))
  assert.ok(ends.every(({ status }) => status === 'rejected'))
  assert.equal(endpoint.bodies.length, 20)
  assert.equal(warnings.length, 4)
})

for (const [what, answer, says] of [
  ['500', status(500), /status 500, 5 times/],
  ['cut connections', cut, /5 times/],
  ['closed connections', hangUp, /5 times/],
] as const)
  test(`nothing but ${what} is an error`, async () => {
    const { scores, endpoint } = await scoreWith([answer])
    await assert.rejects(scores, (error) => {
      assert.ok(error instanceof UserError)
      assert.match(error.message, says)
      assert.match(error.hint ?? '', /deploy/)
      return true
    })
    assert.equal(endpoint.bodies.length, 5)
  })

const wrong: [what: string, answer: Answer, says: RegExp][] = [
  ['too few answers', text((i) => `{"dot_product":${i}}`, -1), /2 answers to 3 pairs/],
  ['too many answers', text((i) => `{"dot_product":${i}}`, 1), /4 answers to 3 pairs/],
  ['no answers', status(200), /0 answers to 3 pairs/],
  ['nothing but newlines', text(() => ''), /0 answers to 3 pairs/],
  ['text', text(() => 'all clear'), /answer 1 has no dot_product: "all clear"/],
  ['half an answer', text((i) => (i === 2 ? '{"dot_pro' : '{"dot_product":1}')), /answer 3 has no dot_product/],
  ['another member', text(() => '{"score":1}'), /no dot_product/],
  ['a text for a number', text(() => '{"dot_product":"1"}'), /no dot_product/],
  ['null', text(() => 'null'), /no dot_product/],
  ['a null for a number', text(() => '{"dot_product":null}'), /no dot_product/],
  ['a number that is none', text(() => '{"dot_product":1e999}'), /no dot_product/],
  ['a page', text(() => '<html>'), /no dot_product/],
  ['one JSON document', status(200, '{"predictions":[{"dot_product":1}]}'), /1 answer to 3 pairs/],
  ['a refusal', status(400, '{"error":"line 1: no"}'), /status 400: \{"error":"line 1: no"\}/],
  ['no such path', status(404), /status 404/],
  ['a redirect', status(302), /status 302/],
  ['an answer without end', endless, /longer than/],
]

for (const [what, answer, says] of wrong)
  test(`${what} is an error at once, never an all-clear`, async () => {
    const { scores, endpoint } = await scoreWith([answer])
    await assert.rejects(scores, (error) => {
      assert.ok(error instanceof UserError, String(error))
      assert.match(error.message, says)
      return true
    })
    assert.equal(endpoint.bodies.length, 1)
  })

test('a stop ends it promptly, even while nothing comes', async () => {
  const controller = new AbortController()
  const { scores } = await scoreWith([never], { signal: controller.signal })
  controller.abort(new Error('stopped'))
  await assert.rejects(scores, /stopped/)
})

test('a stop ends the pause before the next attempt', async () => {
  const controller = new AbortController()
  const warn = () => controller.abort(new Error('stopped'))
  const { scores } = await scoreWith([status(500)], { ...waiting(controller.signal), pauseMs: 60_000, warn })
  await assert.rejects(scores)
})

test('nobody there', async () => {
  const endpoint = await faultyEndpoint(honest)
  await new Promise((resolve) => endpoint.server.close(resolve))
  const settings = { url: endpoint.url, ...waiting(), warn: () => {}, pauseMs: 1 }
  await assert.rejects(endpointScorer(settings).score(batch), /ECONNREFUSED.*5 times/)
})
