import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { s3ControlClient } from '../../scripts/lib/aws/clients.ts'
import { createBatchJob, finishBatchJob } from '../../scripts/lib/aws/s3-batch/job.ts'
import { startSandbox } from '../sandbox/start.ts'
import { waiting } from '../support/waiting.ts'
import { trailKey } from './logs.ts'

const KEY = trailKey('111122223333', 'us-gov-west-1', '20260302T1005Z', 'a')

describe('a batch job in another partition', () => {
  for (const [region, partition] of [
    ['us-gov-west-1', 'aws-us-gov'],
    ['cn-north-1', 'aws-cn'],
  ] as const)
    it(`names buckets as ${partition} does`, async () => {
      const sandbox = await startSandbox({ region, buckets: { logs: {}, ws: {} } })
      Object.assign(process.env, sandbox.env)
      sandbox.s3.put('logs', KEY, 'content')
      const { etag } = sandbox.s3.put('ws', 'prestage/manifest.csv', `logs,${KEY}\n`)
      const client = await s3ControlClient({ endpointUrl: sandbox.url }, region)
      const order = {
        accountId: '111122223333',
        roleArn: `arn:${partition}:iam::111122223333:role/prestage-batch`,
        destination: {
          source: { bucket: 'logs', requesterPays: false },
          bucket: 'ws',
          prefix: 'prestage/staged/',
          tags: false,
        },
        manifest: { key: 'prestage/manifest.csv', etag, rows: 1 },
        report: 'prestage/report',
        run: 'cloudtrail-1',
      }
      const id = await createBatchJob(client, order)
      const settings = { seconds: 0.05, ...waiting(), onState: () => {} }
      const { Status } = await finishBatchJob(client, order, id, settings)
      assert.equal(Status, 'Complete')
      assert.ok(sandbox.s3.head('ws', `prestage/staged/${KEY}`))
      assert.deepEqual(sandbox.violations, [])
      client.destroy()
      await sandbox.close()
    })
})
