import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Failure } from '../aws/athena/settings.ts'
import type { Sandbox } from '../aws/start.ts'
import { athenaWorld, linesAt } from '../support/athena-world.ts'
import { runScript } from '../support/run-script.ts'
import { stagedRun } from '../support/staged-run.ts'
import { tempFolder } from '../support/temp.ts'

const KEY =
  'AWSLogs/012345678901/CloudTrail/us-east-1/2026/03/02/012345678901_CloudTrail_us-east-1_20260302T1005Z_a.json.gz'

const event = (hour: number, name: string, ip: string) => ({
  eventTime: `2026-03-02T${String(hour).padStart(2, '0')}:00:00Z`,
  eventID: `${hour}-${name}-${ip}`,
  eventType: 'AwsApiCall',
  sourceIPAddress: ip,
  userIdentity: {
    type: 'IAMUser',
    principalId: name,
    arn: `arn:aws:iam::012345678901:user/${name}`,
    accountId: '012345678901',
  },
})

const EVENTS = [
  event(1, 'AIDA1', '8.8.8.8'),
  event(2, 'AIDA1', '8.8.8.8'),
  event(3, 'o.x', '8.8.4.4'),
  event(22, 'AIDA1', '9.9.9.9'),
]
const TRAIN = ['AIDA1,8.8.8.8', 'AIDA1,8.8.8.8', 'o%2Ex,8.8.4.4']
const HOLDOUT = ['AIDA1,9.9.9.9']

const fileOf = (records: readonly unknown[]): Buffer => gzipSync(JSON.stringify({ Records: records }))

/** A run that is staged in S3: in the workspace `prestage`, or in another one. */
async function stagedIn(sandbox: Sandbox, workspace: string, body: Buffer): Promise<string> {
  const folder = tempFolder()
  const { id } = await stagedRun(`${folder}/${workspace}`, { [KEY]: body })
  await sandbox.s3.load('org-staging', folder)
  return id
}

async function world(settings: Parameters<typeof athenaWorld>[0] = {}, body: Buffer = fileOf(EVENTS)) {
  const { sandbox, run } = await athenaWorld(settings)
  const id = await stagedIn(sandbox, 'prestage', body)
  const extract = (args: readonly string[] = ['--yes'], options: Parameters<typeof run>[2] = {}) =>
    run('extract', args, options)
  const assertExtracted = async (tables = ['prestage.cloudtrail']) => {
    assert.deepEqual(await linesAt(sandbox, id, 'pairs/train/'), TRAIN)
    assert.deepEqual(await linesAt(sandbox, id, 'pairs/holdout/'), HOLDOUT)
    assert.deepEqual(await linesAt(sandbox, id, 'entities.csv'), ['AIDA1,2,1', 'o%2Ex,1,1'])
    assert.deepEqual(sandbox.athena.catalog.names().sort(), tables)
    assert.deepEqual(sandbox.s3.keys('org-staging', `prestage/runs/${id}/tmp/`), [])
    assert.deepEqual(sandbox.violations, [])
  }
  return { sandbox, id, extract, assertExtracted }
}

