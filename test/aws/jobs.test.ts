import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import * as control from '@aws-sdk/client-s3-control'
import { parse } from 'csv-parse/sync'
import { haveModels } from './model/botocore.ts'
import type { PutSettings } from './s3/helpers.ts'
import { type Sandbox, startSandbox } from './start.ts'

let sandbox: Sandbox
let client: control.S3ControlClient
const ACCOUNT = '111122223333'
const ROLE = `arn:aws:iam::${ACCOUNT}:role/prestage-batch`

function clientFor({ url, env }: Sandbox, region = 'us-east-1'): control.S3ControlClient {
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = env
  return new control.S3ControlClient({
    region,
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey },
    // The client would put the account before the address.
    endpointProvider: () => ({ url: new URL(url), headers: {}, properties: {} }),
  })
}

beforeEach(async () => {
  sandbox = await startSandbox({ buckets: { logs: {}, staging: {} }, jobs: { pace: 'manual' } })
  client = clientFor(sandbox)
})

afterEach(async () => {
  client.destroy()
  await sandbox.close()
  assert.deepEqual(sandbox.violations, [])
})

/** Put objects and a manifest of them. @returns the manifest's ETag */
function manifest(keys: readonly string[], settings: PutSettings = {}, put = true): string {
  if (put) for (const key of keys) sandbox.s3.put('logs', key, `content of ${key}`)
  const rows = keys.map((key) => `logs,${encodeURIComponent(key)}\n`).join('')
  return sandbox.s3.put('staging', 'run/manifest.csv', rows, settings).etag
}

type Changes = Partial<control.CreateJobCommandInput> & { copy?: Partial<control.S3CopyObjectOperation> }

const input = (ETag: string, { copy, ...changes }: Changes = {}): control.CreateJobCommandInput => ({
  AccountId: ACCOUNT,
  ClientRequestToken: 'token-1',
  Priority: 10,
  RoleArn: ROLE,
  Operation: { S3PutObjectCopy: { TargetResource: 'arn:aws:s3:::staging', TargetKeyPrefix: 'run/staged', ...copy } },
  Manifest: {
    Spec: { Format: 'S3BatchOperations_CSV_20180820', Fields: ['Bucket', 'Key'] },
    Location: { ObjectArn: 'arn:aws:s3:::staging/run/manifest.csv', ETag },
  },
  Report: {
    Enabled: true,
    Bucket: 'arn:aws:s3:::staging',
    Prefix: 'run/report',
    Format: 'Report_CSV_20180820',
    ReportScope: 'AllTasks',
  },
  ...changes,
})

async function create(ETag: string, changes: Changes = {}): Promise<string> {
  const { JobId } = await client.send(new control.CreateJobCommand(input(ETag, changes)))
  return JobId ?? ''
}

async function job(JobId: string): Promise<control.JobDescriptor> {
  const { Job } = await client.send(new control.DescribeJobCommand({ AccountId: ACCOUNT, JobId }))
  return Job ?? {}
}

const update = (JobId: string, RequestedJobStatus: control.RequestedJobStatus) =>
  client.send(new control.UpdateJobStatusCommand({ AccountId: ACCOUNT, JobId, RequestedJobStatus }))

interface ReportManifest {
  Results: { TaskExecutionStatus: string; Bucket: string; Key: string; MD5Checksum: string }[]
  ReportSchema: string
}

/** Rows of the report by outcome; undefined when there is none. */
async function report(JobId: string): Promise<Record<string, string[][]> | undefined> {
  const key = `run/report/job-${JobId}/manifest.json`
  if (!sandbox.s3.head('staging', key)) return undefined
  const { Results } = JSON.parse((await sandbox.s3.get('staging', key)).toString()) as ReportManifest
  const read = Results.map(async ({ TaskExecutionStatus, Key }) => {
    assert.match(Key, new RegExp(`^run/report/job-${JobId}/results/[0-9a-f]{40}\\.csv$`))
    return [TaskExecutionStatus, parse(await sandbox.s3.get('staging', Key)) as string[][]] as const
  })
  return Object.fromEntries(await Promise.all(read))
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `k${String(i).padStart(4, '0')}`)

const fails = (asked: Promise<unknown>, name: string, status: number): Promise<void> =>
  assert.rejects(asked, (error: control.S3ControlServiceException) => {
    assert.equal(error.name, name, String(error))
    assert.equal(error.$metadata.httpStatusCode, status)
    return true
  })

