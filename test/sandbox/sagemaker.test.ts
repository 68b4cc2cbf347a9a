import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formatIpv4 } from '../../scripts/lib/insights/ipv4.ts'
import { createJob, deployed, endpoint, home, invoke, job, sandbox, start } from './sagemaker-client.ts'

describe('from pairs to scores', () => {
  test('a training job goes through its states', async () => {
    await start({ now: () => new Date('2026-11-24T12:00:00Z') })
    await createJob()
    const states: (string | undefined)[] = []
    for (;;) {
      const { TrainingJobStatus, SecondaryStatus } = await job()
      states.push(`${TrainingJobStatus} ${SecondaryStatus}`)
      if (TrainingJobStatus !== 'InProgress') break
      await sandbox.sagemaker.advance()
    }
    assert.deepEqual(states, [
      'InProgress Starting',
      'InProgress Downloading',
      'InProgress Training',
      'InProgress Uploading',
      'Completed Completed',
    ])
    const done = await job()
    assert.equal(done.TrainingJobArn, 'arn:aws:sagemaker:us-east-1:111122223333:training-job/job-1')
    assert.equal(done.ModelArtifacts?.S3ModelArtifacts, 's3://ws/run/model/Job-1/output/model.tar.gz')
    assert.ok(sandbox.s3.head('ws', 'run/model/Job-1/output/model.tar.gz'))
    const [metric] = done.FinalMetricDataList ?? []
    assert.equal(metric?.MetricName, 'validation:discriminator_auc')
    assert.ok((metric?.Value ?? 0) > 0.9, String(metric?.Value))
    assert.deepEqual([done.BillableTimeInSeconds, done.TrainingTimeInSeconds], [1, 1])
    assert.deepEqual(
      done.SecondaryStatusTransitions?.map(({ Status }) => Status),
      ['Starting', 'Downloading', 'Training', 'Uploading', 'Completed'],
    )
  })

  test('an endpoint tells an entity at home from one elsewhere', async () => {
    await deployed()
    const { EndpointArn, ProductionVariants } = await endpoint()
    assert.equal(EndpointArn, 'arn:aws:sagemaker:us-east-1:111122223333:endpoint/endpoint-1')
    assert.deepEqual(ProductionVariants?.[0]?.CurrentServerlessConfig, { MemorySizeInMB: 3072, MaxConcurrency: 5 })
    const body = `user_3,${formatIpv4(home(3) + 1)}\nuser_3,${formatIpv4(home(7) + 1)}\n`
    const { predictions } = JSON.parse(await invoke(body)) as { predictions: { dot_product: number }[] }
    const [at = 0, elsewhere = 0] = predictions.map(({ dot_product }) => dot_product)
    assert.ok(at > 0 && elsewhere < 0, `${at} ${elsewhere}`)
  })
})
