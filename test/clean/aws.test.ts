import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as s3 from '@aws-sdk/client-s3'
import * as sm from '@aws-sdk/client-sagemaker'
import { RUN_TAG, tagsOf } from '../../scripts/lib/aws/sagemaker/names.ts'
import type { Ledger } from '../../scripts/lib/runs/ledger.ts'
import type { SandboxSettings } from '../sandbox/start.ts'
import { type Fixture, fixture } from '../score/s3-sandbox.ts'
import { BUCKET, WORKSPACE } from '../support/run-in-s3.ts'

const FAST = { sagemaker: { pace: 'instant' } } as const

const whats = (result: Record<string, unknown>): string[] =>
  (result.removed as { what: string }[]).map(({ what }) => what)

/** An upload that nobody completed. */
async function failedUpload({ sandbox }: Fixture, Key: string): Promise<void> {
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = sandbox.env
  const credentials = { accessKeyId, secretAccessKey }
  const client = new s3.S3Client({ endpoint: sandbox.url, region: 'us-east-1', forcePathStyle: true, credentials })
  const upload = { Bucket: BUCKET, Key }
  const { UploadId } = await client.send(new s3.CreateMultipartUploadCommand(upload))
  await client.send(new s3.UploadPartCommand({ ...upload, UploadId, PartNumber: 1, Body: 'x' }))
  client.destroy()
}

/** A run with all that it can leave. */
async function leavings(settings: SandboxSettings = FAST): Promise<Fixture> {
  const aws = await fixture(settings, { calibrated: true })
  await aws.deploy()
  for (let i = 0; i < 1203; i++) aws.sandbox.s3.put(BUCKET, aws.at(`staged/AWSLogs/${i}.gz`), 'log')
  aws.sandbox.s3.put(BUCKET, aws.at('tmp/athena/draft'), 'draft')
  aws.sandbox.s3.put(BUCKET, `${WORKSPACE.slice(5 + BUCKET.length + 1)}/bulk/another/staged/kept.gz`, 'log')
  await failedUpload(aws, aws.at('scores/holdout/verdicts.ndjson'))
  await failedUpload(aws, aws.at('staged/large.gz'))
  await failedUpload(aws, 'prestage/runs/another/x')
  return aws
}

/** Writes what extraction noted into the ledger. */
async function changeLedger(aws: Fixture, change: (ledger: Ledger) => void): Promise<void> {
  const ledger = JSON.parse((await aws.text('run.json')) ?? '') as Ledger
  change(ledger)
  aws.sandbox.s3.put(BUCKET, aws.at('run.json'), JSON.stringify(ledger))
}