describe('a job', () => {
  test('goes through its states and copies', async () => {
    const keys = ['AWSLogs/a,b +%é.gz', 'plain', "it's/50%/x"]
    const id = await create(manifest(keys))
    const states: string[] = []
    for (;;) {
      const { Status = '' } = await job(id)
      states.push(Status)
      if (Status === 'Complete') break
      await sandbox.control.advance()
    }
    assert.deepEqual(states, ['New', 'Preparing', 'Ready', 'Active', 'Completing', 'Complete'])
    const { ProgressSummary, TerminationDate, FailureReasons } = await job(id)
    assert.equal(ProgressSummary?.TotalNumberOfTasks, 3)
    assert.equal(ProgressSummary?.NumberOfTasksSucceeded, 3)
    assert.equal(ProgressSummary?.NumberOfTasksFailed, 0)
    assert.ok(TerminationDate instanceof Date)
    assert.equal(FailureReasons, undefined)
    assert.deepEqual(sandbox.s3.keys('staging', 'run/staged/'), keys.map((key) => `run/staged/${key}`).sort())
    for (const key of keys)
      assert.equal((await sandbox.s3.get('staging', `run/staged/${key}`)).toString(), `content of ${key}`)
  })

  test('tells what was asked', async () => {
    const etag = manifest(['a'])
    const descriptor = await job(await create(etag, { Description: 'one', ConfirmationRequired: false }))
    const asked = input(etag)
    assert.deepEqual(descriptor.Manifest, asked.Manifest)
    assert.deepEqual(descriptor.Operation, asked.Operation)
    assert.deepEqual(descriptor.Report, asked.Report)
    assert.deepEqual([descriptor.Description, descriptor.RoleArn, descriptor.Priority], ['one', ROLE, 10])
  })

  test('goes by itself at once, or by polls', async () => {
    sandbox.control.settings.pace = 'instant'
    const first = await create(manifest(['a']))
    while ((await job(first)).Status !== 'Complete') await wait(2)
    sandbox.control.settings.pace = 'poll'
    const second = await create(manifest(['a']), { ClientRequestToken: 'token-2' })
    const polled: (string | undefined)[] = []
    while (polled.at(-1) !== 'Complete') polled.push((await job(second)).Status)
    assert.deepEqual(polled, ['Preparing', 'Ready', 'Active', 'Completing', 'Complete'])
  })

  test('takes a quoted ETag, and one without quotes', async () => {
    for (const [i, quote] of ['', '"'].entries()) {
      await create(`${quote}${manifest(['a'])}${quote}`, { ClientRequestToken: `token-${i}` })
      assert.equal(await sandbox.control.settle(), 'Complete')
    }
  })

  test('works in steps', async () => {
    sandbox.control.settings.tasksPerStep = 2
    await create(manifest(numbered(5)))
    await sandbox.control.advance(4)
    assert.deepEqual(sandbox.control.counts(), { total: 5, succeeded: 2, failed: 0 })
    await sandbox.control.advance(1)
    assert.equal(sandbox.control.counts().succeeded, 4)
    assert.equal(await sandbox.control.settle(), 'Complete')
  })

  test('pauses for another and goes on', async () => {
    sandbox.control.settings.tasksPerStep = 1
    await create(manifest(numbered(3)))
    await sandbox.control.advance(4)
    sandbox.control.pause()
    assert.equal(await sandbox.control.advance(), 'Paused')
    assert.equal(await sandbox.control.settle(), 'Complete')
  })

  test('is held, and released', async () => {
    Object.assign(sandbox.control.settings, { hold: 'Preparing', pace: 'instant' })
    const id = await create(manifest(['a']))
    assert.equal(await sandbox.control.settle(), 'Preparing')
    assert.equal((await job(id)).Status, 'Preparing')
    sandbox.control.release()
    while ((await job(id)).Status !== 'Complete') await wait(2)
  })

  test('is not visible at first', async () => {
    sandbox.control.settings.invisibleFor = 2
    const id = await create(manifest(['a']))
    await fails(job(id), 'NoSuchJob', 404)
    await fails(job(id), 'NoSuchJob', 404)
    assert.equal((await job(id)).Status, 'New')
  })
})

