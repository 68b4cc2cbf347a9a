import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ModelError } from '@aws-sdk/client-sagemaker-runtime'
import { throttled } from './sagemaker/failures.ts'
import { createConfig, createEndpoint, deployed, fails, invoke, ON_INSTANCE, sandbox } from './sagemaker-client.ts'

const CSV = 'user_1,31.77.0.5\nuser_2,31.77.0.5\n'
type Prediction = { dot_product: number; entity_embedding?: number[]; ip_embedding?: number[] }
const predictionsOf = (answer: string) => (JSON.parse(answer) as { predictions: Prediction[] }).predictions

describe('InvokeEndpoint', () => {
  test('takes three formats and answers in two, with equal scores', async () => {
    await deployed()
    const predictions = predictionsOf(await invoke(CSV))
    assert.equal(predictions.length, 2)
    const features = [
      ['user_1', '31.77.0.5'],
      ['user_2', '31.77.0.5'],
    ]
    const json = JSON.stringify({
      instances: [{ data: { features: { values: features[0] } } }, { features: features[1] }],
    })
    assert.deepEqual(predictionsOf(await invoke(json, { ContentType: 'application/json' })), predictions)
    const lines = features.map((values) => `${JSON.stringify({ data: { features: { values } } })}\n`).join('')
    const answer = await invoke(lines, { ContentType: 'application/jsonlines', Accept: 'application/jsonlines' })
    assert.deepEqual(
      answer
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
      predictions,
    )
  })

  test('adds embeddings when asked', async () => {
    await deployed()
    const [first] = predictionsOf(await invoke(CSV, { Accept: 'application/json;verbose=True' }))
    assert.deepEqual([first?.entity_embedding?.length, first?.ip_embedding?.length], [8, 8])
  })

  const malformed: [what: string, body: string, more: Parameters<typeof invoke>[1], status: number, text: RegExp][] = [
    ['one field', 'user_1\n', {}, 400, /line 1: two fields/],
    ['no address', 'user_1,host\n', {}, 400, /line 1: "host" is not a dotted IPv4/],
    ['no JSON', '{', { ContentType: 'application/json' }, 400, /the body: /],
    ['another type', 'x', { ContentType: 'application/x-recordio-protobuf' }, 400, /content type/],
    ['CSV wanted', CSV, { Accept: 'text/csv' }, 406, /answers are application\/json/],
  ]
  for (const [what, body, more, status, text] of malformed)
    test(`has the container refuse ${what}`, async () => {
      await deployed()
      await assert.rejects(invoke(body, more), (error: unknown) => {
        assert.ok(error instanceof ModelError)
        assert.equal(error.$metadata.httpStatusCode, 424)
        assert.equal(error.OriginalStatusCode, status)
        assert.match(error.OriginalMessage ?? '', text)
        assert.match(error.message, /^Received client error \(40.\) from primary with message "/)
        return true
      })
    })

  test('does not find an endpoint that is missing, being created or failed', async () => {
    await deployed()
    const missing = (name: string) => ({
      name: 'ValidationError',
      message: `Endpoint ${name} of account 111122223333 not found.`,
    })
    await fails(invoke(CSV, { EndpointName: 'none' }), missing('none'))
    await createEndpoint('endpoint-2')
    await fails(invoke(CSV, { EndpointName: 'endpoint-2' }), missing('endpoint-2'))
    sandbox.sagemaker.settings.failures.push({ kind: 'endpoint', stage: 'Creating', reason: 'x' })
    await sandbox.sagemaker.settle()
    await fails(invoke(CSV, { EndpointName: 'endpoint-2' }), missing('endpoint-2'))
  })

  test('takes bodies up to 4 MB of a serverless endpoint, 6 MB of instances', async () => {
    await deployed()
    const oversize = { name: 'ValidationError', message: /^Request \S+ has oversize body\.$/ }
    const line = `${'u'.repeat(1000)},31.77.0.5\n`
    const bodyOf = (bytes: number) => line.repeat(Math.ceil(bytes / line.length))
    await fails(invoke(bodyOf(4 * 2 ** 20 + 2000)), oversize)
    assert.equal(predictionsOf(await invoke(bodyOf(2 ** 20))).length, Math.ceil(2 ** 20 / line.length))
    await deployedOnInstance()
    await invoke(bodyOf(4 * 2 ** 20 + 2000), { EndpointName: 'endpoint-2' })
    await fails(invoke(bodyOf(6 * 2 ** 20 + 2000), { EndpointName: 'endpoint-2' }), oversize)
  })

  test('finds a serverless endpoint cold at first, one on instances never', async () => {
    await deployed()
    await deployedOnInstance()
    const { settings } = sandbox.sagemaker
    settings.coldStart = { invocations: 2, error: 'ModelNotReadyException', delay: 1 }
    await fails(invoke(CSV), { name: 'ModelNotReadyException', status: 429, message: /still being provisioned/ })
    settings.coldStart = { invocations: 2, error: 'ServiceUnavailable' }
    await fails(invoke(CSV), { name: 'ServiceUnavailable', status: 503, message: /unavailable/ })
    await invoke(CSV)
    await invoke(CSV, { EndpointName: 'endpoint-2' })
    settings.coldStart = { invocations: 10, delay: 1 }
    await invoke(CSV)
  })

  test('does no more at once than MaxConcurrency on a serverless endpoint', async () => {
    await deployed({ ServerlessConfig: { MemorySizeInMB: 3072, MaxConcurrency: 1 } })
    let open = () => {}
    const until = new Promise<void>((resolve) => {
      open = resolve
    })
    sandbox.sagemaker.settings.coldStart = { invocations: 1, until }
    const first = invoke(CSV)
    const serving = sandbox.sagemaker.endpoints.all.get('endpoint-1')
    while (serving?.inFlight === 0) await new Promise(setImmediate)
    await fails(invoke(CSV), { name: 'ThrottlingException', message: 'Rate exceeded' })
    open()
    await first
    await invoke(CSV)
  })

  test('is throttled, denied, or hits a server error', async () => {
    await deployed()
    sandbox.faults.add({ operation: 'InvokeEndpoint', resource: 'endpoint-1', times: 1, error: throttled })
    await fails(invoke(CSV), { name: 'ThrottlingException', message: 'Rate exceeded' })
    sandbox.faults.add({ operation: 'InvokeEndpoint', times: 1, error: { code: 'InternalFailure', status: 500 } })
    await fails(invoke(CSV), { name: 'InternalFailure', status: 500, message: 'InternalFailure' })
    sandbox.s3.deny({ action: 'sagemaker:InvokeEndpoint', resource: 'endpoint-1' })
    await fails(invoke(CSV), { name: 'AccessDeniedException', message: /sagemaker:InvokeEndpoint/ })
    assert.equal(sandbox.requests.of('InvokeEndpoint'), 3)
  })
})

async function deployedOnInstance(): Promise<void> {
  await createConfig('config-2', ON_INSTANCE)
  await createEndpoint('endpoint-2', 'config-2')
  await sandbox.sagemaker.settle()
}
