import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Failure } from '../sandbox/athena/settings.ts'
import { fixture, startedOf } from './athena-run.ts'

const passing: [what: string, failure: Failure][] = [
  [
    'S3 throttles the engine',
    {
      when: 'ctas',
      stage: 'running',
      times: 2,
      error: { category: 2, type: 1403, retryable: false, reason: 'SlowDown' },
    },
  ],
  [
    'the engine fails, half of the rows written',
    {
      when: /pairs|"?part"? = 'train'/,
      stage: 'writing',
      partial: true,
      times: 1,
      error: { category: 1, type: 401, retryable: true, reason: 'GENERIC_INTERNAL_ERROR' },
    },
  ],
  [
    'the engine is exhausted once',
    {
      when: 'ctas',
      stage: 'running',
      times: 1,
      error: { category: 2, type: 1, retryable: false, reason: 'Query exhausted resources at this scale factor' },
    },
  ],
  [
    'a query goes back to the queue',
    {
      when: 'ctas',
      stage: 'running',
      times: 1,
      becomes: 'QUEUED',
      error: { category: 1, type: 200, retryable: true, reason: '' },
    },
  ],
]

describe('extraction with Athena goes on when', () => {
  for (const [what, failure] of passing)
    it(what, async () => {
      const all = await fixture({ athena: { failures: [failure] } })
      const { result, stderr } = await all.extract()
      assert.ok(result, stderr)
      await all.assertExtracted()
    })

  it('its calls are throttled, at the start and at every look', async () => {
    const all = await fixture()
    const error = { code: 'TooManyRequestsException', status: 400 }
    const start = all.sandbox.faults.add({ operation: 'StartQueryExecution', nth: 2, times: 2, error })
    const look = all.sandbox.faults.add({
      operation: 'GetQueryExecution',
      nth: 2,
      times: 2,
      error: { ...error, code: 'ThrottlingException' },
    })
    const { result, stderr } = await all.extract()
    assert.ok(result, stderr)
    assert.deepEqual([start.struck(), look.struck()], [2, 2])
    await all.assertExtracted()
  })

  it('the answer to a start is lost: the token makes it the same query', async () => {
    const all = await fixture()
    all.sandbox.faults.add({ operation: 'StartQueryExecution', nth: 3, times: 1, cut: 'after' })
    assert.ok((await all.extract()).result)
    assert.equal(startedOf(all, /format = 'PARQUET'/), 1)
    await all.assertExtracted()
  })
})

const ending: [what: string, failure: Failure, exit: number, says: RegExp][] = [
  [
    'a query is no SQL',
    {
      when: 'ctas',
      stage: 'running',
      error: { category: 2, type: 1006, retryable: false, reason: 'SYNTAX_ERROR: line 1:1' },
    },
    1,
    /classifying accesses: query \S+ failed: SYNTAX_ERROR: line 1:1/,
  ],
  [
    'something may not be read',
    {
      when: 'ctas',
      stage: 'running',
      error: { category: 2, type: 1501, retryable: false, reason: 'Access Denied (Service: Amazon S3)' },
    },
    4,
    /failed: Access Denied[\s\S]*needs to read the staged objects/,
  ],
  [
    'the cutoff cancels it',
    {
      when: 'ctas',
      stage: 'running',
      becomes: 'CANCELLED',
      error: { category: 2, type: 0, retryable: false, reason: 'Bytes scanned limit was exceeded' },
    },
    1,
    /was cancelled: Bytes scanned limit[\s\S]*what was scanned is charged: stage a shorter window, or raise the cutoff/,
  ],
  [
    'it is exhausted twice',
    {
      when: 'ctas',
      stage: 'running',
      error: { category: 2, type: 1, retryable: false, reason: 'Query exhausted resources' },
    },
    1,
    /Query exhausted resources[\s\S]*a shorter window, or fewer accounts/,
  ],
  [
    'it is refused at the start',
    {
      when: 'ctas',
      stage: 'start',
      error: { category: 2, type: 0, retryable: false, reason: 'Queries of this type are not supported' },
    },
    1,
    /Athena, workgroup primary: .*Queries of this type are not supported/,
  ],
  [
    'it fails in the queue for good',
    {
      when: 'ctas',
      stage: 'queued',
      error: { category: 1, type: 233, retryable: true, reason: 'INTERNAL_ERROR_QUERY_ENGINE' },
    },
    1,
    /INTERNAL_ERROR_QUERY_ENGINE/,
  ],
]

describe('extraction with Athena ends, and is taken up again, when', () => {
  for (const [what, failure, exit, says] of ending)
    it(what, async () => {
      const all = await fixture({ athena: { failures: [failure] } })
      const { code, stderr, stdout } = await all.extract()
      assert.deepEqual([code, stdout], [exit, ''], stderr)
      assert.match(stderr, says)
      all.sandbox.athena.settings.failures = []
      const { result, stderr: again } = await all.extract()
      assert.ok(result, again)
      await all.assertExtracted()
    })

  it('it is interrupted: the query is stopped, and the next one is another', async () => {
    const all = await fixture({ athena: { pace: 'manual' } })
    all.sandbox.athena.settings.pace = 'poll'
    let stopped = false
    const { code, stderr } = await all.extract(['--yes'], {
      onStderr: (soFar, kill) => {
        if (!soFar.includes('classifying') || stopped) return
        stopped = true
        all.sandbox.athena.settings.pace = 'manual'
        setTimeout(() => kill('SIGINT'), 300)
      },
    })
    assert.equal(code, 130, stderr)
    assert.match(stderr, /the same command resumes/)
    assert.equal(all.sandbox.requests.of('StopQueryExecution'), 1)
    all.sandbox.athena.settings.pace = 'instant'
    const { result, stderr: again } = await all.extract()
    assert.ok(result, again)
    await all.assertExtracted()
  })
})