describe('clean in AWS', () => {
  test('what costs goes, what was found out stays; nothing of others is touched', async () => {
    const aws = await leavings()
    const { sandbox } = aws
    const dry = await aws.done('clean', ['--dry-run'])
    const expected = [
      'endpoint prestage-endpoint',
      'endpoint configuration prestage-endpoint-config',
      'model prestage-endpoint-model',
      'staged',
      'tmp',
      'note of the endpoint',
      'failed uploads',
    ]
    assert.deepEqual(dry.wouldRemove, expected)
    assert.equal(sandbox.requests.of('DeleteObjects'), 0)
    assert.deepEqual(whats(await aws.done('clean', ['--yes'])), expected)
    assert.deepEqual(sandbox.sagemaker.names(), {
      endpoints: [],
      configs: [],
      models: [],
      trainingJobs: [],
      transformJobs: [],
    })
    assert.equal(sandbox.requests.of('DeleteObjects'), 4)
    assert.deepEqual(sandbox.s3.keys(BUCKET, aws.at('staged/')), [])
    assert.deepEqual(sandbox.s3.unfinished(BUCKET), ['prestage/runs/another/x'])
    assert.equal(sandbox.s3.keys(BUCKET, 'prestage/bulk/another/').length, 1)
    assert.ok((await aws.text('model/calibration.json')) !== undefined)
    assert.equal(sandbox.s3.keys(BUCKET, aws.at('pairs/')).length, 3)
    assert.deepEqual(whats(await aws.done('clean', ['--yes'])), [])
  })

  test('an endpoint that was deleted by hand: its scaling goes, and only once', async () => {
    const aws = await fixture(FAST, { calibrated: true })
    const { sagemaker } = aws.sandbox
    const EndpointName = await aws.deploy()
    const ResourceId = `endpoint/${EndpointName}/variant/AllTraffic`
    const target = {
      ServiceNamespace: 'sagemaker',
      ScalableDimension: 'sagemaker:variant:DesiredInstanceCount',
      RoleARN: 'arn:aws:iam::111122223333:role/scaling',
      CreationTime: sagemaker.shared.now(),
      ...{ ResourceId, MinCapacity: 1, MaxCapacity: 2 },
    }
    sagemaker.scaling.targets.set(ResourceId, target)
    await aws.client.send(new sm.DeleteEndpointCommand({ EndpointName }))
    await sagemaker.settle()
    const what = `scaling of endpoint ${EndpointName}`
    assert.equal(((await aws.done('clean', ['--dry-run'])).wouldRemove as string[])[0], what)
    assert.equal(whats(await aws.done('clean', ['--yes']))[0], what)
    assert.equal(sagemaker.scaling.targets.size, 0)
    assert.ok(!whats(await aws.done('clean', ['--yes'])).includes(what))
  })

  test('it asks for the id of the run; nobody there to answer is a no', async () => {
    const aws = await leavings()
    const { code, stderr } = await aws.script('clean')
    assert.equal(code, 3)
    assert.match(stderr, /endpoint prestage-endpoint: costs while it exists/)
    assert.match(stderr, /staged: 1,203 files/)
    assert.match(stderr, /clean run \S+ needs a confirmation, and nobody can be asked here/)
    assert.equal(aws.sandbox.sagemaker.endpoints.all.size, 1)
  })

  test('an endpoint that a newer run has taken over stays, with the configuration that it has', async () => {
    const aws = await fixture(FAST, { calibrated: true })
    await aws.deploy()
    const { endpoints, shared: all } = aws.sandbox.sagemaker
    all.tags.add({ ResourceArn: endpoints.all.get('prestage-endpoint')?.arn, Tags: tagsOf('waf-newer', WORKSPACE) })
    assert.deepEqual(whats(await aws.done('clean', ['--yes'])), ['model prestage-endpoint-model'])
    assert.deepEqual([...endpoints.all.keys()], ['prestage-endpoint'])
  })

  test('what only looks like it, or is of another workspace, stays', async () => {
    const aws = await fixture(FAST)
    await aws.deploy({ noted: false })
    const { endpoints, configs, models, shared: all } = aws.sandbox.sagemaker
    for (const { arn } of [...endpoints.all.values(), ...configs.all.values()])
      all.tags.delete({ ResourceArn: arn, TagKeys: [RUN_TAG] })
    const Tags = tagsOf(aws.id, 's3://elsewhere/prestage')
    for (const { arn } of models.all.values()) all.tags.add({ ResourceArn: arn, Tags })
    assert.deepEqual(whats(await aws.done('clean', ['--yes'])), [])
    assert.equal(endpoints.all.size + configs.all.size + models.all.size, 3)
  })

  test('an endpoint under another name is found by its note', async () => {
    const aws = await fixture(FAST)
    await aws.deploy({ name: 'who-logs-in' })
    assert.ok(whats(await aws.done('clean', ['--yes'])).includes('endpoint who-logs-in'))
    assert.equal(aws.sandbox.sagemaker.endpoints.all.size, 0)
  })

  test('pairs that no finished extraction has named are drafts', async () => {
    const aws = await fixture(FAST)
    await changeLedger(aws, ({ steps }) => {
      const files = [{ path: 'pairs/train/train_ab12cd_1/', rows: 1, bytes: 1 }]
      Object.assign(steps.extract?.result ?? {}, { files })
    })
    assert.deepEqual(whats(await aws.done('clean', ['--yes'])), ['pairs of interrupted extractions'])
    assert.deepEqual(
      aws.sandbox.s3.keys(BUCKET, aws.at('pairs/')).map((key) => key.split('/').at(-2)),
      ['train_ab12cd_1', 'train_ab12cd_1'],
    )
  })

  test('tables of an extraction that was interrupted are dropped', async () => {
    const aws = await fixture(FAST)
    await changeLedger(aws, ({ steps }) => {
      const queries = { classified: { attempt: 2, id: null }, dropped: { attempt: 1, id: null } }
      Object.assign(steps.extract ?? {}, { state: 'failed', checkpoint: { salt: 'ab12cd', queries } })
    })
    const { code, stderr, stdout } = await aws.script('clean', ['--yes'])
    assert.equal(code, 0, stderr)
    assert.ok(whats(JSON.parse(stdout) as Record<string, unknown>).includes('Athena tables'))
    assert.equal(aws.sandbox.requests.of('StartQueryExecution'), 2)
  })

  for (const operation of ['DeleteEndpoint', 'DeleteEndpointConfig', 'DeleteObjects', 'AbortMultipartUpload'])
    test(`killed at ${operation} and started again, all is gone`, async () => {
      const aws = await leavings()
      await aws.script('clean', ['--yes'], {
        env: aws.sandbox.env,
        killWhen: () => aws.sandbox.requests.of(operation) > 0,
      })
      await aws.done('clean', ['--yes'])
      assert.deepEqual(aws.sandbox.sagemaker.names().endpoints, [])
      assert.deepEqual(aws.sandbox.s3.keys(BUCKET, aws.at('staged/')), [])
      assert.deepEqual(aws.sandbox.s3.unfinished(BUCKET), ['prestage/runs/another/x'])
    })

  test('--everything: nothing of the run is left, and a rerun says that there is none', async () => {
    const aws = await leavings()
    const removed = whats(await aws.done('clean', ['--everything', '--yes', '--run', aws.id]))
    assert.ok(removed.includes('all objects of the run'))
    assert.deepEqual(
      aws.sandbox.s3.keys(BUCKET).filter((key) => key.includes(aws.id)),
      [],
    )
    assert.equal(aws.sandbox.s3.keys(BUCKET, 'prestage/bulk/another/').length, 1)
    assert.deepEqual(aws.sandbox.sagemaker.names().models, [])
  })

  test('a bucket that keeps versions keeps what was removed, which is said', async () => {
    const aws = await leavings({ ...FAST, buckets: { [BUCKET]: { versioned: true } } })
    const { code, stderr } = await aws.script('clean', ['--yes'])
    assert.equal(code, 0, stderr)
    assert.equal(stderr.split('keeps versions: removed objects stay as older versions').length, 2, stderr)
  })

  test('an endpoint that is being created and cannot be deleted yet is deleted when it can be', async () => {
    const aws = await leavings()
    const { sagemaker } = aws.sandbox
    Object.assign(sagemaker.settings, { hold: { kind: 'endpoint', stage: 'Creating' }, deletesCreating: false })
    sagemaker.endpoints.all.get('prestage-endpoint')?.go('Creating')
    const killWhen = () => {
      if (aws.sandbox.requests.of('DeleteEndpoint') > 0) sagemaker.release()
      return false
    }
    await aws.done('clean', ['--yes'], { env: aws.sandbox.env, killWhen })
    assert.deepEqual(sagemaker.names().endpoints, [])
    assert.equal(aws.sandbox.requests.of('DeleteEndpoint'), 2)
  })

  test('an endpoint whose deletion fails is named', async () => {
    const aws = await leavings()
    aws.sandbox.sagemaker.settings.failures.push({ kind: 'endpoint', stage: 'Deleting', reason: 'No such network.' })
    const { code, stderr } = await aws.script('clean', ['--yes'])
    assert.equal(code, 1)
    assert.match(stderr, /endpoint prestage-endpoint could not be deleted: No such network\./)
  })

  test('an object that must not be deleted is named', async () => {
    const aws = await leavings()
    aws.sandbox.s3.deny({ action: 's3:DeleteObject', resource: /staged\/AWSLogs\/7\.gz$/ })
    const { code, stderr } = await aws.script('clean', ['--yes'])
    assert.equal(code, 4)
    assert.match(stderr, /staged\/AWSLogs\/7\.gz: could not be deleted \(AccessDenied/)
    assert.match(stderr, /ask for s3:DeleteObject/)
  })
})
