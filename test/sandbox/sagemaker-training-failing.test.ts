import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as sagemaker from '@aws-sdk/client-sagemaker'
import { noSpot, noTrainingCapacity, overtime } from './sagemaker/failures.ts'
import {
  CHANNELS,
  client,
  createJob,
  endsAs,
  fails,
  job,
  ROLE,
  sandbox,
  start,
  type Training,
  trainingInput,
} from './sagemaker-client.ts'

const [train, validation] = CHANNELS
const hyperparameters = (change: Record<string, string>) => ({
  HyperParameters: { ...trainingInput().HyperParameters, ...change },
})
const stop = (TrainingJobName = 'Job-1') => client.send(new sagemaker.StopTrainingJobCommand({ TrainingJobName }))

describe('a training job fails', () => {
  const parsing = /^ClientError: Unable to parse entity or IP address correctly\./
  const rows: [what: string, row: string, message: RegExp][] = [
    ['an entity with a dot', 'john.doe,1.2.3.4', /Expected 4 fields in line 3, saw 5\n$/],
    ['several addresses', '3769,"37.244.105.230, 165.225.16.83"', /Expected 4 fields in line 3, saw 7\n$/],
    ['an entity with a comma', 'a,b,1.2.3.4', /row 3: a,b,1\.2\.3\.4$/],
    ['both fields in quotes', '"AROAX","1.2.3.4"', /row 3: /],
    ['a quote that never ends', '"AROAX,1.2.3.4', /EOF inside string starting at row 2\n$/],
    ['a header', 'entity,ip', /row 3: entity,ip$/],
    ['an IPv6 address', 'a,2001:db8::1', /row 3: /],
    ['a name for an address', 'a,example', /row 3: /],
    ['an octet too large', 'a,1.2.3.400', /row 3: /],
    ['an empty entity', ',1.2.3.4', /row 3: /],
  ]
  for (const [what, row, message] of rows)
    test(`with ${what}`, async () => {
      sandbox.s3.put('ws', 'run/pairs/train/part-1.csv', `a,1.2.3.4\nb,1.2.3.4\n${row}\n`)
      const reason = await endsAs('Failed')
      assert.match(reason, parsing)
      assert.match(reason, message)
    })

  test('or not: an entity in quotes, spaces before the address, empty lines', async () => {
    sandbox.s3.put('ws', 'run/pairs/train/part-1.csv', '"a",1.2.3.4\r\n\nb, 1.2.3.4')
    await endsAs('Completed')
  })

  const parameters: [change: Record<string, string>, reason: RegExp][] = [
    [{ epoch: '3' }, /^ClientError: Additional hyperparameters are not allowed \('epoch' was unexpected\) \(caused by/],
    [{ epochs: '0' }, /'epochs' hyperparameter .*\n\nCaused by: 0 is less than the minimum of 1$/],
    [{ vector_dim: '5000' }, /5000 is greater than the maximum of 4096$/],
    [{ learning_rate: 'fast' }, /'fast' is not of type 'number'$/],
    [{ mini_batch_size: '10.5' }, /'10\.5' is not of type 'integer'$/],
    [{ random_negative_sampling_rate: '0', shuffled_negative_sampling_rate: '0' }, /together must be 1 to 500/],
    [{ num_entity_vectors: '250000000', vector_dim: '128' }, /larger than 8 GB/],
  ]
  for (const [change, reason] of parameters)
    test(`with ${JSON.stringify(change)}`, async () => {
      assert.match(await endsAs('Failed', hyperparameters(change)), reason)
    })

  test('without a hyperparameter that has no default', async () => {
    assert.match(
      await endsAs('Failed', { HyperParameters: { vector_dim: '8' } }),
      /No value\(s\) were specified for 'num_entity_vectors' which are required hyperparameter\(s\)/,
    )
  })

  const inputs: [what: string, change: Training, reason: RegExp][] = [
    ['an unknown channel', { InputDataConfig: [{ ...train, ChannelName: 'Training' }] }, /'Training' was unexpected/],
    ['no train channel', { InputDataConfig: [validation] }, /'train' is a required property/],
    ['another type', { InputDataConfig: [{ ...train, ContentType: 'text/plain' }] }, /one of \['text\/csv'\]/],
    ['Pipe mode', { InputDataConfig: [{ ...train, InputMode: 'Pipe' }] }, /'Pipe' is not one of \['File'\]/],
  ]
  for (const [what, change, reason] of inputs)
    test(`with ${what}`, async () => assert.match(await endsAs('Failed', change), reason))

  test('when its role may not read, or not write', async () => {
    const allow = sandbox.s3.deny({ action: 's3:GetObject', principal: ROLE })
    assert.match(await endsAs('Failed'), /^ClientError: Data download failed: AccessDenied \(403\): .*s3:GetObject/)
    allow()
    sandbox.s3.deny({ action: 's3:PutObject', principal: ROLE })
    const reason = await endsAs('Failed', { TrainingJobName: 'Job-2' })
    assert.match(reason, /^ClientError: Failed to upload model artifacts: AccessDenied/)
    assert.deepEqual(sandbox.s3.keys('ws', 'run/model'), [])
  })

  test('for lack of capacity, once', async () => {
    sandbox.sagemaker.settings.failures.push({ ...noTrainingCapacity, times: 1 })
    assert.equal(await endsAs('Failed'), noTrainingCapacity.reason)
    await endsAs('Completed', { TrainingJobName: 'Job-2' })
  })
})

describe('a training job ends as Stopped', () => {
  test('when it is stopped, in any state', async () => {
    for (const [steps, name] of ['Starting', 'Downloading', 'Training', 'Uploading'].entries()) {
      await createJob({ TrainingJobName: name })
      await sandbox.sagemaker.advance(steps)
      assert.equal((await job(name)).SecondaryStatus, name)
      await stop(name)
      await stop(name)
      const stopping = await job(name)
      assert.deepEqual([stopping.TrainingJobStatus, stopping.SecondaryStatus], ['Stopping', 'Stopping'])
      await sandbox.sagemaker.settle()
      const { TrainingJobStatus, SecondaryStatus } = await job(name)
      assert.deepEqual([TrainingJobStatus, SecondaryStatus], ['Stopped', 'Stopped'])
    }
    assert.deepEqual(sandbox.s3.keys('ws', 'run/model'), [])
    await fails(stop('Training'), {
      name: 'ValidationException',
      message: 'The request was rejected because the training job is in status Stopped.',
    })
  })

  test('in the middle of the training', async () => {
    await createJob(hyperparameters({ epochs: '100000' }))
    await sandbox.sagemaker.advance(2)
    const training = sandbox.sagemaker.settle()
    await stop()
    await training
    assert.equal((await job()).TrainingJobStatus, 'Stopped')
  })

  test('after its longest time', async () => {
    sandbox.sagemaker.settings.failures.push(overtime)
    await endsAs('Stopped')
    assert.equal((await job()).SecondaryStatus, 'MaxRuntimeExceeded')
  })

  test('after its longest time by the clock, and is billed for it', async () => {
    let now = Date.parse('2026-11-24T12:00:00Z')
    await start({ now: () => new Date(now) })
    await createJob()
    await sandbox.sagemaker.advance(2)
    now += 3_601_000
    await sandbox.sagemaker.settle()
    const { SecondaryStatus, BillableTimeInSeconds } = await job()
    assert.deepEqual([SecondaryStatus, BillableTimeInSeconds], ['MaxRuntimeExceeded', 3601])
  })

  test('when no spot instance came', async () => {
    sandbox.sagemaker.settings.failures.push(noSpot)
    await endsAs('Stopped')
    const { SecondaryStatus, BillableTimeInSeconds } = await job()
    assert.deepEqual([SecondaryStatus, BillableTimeInSeconds], ['MaxWaitTimeExceeded', undefined])
  })
})
