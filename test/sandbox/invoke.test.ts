import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime'
import { type InvokeSettings, invoker } from '../../scripts/lib/aws/sagemaker/invoke.ts'
import { UserError } from '../../scripts/lib/cli/errors.ts'
import { formatIpv4 } from '../../scripts/lib/insights/ipv4.ts'
import { deployed, endpoints, home, ON_INSTANCE, SERVERLESS, sandbox } from './sagemaker-client.ts'

const never = new AbortController().signal
const lineOf = (entity: number, ip: number) => `user_${entity},${formatIpv4(ip)}`

const hosted = (signal = never) => ({
  signal,
  now: () => new Date(),
  sleep: async (ms: number) => void (await setTimeout(ms, undefined, { signal })),
})

const ask = (lines: readonly string[], settings: Partial<InvokeSettings> = {}, name = 'endpoint-1') =>
  invoker(endpoints, name, { ...hosted(settings.signal), pauseMs: 1, ...settings })(lines)

const failing =
  (message: RegExp | string, code = 1) =>
  (error: unknown) => {
    assert.ok(error instanceof UserError, String(error))
    if (typeof message === 'string') assert.equal(error.message, message)
    else assert.match(error.message, message)
    assert.equal(error.exitCode, code)
    return true
  }

describe('asking an endpoint', () => {
  test('answers stand in the order of the lines, however many requests they take', async () => {
    await deployed(ON_INSTANCE)
    const pairs = Array.from({ length: 21_003 }, (_, i) => lineOf(i % 12, home((i * 7) % 12) + (i % 250)))
    const scores = await ask(pairs)
    assert.equal(scores.length, pairs.length)
    assert.ok(sandbox.requests.of('InvokeEndpoint') < 15)
    for (const i of [0, 9999, 10_000, 15_001, 21_002])
      assert.deepEqual(await ask([pairs[i] as string]), [scores[i]], `line ${i}`)
    assert.deepEqual(await ask([]), [])
  })

  test('requests stay below the limit of bytes, and so many at once', async () => {
    await deployed()
    const long = 'x'.repeat(60_000)
    const pairs = Array.from({ length: 250 }, () => `${long},198.51.100.7`)
    await ask(pairs, { concurrency: 2 })
    assert.equal(sandbox.requests.of('InvokeEndpoint'), 8)
    assert.ok(sandbox.requests.mostInFlight('InvokeEndpoint') <= 2)
  })

  test('throttling, failures of the service, lost connections and a cold start are waited for, and told', async () => {
    await deployed(SERVERLESS)
    sandbox.sagemaker.settings.coldStart = { invocations: 4, error: 'ModelNotReadyException' }
    const operation = 'InvokeEndpoint'
    sandbox.faults.add({ operation, times: 2, error: { code: 'ThrottlingException', status: 429, message: 'Rate' } })
    sandbox.faults.add({ operation, times: 1, error: { code: 'ServiceUnavailable', status: 503 } })
    sandbox.faults.add({ operation, times: 1, error: { code: 'InternalFailure', status: 500 } })
    sandbox.faults.add({ operation, times: 1, cut: 'after' })
    const told: string[] = []
    const [score = Number.NaN] = await ask([lineOf(1, home(1))], { onRetry: (reason) => told.push(reason) })
    assert.ok(score > 0)
    // Of four cold invocations one was cut off.
    assert.equal(told.length, 8)
    assert.ok(told.some((text) => /ThrottlingException/.test(text)))
    assert.ok(told.some((text) => text.includes('the model is being loaded (ModelNotReadyException); asking again')))
  })

  test('requests are short at first, and grow while they are answered quickly', async () => {
    await deployed(ON_INSTANCE)
    let at = 0
    const lengths: number[] = []
    const client = {
      send: async (command: InvokeEndpointCommand) => {
        const lines = Buffer.from(command.input.Body as Uint8Array)
          .toString()
          .trim()
          .split('\n').length
        lengths.push(lines)
        at += lines > 2000 ? 6000 : 10
        return endpoints.send(command)
      },
    } as unknown as SageMakerRuntimeClient
    const pairs = Array.from({ length: 15_000 }, (_, i) => lineOf(i % 12, home(1)))
    const now = () => new Date(at)
    const scores = await invoker(client, 'endpoint-1', { ...hosted(), now, concurrency: 1 })(pairs)
    assert.equal(scores.length, pairs.length)
    assert.deepEqual(lengths, [1000, 2000, 4000, 4000, 4000])
  })

  test('a container that gives no answer is starting: it is asked again, and never taken for one that refuses', async () => {
    await deployed(SERVERLESS)
    sandbox.sagemaker.settings.coldStart = { invocations: 8, error: 'ModelError' }
    const told: string[] = []
    const [score = Number.NaN] = await ask([lineOf(1, home(1))], { onRetry: (reason) => told.push(reason) })
    assert.ok(score > 0)
    assert.equal(told.length, 8)
    assert.match(told[0] ?? '', /Received server error \(0\) from primary/)
  })

  test('what takes longer than a minute is asked in halves', async () => {
    await deployed(SERVERLESS)
    const pairs = Array.from({ length: 2500 }, (_, i) => lineOf(i % 12, home((i * 7) % 12) + (i % 250)))
    const expected = await ask(pairs)
    sandbox.sagemaker.settings.linesInTime = 130
    assert.deepEqual(await ask(pairs), expected)
    sandbox.sagemaker.settings.linesInTime = 0
    await assert.rejects(
      ask(pairs, { patienceMs: 30 }),
      failing(/^endpoint endpoint-1: the model gives no answer: .*timed out/),
    )
  })

  test('a line that the model refuses is named, with its number among all', async () => {
    await deployed()
    const pairs = Array.from({ length: 10_020 }, (_, i) => lineOf(i % 12, home(1) + (i % 250)))
    pairs[10_010] = 'john.doe,198.51.100.7'
    await assert.rejects(
      ask(pairs),
      failing(/^endpoint endpoint-1 refuses line 10011, "john\.doe,198\.51\.100\.7": status 400: line \d+: the entity/),
    )
  })

  test('an endpoint that is not there', async () => {
    await assert.rejects(
      ask(['a,1.2.3.4'], {}, 'nowhere'),
      failing(/^there is no endpoint nowhere in service here: Endpoint nowhere of account 111122223333 not found/),
    )
    assert.equal(sandbox.requests.of('InvokeEndpoint'), 1)
  })

  test('one that must not be asked', async () => {
    await deployed()
    sandbox.s3.deny({ action: 'sagemaker:InvokeEndpoint' })
    await assert.rejects(
      ask(['a,1.2.3.4']),
      failing(/^endpoint endpoint-1: access denied: .*sagemaker:InvokeEndpoint/, 4),
    )
  })

  test('patience has an end; what is broken for good ends sooner', async () => {
    await deployed()
    const operation = 'InvokeEndpoint'
    const busy = sandbox.faults.add({ operation, error: { code: 'ThrottlingException', status: 429, message: 'Rate' } })
    await assert.rejects(ask(['a,1.2.3.4'], { patienceMs: 30 }), failing(/^endpoint endpoint-1: AWS still throttles/))
    busy.remove()
    const broken = sandbox.faults.add({ operation, error: { code: 'InternalFailure', status: 500 } })
    await assert.rejects(ask(['a,1.2.3.4']), failing(/^endpoint endpoint-1: AWS failed/))
    assert.equal(broken.struck(), 6)
  })

  test('Ctrl-C ends the waiting', async () => {
    await deployed()
    sandbox.faults.add({ operation: 'InvokeEndpoint', error: { code: 'ThrottlingException', status: 429 } })
    const stop = new AbortController()
    const asked = ask(['a,1.2.3.4'], { signal: stop.signal, pauseMs: 60_000, onRetry: () => stop.abort() })
    await assert.rejects(asked, { name: 'AbortError' })
  })
})