describe('how objects are copied', () => {
  test('without prefix, with one that ends with a slash, and literally', async () => {
    const ends: string[] = []
    for (const [i, [TargetKeyPrefix, rule]] of (
      [
        [undefined, 'slash'],
        ['p/', 'slash'],
        ['q', 'literal'],
      ] as const
    ).entries()) {
      sandbox.control.settings.prefix = rule
      await create(manifest(['a']), { ClientRequestToken: `t${i}`, copy: { TargetKeyPrefix } })
      await sandbox.control.settle()
      ends.push(...sandbox.s3.keys('staging').filter((key) => !key.startsWith('run/') && !ends.includes(key)))
    }
    assert.deepEqual(ends, ['a', 'p/a', 'qa'])
  })

  test('class, key and tags', async () => {
    sandbox.s3.put('logs', 'tagged', 'x', { tags: { team: 'sec' }, metadata: { a: 'b' } })
    const SSEAwsKmsKeyId = 'arn:aws:kms:us-east-1:111122223333:key/k1'
    await create(manifest(['tagged'], {}, false), {
      copy: { StorageClass: 'STANDARD_IA', SSEAwsKmsKeyId, NewObjectTagging: [] },
    })
    await sandbox.control.settle()
    const { storageClass, encryption, metadata, tags } = sandbox.s3.head('staging', 'run/staged/tagged') ?? {}
    assert.deepEqual([storageClass, encryption?.keyId, metadata, tags], ['STANDARD_IA', SSEAwsKmsKeyId, { a: 'b' }, {}])
  })

  test('tags go along when nothing is said of them, with their permission', async () => {
    sandbox.s3.put('logs', 'tagged', 'x', { tags: { team: 'sec' } })
    const giveBack = sandbox.s3.deny({ action: 's3:PutObjectTagging', principal: ROLE })
    await create(manifest(['tagged'], {}, false))
    await sandbox.control.settle()
    assert.equal(sandbox.control.counts().failed, 1)
    giveBack()
    await create(manifest(['tagged'], {}, false), { ClientRequestToken: 't2' })
    await sandbox.control.settle()
    assert.deepEqual(sandbox.s3.head('staging', 'run/staged/tagged')?.tags, { team: 'sec' })
  })
})

describe('failed tasks', () => {
  test('are counted and reported, and the job is complete', async () => {
    sandbox.s3.put('logs', 'cold', 'x', { storageClass: 'GLACIER' })
    sandbox.s3.put('logs', 'huge', 5 * 2 ** 30 + 1)
    sandbox.s3.put('logs', 'fine,"one"', 'x')
    const id = await create(manifest(['cold', 'gone', 'huge', 'fine,"one"'], {}, false))
    assert.equal(await sandbox.control.settle(), 'Complete')
    const { ProgressSummary } = await job(id)
    assert.deepEqual([ProgressSummary?.NumberOfTasksSucceeded, ProgressSummary?.NumberOfTasksFailed], [1, 3])
    const { succeeded, failed } = (await report(id)) ?? {}
    assert.deepEqual(succeeded, [['logs', 'fine%2C%22one%22', '', 'succeeded', '200', '', 'Successful']])
    assert.deepEqual(
      failed?.map((row) => row.slice(0, 6)),
      [
        ['logs', 'cold', '', 'failed', '403', 'InvalidObjectState'],
        ['logs', 'gone', '', 'failed', '404', 'NoSuchKey'],
        ['logs', 'huge', '', 'failed', '400', 'InvalidRequest'],
      ],
    )
  })

  test('the columns of the report as its schema says', async () => {
    sandbox.control.settings.report = 'as-schema'
    const id = await create(manifest(['gone'], {}, false))
    await sandbox.control.settle()
    assert.deepEqual((await report(id))?.failed?.[0]?.slice(3, 6), ['failed', 'NoSuchKey', '404'])
  })

  test('only failed ones reported', async () => {
    const asked = input('').Report
    const id = await create(manifest(['a']), { Report: { Enabled: true, ...asked, ReportScope: 'FailedTasksOnly' } })
    await sandbox.control.settle()
    assert.deepEqual(await report(id), {})
  })

  test('all of them: complete below 1,000 tasks, failed from there on', async () => {
    await create(manifest(numbered(999), {}, false))
    assert.equal(await sandbox.control.settle(), 'Complete')
    assert.deepEqual(sandbox.control.counts(), { total: 999, succeeded: 0, failed: 999 })
    const id = await create(manifest(numbered(1200), {}, false), { ClientRequestToken: 't2' })
    assert.equal(await sandbox.control.settle(), 'Failed')
    assert.deepEqual(sandbox.control.counts(), { total: 1200, succeeded: 0, failed: 1000 })
    assert.ok((await job(id)).FailureReasons?.length)
    assert.equal((await report(id))?.failed?.length, 1000)
  })

  test('the one that is told to', async () => {
    const error = { code: 'SlowDown', status: 503, message: 'Please reduce your request rate.' }
    sandbox.control.settings.failTask = (_, nth) => (nth === 2 ? error : undefined)
    const id = await create(manifest(['a', 'b', 'c']))
    await sandbox.control.settle()
    assert.deepEqual(
      (await report(id))?.failed?.map(([, key]) => key),
      ['b'],
    )
    assert.deepEqual(sandbox.s3.keys('staging', 'run/staged/'), ['run/staged/a', 'run/staged/c'])
  })

  test('a report that never comes', async () => {
    sandbox.control.settings.report = 'missing'
    const id = await create(manifest(['a']))
    assert.equal(await sandbox.control.settle(), 'Complete')
    assert.equal(await report(id), undefined)
  })

  test('a header row is taken for an object', async () => {
    sandbox.s3.put('logs', 'a', 'x')
    const { etag } = sandbox.s3.put('staging', 'run/manifest.csv', 'bucket,key\nlogs,a\n')
    const id = await create(etag)
    assert.equal(await sandbox.control.settle(), 'Complete')
    assert.deepEqual((await report(id))?.failed?.[0]?.slice(0, 6), [
      'bucket',
      'key',
      '',
      'failed',
      '404',
      'NoSuchBucket',
    ])
  })
})

