import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { runNight } from '../../sandbox/codebuild/run.ts'
import { ROOT } from '../../support/run-script.ts'
import { simulatedLogs } from '../../support/simulated.ts'
import { tempFolder } from '../../support/temp.ts'
import { fixture } from '../sandbox.ts'

const DAY = 86_400_000
const day = (ago: number) => new Date(Date.now() - ago * DAY).toISOString().slice(0, 10)

/** An npm whose `npm ci --omit=dev` links the packages of this checkout, and that does nothing else. */
function linkingNpm(): string {
  const folder = tempFolder()
  const file = `${folder}/npm`
  writeFileSync(
    file,
    `#!/bin/sh\n[ "$*" = 'ci --omit=dev' ] && exec ln -s '${ROOT}node_modules' node_modules\nexit 1\n`,
  )
  chmodSync(file, 0o755)
  return folder
}

describe('a night in CodeBuild, whose npm ci links packages that are here', async () => {
  const { sandbox, setup, existingStack } = await fixture()
  const { codebuild, s3 } = sandbox
  let bucket = ''
  before(async () => {
    const logs = { from: day(4), to: day(0), sources: ['cloudtrail'], events: 3000, seed: 7 }
    await s3.load('org-logs', await simulatedLogs(logs))
    const { outputs } = await existingStack()
    bucket = outputs.StagingBucket
    const args = ['--source', 'cloudtrail', '--history', '3d', '--alerts-per-day', '5', '--yes']
    const { code, stderr } = await setup(['--nightly', '02:30', ...args])
    assert.equal(code, 0, stderr)
  })
  after(() => assert.deepEqual(sandbox.violations, []))

  it('judges yesterday, with nothing in its environment but what CodeBuild has there, and tells the topic', async () => {
    const build = await runNight(sandbox, { path: [linkingNpm()] })
    assert.equal(build.status, 'SUCCEEDED', build.output)
    assert.match(build.output, new RegExp(`cloudtrail ${day(1)}: \\d+ new alerts?; \\d+ pairs judged, .*new tonight`))
    const [{ topic, subject, message } = {}, ...others] = codebuild.messages
    assert.deepEqual(others, [])
    assert.match(topic ?? '', /^arn:aws:sns:us-east-1:\d+:prestage-nightly-Topic-/)
    assert.match(subject ?? '', /^prestage: [1-5] new alerts?$/)
    assert.match(message ?? '', /pairs judged[\s\S]*\nreports, in the workspace:\nruns\/cloudtrail-.*\.html$/)
    assert.equal(s3.keys(bucket, 'prestage/models/').length, 1)
  })

  it('that fails tells the topic why it is known to have failed, and where its log is', async () => {
    codebuild.messages.splice(0)
    const restore = s3.deny({ action: 's3:ListBucket', resource: bucket })
    const failed = await runNight(sandbox, { path: [linkingNpm()] })
    restore()
    assert.equal(failed.status, 'FAILED', failed.output)
    const [{ message } = {}] = codebuild.messages
    assert.match(message ?? '', /^prestage: the night that began at .* GMT ended as FAILED\./)
    assert.match(message ?? '', /Why: https:\/\/console\.aws.*--check --stack prestage \(arn:aws:codebuild:/)
  })
})