describe('answers that are none', () => {
  const answering = (body: string) =>
    ({ send: async () => ({ Body: Buffer.from(body) }) }) as unknown as SageMakerRuntimeClient
  const refusing = (reject: (line: string) => boolean) =>
    ({
      send: async ({ input: { Body } }: { input: { Body: Buffer } }) => {
        const lines = Body.toString().trim().split('\n')
        if (lines.some(reject))
          throw Object.assign(new Error('no'), {
            name: 'ModelError',
            OriginalStatusCode: 415,
            OriginalMessage: 'no CSV',
          })
        return { Body: Buffer.from('{"dot_product":1}\n'.repeat(lines.length)) }
      },
    }) as unknown as SageMakerRuntimeClient
  const of = (client: SageMakerRuntimeClient) => invoker(client, 'e', { ...hosted(), pauseMs: 1 })

  const cases: [what: string, body: string, message: string][] = [
    ['too few', '{"dot_product":1}\n', 'endpoint e: 1 answer to 2 pairs, so none can be trusted'],
    ['none', '', 'endpoint e: 0 answers to 2 pairs, so none can be trusted'],
    [
      'not a number',
      '{"dot_product":1}\n{"dot_product":"NaN"}\n',
      'endpoint e: answer 2 has no dot_product: "{\\"dot_product\\":\\"NaN\\"}"',
    ],
    [
      'endless',
      '{"dot_product":1e999}\n{"dot_product":1}\n',
      'endpoint e: answer 1 has no dot_product: "{\\"dot_product\\":1e999}"',
    ],
    ['no JSON', 'a\nb\n', 'endpoint e: answer 1 has no dot_product: "a"'],
  ]
  for (const [what, body, message] of cases)
    test(what, () => assert.rejects(of(answering(body))(['a,1.2.3.4', 'b,1.2.3.4']), failing(message)))

  test('a refusal that names no line is traced to its line', async () => {
    const lines = Array.from({ length: 77 }, (_, i) => `e${i},1.2.3.4`)
    await assert.rejects(
      of(refusing((line) => line.startsWith('e41,')))(lines),
      failing('endpoint e refuses line 42, "e41,1.2.3.4": status 415: no CSV'),
    )
  })
})
