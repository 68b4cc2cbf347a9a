import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { explainedFailure, isWorthAnother, QueryFailed } from '../../../scripts/lib/aws/athena/failure.ts'
import { Attempts } from '../../../scripts/lib/engines/athena/attempts.ts'
import type { Saved } from '../../../scripts/lib/runs/checkpoints.ts'

type Status = ConstructorParameters<typeof QueryFailed>[1]

const failed = (AthenaError: Status['AthenaError'] = {}, StateChangeReason = 'why'): Status => ({
  State: 'FAILED',
  StateChangeReason,
  AthenaError,
})
const cancelled = (StateChangeReason: string): Status => ({ State: 'CANCELLED', StateChangeReason })
const workgroup = { name: 'primary', enforced: false, outputLocation: undefined, managed: false, cutoff: 10_000_000 }

/** An Athena whose queries end as told, one after the other. */
function engine(...ends: (Status | 'SUCCEEDED')[]) {
  const started: { sql: string; token: string; id: string }[] = []
  const finished: string[] = []
  return {
    started,
    finished,
    workgroup,
    sleep: async () => {},
    start: async (sql: string, token: string) => {
      const same = started.find((query) => query.token === token)
      const id = same?.id ?? `query-${started.length + 1}`
      if (same === undefined) started.push({ sql, token, id })
      return id
    },
    finish: async (id: string) => {
      finished.push(id)
      const end = ends[Number(id.slice(6)) - 1] ?? 'SUCCEEDED'
      if (end !== 'SUCCEEDED') throw new QueryFailed(id, end)
      return { id, scannedBytes: 100 }
    },
  }
}

function checkpointOf(saved: Saved<'extract'> = {}) {
  const checkpoint = {
    saved,
    now: { ...saved },
    save: async (more: Saved<'extract'>) => {
      Object.assign(checkpoint.now, structuredClone(more))
    },
  }
  return checkpoint
}

const sqlOf = ({ name }: { name: string }) => `select '${name}'`

describe('whether another attempt is worth it', () => {
  const cases: [what: string, status: Status, attempts: number, worth: boolean][] = [
    ['AWS says so', failed({ Retryable: true, ErrorCategory: 3 }), 1, true],
    ['an error of the system', failed({ ErrorCategory: 1, ErrorType: 233 }), 2, true],
    ['three of them are enough', failed({ ErrorCategory: 1, ErrorType: 233 }), 3, false],
    ['S3 throttles', failed({ ErrorCategory: 2, ErrorType: 1403 }), 1, true],
    ['Glue throttles', failed({ ErrorCategory: 2, ErrorType: 1401 }), 1, true],
    ['a result that could not be written', failed({ ErrorCategory: 2, ErrorType: 401 }), 1, true],
    ['exhausted', failed({ ErrorCategory: 2, ErrorType: 2 }), 1, true],
    ['exhausted again', failed({ ErrorCategory: 1, ErrorType: 2, Retryable: true }), 2, false],
    ['timed out, whoever is to blame', failed({ Retryable: true, ErrorCategory: 1, ErrorType: 206 }), 1, false],
    ['timed out', failed({ ErrorCategory: 1, ErrorType: 210 }), 1, false],
    ['a table of too many versions', failed({ ErrorCategory: 2, ErrorType: 1402 }), 1, false],
    ['a wrong text', failed({ ErrorCategory: 2, ErrorType: 1006 }), 1, false],
    ['no right to', failed({ ErrorCategory: 2, ErrorType: 1500 }), 1, false],
    ['cancelled', cancelled('Query cancelled by user'), 1, false],
    ['nothing known', failed(undefined), 1, false],
  ]
  for (const [what, status, attempts, worth] of cases)
    it(what, () => assert.equal(isWorthAnother(new QueryFailed('q', status), attempts), worth))
})