describe('jobs that fail before their first task', () => {
  const failed = async (id: string, reason: RegExp): Promise<void> => {
    assert.equal(await sandbox.control.settle(), 'Failed')
    const { Status, FailureReasons } = await job(id)
    assert.equal(Status, 'Failed')
    assert.match(FailureReasons?.[0]?.FailureReason ?? '', reason)
    assert.equal(await report(id), undefined)
  }

  test('manifest changed', async () => failed(await create('0'.repeat(32)), /NoSuchKey|cannot be read|ETag/))

  test('another ETag', async () => {
    manifest(['a'])
    await failed(await create('0'.repeat(32)), /ETag/)
  })

  test('manifest encrypted with KMS', async () => {
    await failed(await create(manifest(['a'], { encryption: { algorithm: 'aws:kms' } })), /SSE-KMS/)
  })

  test('manifest that the role may not read', async () => {
    sandbox.s3.deny({ action: 's3:GetObject', principal: ROLE, resource: /manifest/ })
    await failed(await create(manifest(['a'])), /forbidden: 403/)
  })

  for (const [what, text] of [
    ['no rows', ''],
    ['columns', 'logs,a\nlogs,a,b\n'],
    ['empty line', 'logs,a\n\nlogs,b\n'],
    ['quotes', '"logs","a"\n'],
    ['two buckets', 'logs,a\nstaging,b\n'],
    ['encoding', 'logs,50%\n'],
  ] as const)
    test(`manifest with wrong ${what}`, async () => {
      const { etag } = sandbox.s3.put('staging', 'run/manifest.csv', text)
      await failed(await create(etag), /manifest/)
    })

  test('told to', async () => {
    sandbox.control.settings.failJob = { at: 'Ready', code: 'InternalError', reason: 'told to' }
    await failed(await create(manifest(['a'])), /told to/)
  })
})

describe('confirmation and cancelling', () => {
  test('suspended until confirmed', async () => {
    const id = await create(manifest(['a', 'b']), { ConfirmationRequired: true })
    assert.equal(await sandbox.control.settle(), 'Suspended')
    const { ProgressSummary, SuspendedCause } = await job(id)
    assert.equal(ProgressSummary?.TotalNumberOfTasks, 2)
    assert.ok(SuspendedCause)
    assert.deepEqual(sandbox.s3.keys('staging', 'run/staged/'), [])
    assert.equal((await update(id, 'Ready')).Status, 'Ready')
    assert.equal(await sandbox.control.settle(), 'Complete')
    await fails(update(id, 'Ready'), 'JobStatusException', 400)
  })

  test('cancelled, with a report of what was done', async () => {
    sandbox.control.settings.tasksPerStep = 1
    const id = await create(manifest(['a', 'b']))
    await sandbox.control.advance(4)
    await update(id, 'Cancelled')
    assert.equal(await sandbox.control.settle(), 'Cancelled')
    assert.deepEqual(sandbox.s3.keys('staging', 'run/staged/'), ['run/staged/a'])
    assert.equal((await report(id))?.succeeded?.length, 1)
  })

  test('a job that is running cannot be made ready', async () => {
    const id = await create(manifest(['a']))
    await fails(update(id, 'Ready'), 'JobStatusException', 400)
  })

  test('priority', async () => {
    const JobId = await create(manifest(['a']))
    await client.send(new control.UpdateJobPriorityCommand({ AccountId: ACCOUNT, JobId, Priority: 3 }))
    assert.equal((await job(JobId)).Priority, 3)
  })
})