/** Statements of a kind that were started. */
const startedOf = ({ sandbox }: Awaited<ReturnType<typeof world>>, text: RegExp): number =>
  sandbox.athena.queries.all.filter((query) => text.test(query.text)).length

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
      const all = await world({ athena: { failures: [failure] } })
      const { result, stderr } = await all.extract()
      assert.ok(result, stderr)
      await all.assertExtracted()
    })

  it('its calls are throttled, at the start and at every look', async () => {
    const all = await world()
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
    const all = await world()
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
      const all = await world({ athena: { failures: [failure] } })
      const { code, stderr, stdout } = await all.extract()
      assert.deepEqual([code, stdout], [exit, ''], stderr)
      assert.match(stderr, says)
      all.sandbox.athena.settings.failures = []
      const { result, stderr: again } = await all.extract()
      assert.ok(result, again)
      await all.assertExtracted()
    })

  it('it is killed, whatever runs then: nothing is asked twice', async () => {
    for (const moment of [
      'classifying',
      'counting\n',
      'pairs of train',
      'reading them back',
      'pairs of holdout',
      'counting entities',
      'cleaning up',
    ]) {
      const all = await world()
      const { signal, stderr } = await all.extract(['--yes'], {
        onStderr: (soFar, kill) => {
          if (soFar.includes(moment)) kill('SIGKILL')
        },
      })
      assert.equal(signal, 'SIGKILL', `${moment}: ${stderr}`)
      const { result, stderr: again } = await all.extract()
      assert.ok(result, `${moment}: ${again}`)
      await all.assertExtracted()
      assert.equal(startedOf(all, /format = 'PARQUET'/), 1, moment)
    }
  })

  it('it is interrupted: the query is stopped, and the next one is another', async () => {
    const all = await world({ athena: { pace: 'manual' } })
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

describe('workgroups', () => {
  it('that enforce a place of their own give it: pairs end up in the run all the same', async () => {
    const all = await world({
      athena: { workgroups: { primary: { enforced: true, outputLocation: 's3://org-staging/results/' } } },
    })
    const { result, stderr } = await all.extract()
    assert.ok(result, stderr)
    await all.assertExtracted()
    // What a query notes about itself is the workgroup's own.
    const left = all.sandbox.s3.keys('org-staging', 'results/tables/').filter((key) => !key.endsWith('-manifest.csv'))
    assert.deepEqual(left, [])
  })

  it('that keep results themselves do so', async () => {
    const all = await world({ athena: { workgroups: { primary: { enforced: true, managed: true } } } })
    const { result, stderr } = await all.extract()
    assert.ok(result, stderr)
    await all.assertExtracted()
  })

  it('that nobody may look at are taken to decide nothing', async () => {
    const all = await world()
    all.sandbox.s3.deny({ action: 'athena:GetWorkGroup' })
    const { result, stderr } = await all.extract()
    assert.ok(result, stderr)
    assert.match(stderr, /athena:GetWorkGroup on primary is not allowed/)
  })

  const wrong: [what: string, workgroups: Record<string, object>, args: string[], exit: number, says: RegExp][] = [
    ['are not there', { primary: {} }, ['--workgroup', 'security'], 2, /Athena has no workgroup security in us-east-1/],
    ['are switched off', { primary: { state: 'DISABLED' } }, [], 1, /workgroup primary is switched off/],
  ]
  for (const [what, workgroups, args, exit, says] of wrong)
    it(`that ${what} are named`, async () => {
      const all = await world({ athena: { workgroups } })
      const { code, stderr } = await all.extract(['--yes', ...args])
      assert.equal(code, exit, stderr)
      assert.match(stderr, says)
      assert.equal(all.sandbox.requests.of('StartQueryExecution'), 0)
    })

  it('with a cutoff show it in the plan', async () => {
    const all = await world({ athena: { workgroups: { primary: { cutoff: 10_000_000 } } } })
    const { result, code } = await all.extract(['--dry-run'])
    assert.equal(code, 0)
    assert.equal(result.engine, 'athena')
    assert.ok(result.estimatedUsd > 0)
    const asked = await all.extract([])
    assert.equal(asked.code, 3)
    assert.match(asked.stderr, /which stops a query after 10\.0 MB[\s\S]*scanned once[\s\S]*needs a confirmation/)
    assert.equal(all.sandbox.requests.of('StartQueryExecution'), 0)
  })
})

describe('what Athena wrote is not believed when', () => {
  it('it is compressed', async () => {
    const all = await world({ athena: { compression: 'always' } })
    const { code, stderr } = await all.extract()
    assert.equal(code, 1)
    assert.match(stderr, /pairs\/train\/.* is compressed\n {2}nothing of it is used/)
  })

  it('nothing is a pair: the counts are told, and earlier pairs stay', async () => {
    const all = await world({}, fileOf([{ ...event(1, 'a', 'AWS Internal') }, event(2, 'b', '10.0.0.1')]))
    const { code, stderr } = await all.extract()
    assert.equal(code, 1)
    assert.match(
      stderr,
      /none of 2 records is a pair\n +(aws-internal: 1\n +private-address: 1|private-address: 1\n +aws-internal: 1)/,
    )
    assert.deepEqual(all.sandbox.athena.catalog.names(), ['prestage.cloudtrail'])
  })

  it('an object is damaged', async () => {
    const all = await world({}, Buffer.from('no gzip at all'))
    const { code, stderr } = await all.extract()
    assert.equal(code, 1)
    assert.match(stderr, /classifying accesses: query \S+ failed: HIVE_[\s\S]*extracting on this machine names it/)
  })

  it('staged objects are gone', async () => {
    const all = await world()
    all.sandbox.s3.delete('org-staging', `prestage/runs/${all.id}/staged/${KEY}`)
    const { code, stderr } = await all.extract()
    assert.equal(code, 1)
    assert.match(stderr, /1 objects were staged, 0 are there/)
  })
})

describe('a rerun', () => {
  it('is told that it was done, asks nothing and costs nothing', async () => {
    const all = await world()
    await all.extract()
    const before = all.sandbox.requests.of('StartQueryExecution')
    const { result } = await all.extract([])
    assert.equal(result.repeated, true)
    assert.equal(all.sandbox.requests.of('StartQueryExecution'), before)
  })

  it('is done anew when the pairs are gone', async () => {
    const all = await world()
    await all.extract()
    for (const key of all.sandbox.s3.keys('org-staging', `prestage/runs/${all.id}/pairs/`))
      all.sandbox.s3.delete('org-staging', key)
    const { result, stderr } = await all.extract()
    assert.equal(result?.repeated, false, stderr)
    await all.assertExtracted()
  })

  it('refuses other settings without --overwrite, and replaces all of it with it', async () => {
    const all = await world()
    await all.extract()
    const refused = await all.extract(['--yes', '--entity', 'arn'])
    assert.equal(refused.code, 2)
    const { result, stderr } = await all.extract(['--yes', '--entity', 'arn', '--overwrite'])
    assert.ok(result, stderr)
    assert.equal((await linesAt(all.sandbox, all.id, 'pairs/train/')).length, 3)
  })

  it('never changes a table that is another workspace’s', async () => {
    const all = await world()
    await all.extract()
    await stagedIn(all.sandbox, 'other', fileOf(EVENTS))
    const args = ['--workspace', 's3://org-staging/other', '--yes']
    const { code, stderr } = await runScript('extract', args, { env: all.sandbox.env })
    assert.equal(code, 1)
    assert.match(
      stderr,
      /table prestage\.cloudtrail is not the one for s3:\/\/org-staging\/other: it reads s3:\/\/org-staging\/prestage/,
    )
    const own = await runScript('extract', [...args, '--database', 'other'], { env: all.sandbox.env })
    assert.equal(own.code, 0, own.stderr)
    await all.assertExtracted(['other.cloudtrail', 'prestage.cloudtrail'])
  })

  it('takes no flag that Athena cannot honour', async () => {
    const all = await world()
    const { code, stderr } = await all.extract(['--yes', '--skip-bad-files'])
    assert.equal(code, 2)
    assert.match(stderr, /Athena reads all objects of a run or none/)
  })
})