describe('a failure that stays', () => {
  const doing = { what: 'classifying accesses', cutoff: 10_000_000, bytes: (n: number) => `${n} B` }
  const cases: [status: Status, says: RegExp, hint: RegExp, exitCode: number][] = [
    [
      cancelled('Bytes scanned limit was exceeded'),
      /was cancelled: Bytes scanned/,
      /after 10000000 B of scanned data.*charged.*shorter window/,
      1,
    ],
    [cancelled('Query cancelled by user'), /was cancelled/, /somebody stopped it/, 1],
    [
      failed({ ErrorType: 1 }, 'Query exhausted resources at this scale factor'),
      /failed: Query exhausted/,
      /shorter window/,
      1,
    ],
    [failed({ ErrorType: 210 }, 'Query timeout'), /failed: Query timeout/, /shorter window.*DML query timeout/, 1],
    [failed({ ErrorType: 1402 }, 'TooManyVersions'), /failed: TooManyVersions/, /batch-delete-table-version/, 1],
    [failed({ ErrorType: 1500 }, 'no permission'), /failed: no permission/, /the caller needs/, 4],
    [failed({}, 'Insufficient permissions to execute the query'), /failed/, /the caller needs/, 1],
    [
      failed(
        { ErrorType: 1003 },
        'MetaException(message:Insufficient Lake Formation permission(s): Required Create Database on Catalog',
      ),
      /failed: MetaException/,
      /Lake Formation guards this catalog/,
      4,
    ],
    [failed({ ErrorType: 1100 }, 'HIVE_BAD_DATA: Malformed'), /HIVE_BAD_DATA/, /on this machine names it/, 1],
    [failed({}, 'HIVE_PATH_ALREADY_EXISTS: s3://b/p'), /HIVE_PATH/, /--overwrite/, 1],
    [{ State: 'FAILED' }, /failed: Athena gives no reason/, /same command/, 1],
  ]
  for (const [status, says, hint, exitCode] of cases)
    it(`${status.State}: ${status.StateChangeReason}`, () => {
      const error = explainedFailure(new QueryFailed('q1', status), doing)
      assert.match(error.message, /^classifying accesses: query q1 /)
      assert.match(error.message, says)
      assert.match(error.hint ?? '', hint)
      assert.equal(error.exitCode, exitCode)
    })
})

describe('attempts at a statement', () => {
  it('note the query before it is waited for, under a token of its own', async () => {
    const athena = engine()
    const checkpoint = checkpointOf()
    const attempts = new Attempts(athena, checkpoint, 'run')
    const done = await attempts.run('train', 'writing', sqlOf)
    assert.match(done.attempt.name, /^train_[0-9a-f]{6}_1$/)
    assert.match(athena.started[0]?.token ?? '', /^[0-9a-f]{64}$/)
    assert.deepEqual(checkpoint.now.queries, { train: { attempt: 1, id: 'query-1' } })
    assert.equal(attempts.scannedBytes, 100)
  })

  it('take another place after a failure, and say which were begun', async () => {
    const athena = engine(failed({ Retryable: true }), failed({ ErrorCategory: 1 }))
    const attempts = new Attempts(athena, checkpointOf(), 'run')
    const done = await attempts.run('train', 'writing', sqlOf)
    assert.match(done.attempt.name, /_3$/)
    assert.equal(new Set(athena.started.map(({ sql }) => sql)).size, 3)
    assert.equal(attempts.begun('train').length, 3)
    assert.deepEqual(attempts.begun('holdout'), [])
  })

  it('end with the failure, and begin at the next place then', async () => {
    const athena = engine(failed({ ErrorType: 1006 }, 'line 1: mismatched input'))
    const checkpoint = checkpointOf()
    await assert.rejects(new Attempts(athena, checkpoint, 'run').run('train', 'writing', sqlOf), {
      message: 'writing: query query-1 failed: line 1: mismatched input',
    })
    const again = new Attempts(athena, checkpointOf(checkpoint.now), 'run')
    assert.match((await again.run('train', 'writing', sqlOf)).attempt.name, /_2$/)
  })

  it('are taken up where an earlier process left them: nothing is started twice', async () => {
    const athena = engine()
    const checkpoint = checkpointOf()
    await new Attempts(athena, checkpoint, 'run').run('train', 'writing', sqlOf)
    const again = await new Attempts(athena, checkpointOf(checkpoint.now), 'run').run('train', 'writing', sqlOf)
    assert.equal(again.id, 'query-1')
    assert.equal(athena.started.length, 1)
  })

  it('are the same query when the process died before its id was noted', async () => {
    const athena = engine()
    const checkpoint = checkpointOf()
    await new Attempts(athena, checkpoint, 'run').run('train', 'writing', sqlOf)
    const { salt = '' } = checkpoint.now
    const before = { salt, queries: { train: { attempt: 1, id: null } } }
    await new Attempts(athena, checkpointOf(before), 'run').run('train', 'writing', sqlOf)
    assert.equal(athena.started.length, 1)
  })

  it('go on after a query that was stopped with the process that waited for it', async () => {
    const athena = engine(cancelled('Query cancelled by user'))
    const checkpoint = checkpointOf({ salt: 'a1b2c3', queries: { train: { attempt: 1, id: 'query-1' } } })
    athena.started.push({ sql: '', token: 'earlier', id: 'query-1' })
    const done = await new Attempts(athena, checkpoint, 'run').run('train', 'writing', sqlOf)
    assert.equal(done.attempt.name, 'train_a1b2c3_2')
  })
})
