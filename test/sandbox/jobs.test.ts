import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import * as control from '@aws-sdk/client-s3-control'
import {
  ACCOUNT,
  type Changes,
  client,
  create,
  fails,
  input,
  job,
  manifest,
  numbered,
  ROLE,
  report,
  sandbox,
  update,
} from './job-client.ts'
import { haveModels } from './model/botocore.ts'

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