describe('creating', () => {
  test('the same token and request is the same job', async () => {
    const etag = manifest(['a'])
    assert.equal(await create(etag), await create(etag))
    await fails(create(etag, { Priority: 11 }), 'IdempotencyException', 400)
    assert.equal(sandbox.control.jobs().length, 1)
  })

  test('the answer is lost, the job is there', async () => {
    const etag = manifest(['a'])
    const fault = sandbox.faults.add({ operation: 'CreateJob', times: 1, cut: 'after' })
    await assert.rejects(create(etag))
    assert.equal(fault.struck(), 1)
    assert.equal(await create(etag), sandbox.control.jobs()[0]?.id)
    assert.equal(sandbox.control.jobs().length, 1)
  })

  test('a job of no permission', async () => {
    const giveBack = sandbox.s3.deny({ action: 's3:CreateJob' })
    await fails(create(manifest(['a'])), 'AccessDenied', 403)
    giveBack()
    sandbox.s3.deny({ action: 'iam:PassRole', resource: ROLE })
    await fails(create(manifest(['a'])), 'AccessDenied', 403)
  })

  const report = { Enabled: true, Bucket: 'arn:aws:s3:::staging' }
  const fields = {
    Spec: { Format: 'S3BatchOperations_CSV_20180820' as const },
    Location: { ObjectArn: 'arn:aws:s3:::staging/m', ETag: 'x' },
  }
  for (const [what, changes] of [
    ['without a manifest', { Manifest: undefined }],
    ['without columns', { Manifest: fields }],
    ['without operation', { Operation: {} }],
    ['with half a report', { Report: report }],
  ] as [string, Changes][])
    test(what, () => fails(create(manifest(['a']), changes), 'BadRequestException', 400))

  test('in another region than the destination', async () => {
    sandbox.s3.create('far', { region: 'eu-west-1' })
    await fails(create(manifest(['a']), { copy: { TargetResource: 'arn:aws:s3:::far' } }), 'InvalidRequest', 400)
  })

  test('for another account', async () => {
    await fails(create(manifest(['a']), { AccountId: '999988887777' }), 'AccessDenied', 403)
    await fails(create(manifest(['a']), { RoleArn: ROLE.replace(ACCOUNT, '999988887777') }), 'AccessDenied', 403)
  })

  test('listed, newest first, by status, in pages', async () => {
    const ids: string[] = []
    for (let i = 0; i < 3; i++) ids.push(await create(manifest(['a']), { ClientRequestToken: `t${i}` }))
    await sandbox.control.settle(ids[1])
    const list = (more: Partial<control.ListJobsCommandInput>) =>
      client.send(new control.ListJobsCommand({ AccountId: ACCOUNT, ...more }))
    const idsOf = ({ Jobs = [] }: control.ListJobsCommandOutput) => Jobs.map(({ JobId }) => JobId)
    assert.deepEqual(idsOf(await list({})), [...ids].reverse())
    assert.deepEqual(idsOf(await list({ JobStatuses: ['Complete', 'Failed'] })), [ids[1]])
    const first = await list({ MaxResults: 2 })
    assert.deepEqual(idsOf(await list({ MaxResults: 2, NextToken: first.NextToken })), [ids[0]])
  })
})

describe('requests against the service model', { skip: !haveModels && 'no models beside the project' }, () => {
  afterEach(() => sandbox.violations.splice(0))

  for (const [what, changes, violation] of [
    ['an empty prefix', { copy: { TargetKeyPrefix: '' } }, /TargetKeyPrefix is 0, less than 1/],
    ['a role that is none', { RoleArn: 'prestage' }, /RoleArn "prestage" does not match/],
    ['a token too long', { ClientRequestToken: 'x'.repeat(65) }, /ClientRequestToken is 65, more than 64/],
    ['a class that is none', { copy: { StorageClass: 'COLD' as 'GLACIER' } }, /StorageClass "COLD" is none of/],
    ['a bucket that is no ARN', { copy: { TargetResource: 'staging' } }, /TargetResource "staging" does not match/],
  ] as [string, Changes, RegExp][])
    test(what, async () => {
      await fails(create(manifest(['a']), changes), 'InvalidRequest', 400)
      assert.match(sandbox.violations.join('\n'), violation)
    })
})
