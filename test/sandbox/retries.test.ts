import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { explained } from '../../scripts/lib/aws/errors.ts'
import { PatientRetries } from '../../scripts/lib/aws/retries.ts'
import { s3Store } from '../../scripts/lib/stores/s3.ts'
import { startWithKeys } from '../lib/stores/s3-server.ts'
import { internalError, slowDown } from './faults.ts'

describe('many requests at once', () => {
  // More than the budget that the strategies of the SDK share between requests.
  for (const [what, error] of [
    ['throttled', slowDown],
    ['failing', internalError],
  ] as const)
    it(`of which each is ${what} twice get there, since each has its own attempts`, async () => {
      const sandbox = await startWithKeys({ buckets: { logs: {} } })
      after(() => sandbox.close())
      const store = await s3Store({ bucket: 'logs', prefix: '' }, sandbox.settings)
      sandbox.s3.put('logs', 'a/b', 'x')
      const fault = sandbox.faults.add({ operation: 'ListObjectsV2', times: 128, error })
      const answers = await Promise.all(Array.from({ length: 64 }, () => store.prefixes()))
      assert.deepEqual(answers, Array(64).fill(['a/']))
      assert.equal(fault.struck(), 128)
      assert.deepEqual(sandbox.violations, [])
    })
})

describe('retries', () => {
  type Failure = Parameters<PatientRetries['refreshRetryTokenForRetry']>[1]
  /** Delays before the attempts that follow the first one. */
  async function delaysOf(failure: Failure, attempts = 8): Promise<number[]> {
    const delays: number[] = []
    const retries = new PatientRetries(attempts, async (ms) => void delays.push(ms))
    let attempt = await retries.acquireInitialRetryToken()
    for (;;) {
      const next = await retries.refreshRetryTokenForRetry(attempt, failure).catch(() => undefined)
      if (next === undefined) return delays
      attempt = next
    }
  }
  const cases: [what: string, failure: Failure, longest: number[]][] = [
    ['throttled', { errorType: 'THROTTLING' }, [500, 1000, 2000, 4000, 8000, 16_000, 20_000]],
    ['failing', { errorType: 'TRANSIENT' }, [100, 200, 400, 800, 1600, 3200, 6400]],
    [
      'throttled without a word, as a HEAD is',
      { errorType: 'TRANSIENT', error: Object.assign(new Error('503'), { $metadata: { httpStatusCode: 503 } }) },
      [500, 1000, 2000, 4000, 8000, 16_000, 20_000],
    ],
    ['refused', { errorType: 'CLIENT_ERROR' }, []],
  ]
  for (const [what, failure, longest] of cases)
    it(`${what}: ${longest.length}, each later`, async () => {
      for (let round = 0; round < 20; round++) {
        const delays = await delaysOf(failure)
        assert.equal(delays.length, longest.length)
        for (const [i, delay] of delays.entries()) assert.ok(delay >= 0 && delay <= (longest[i] ?? 0), `${delay}`)
      }
    })

  it('wait as long as they are told, within reason', async () => {
    const hinted = (seconds: number) => ({
      errorType: 'THROTTLING' as const,
      retryAfterHint: new Date(Date.now() + seconds * 1000),
    })
    assert.ok((await delaysOf(hinted(9), 2)).every((delay) => delay > 8000 && delay <= 9000))
    assert.deepEqual(await delaysOf(hinted(3600), 2), [20_000])
  })

  it('that are used up are told', () => {
    const error = Object.assign(new Error('Please reduce your request rate.'), {
      name: 'SlowDown',
      $metadata: { httpStatusCode: 503, attempts: 8 },
    })
    assert.equal(
      (explained(error, { what: 's3://logs/', action: 's3:ListBucket', resource: 'arn:aws:s3:::logs' }) as Error)
        .message,
      's3://logs/: AWS still throttles after 8 attempts (SlowDown)',
    )
  })
})
