import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fixture } from '../score/s3-sandbox.ts'
import { BUCKET, WORKSPACE } from '../support/run-in-s3.ts'
import { runScript } from '../support/run-script.ts'

test('a report of a run in S3 lies there, and says who scored', async () => {
  const aws = await fixture({ sagemaker: { pace: 'instant' } }, { calibrated: true })
  await aws.deploy()
  await aws.done('score')
  const { report } = await aws.done('report')
  assert.equal(report, `s3://${BUCKET}/${aws.at('report.html')}`)
  assert.match((await aws.text('report.html')) ?? '', /SageMaker endpoint prestage-endpoint in us-east-1/)
  const { stdout } = await runScript('report', ['--workspace', WORKSPACE], { env: aws.sandbox.env })
  assert.match(stdout, /aws s3 cp s3:\/\/org-staging\/\S+report\.html \./)
})
