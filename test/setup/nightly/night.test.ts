import assert from 'node:assert/strict'
import { appendFileSync, chmodSync, writeFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { runNight } from '../../sandbox/codebuild/run.ts'
import { ROOT } from '../../support/run-script.ts'
import { tempFolder } from '../../support/temp.ts'
import { fixture } from '../sandbox.ts'

/** An npm that can do nothing but this. */
function npmThat(does: string): string {
  const folder = tempFolder()
  writeFileSync(`${folder}/npm`, `#!/bin/sh\n[ "$*" = 'ci --omit=dev' ] && ${does}\n`)
  chmodSync(`${folder}/npm`, 0o755)
  return folder
}

const linkingNpm = () => npmThat(`exec ln -s '${ROOT}node_modules' node_modules`)

// A night over logs is in test/cfn/rights/nights.test.ts, with an npm that installs.
describe('a night in CodeBuild, whose npm ci links packages that are here', async () => {
  const { sandbox, cwd, setup, existingStack } = await fixture()
  const { codebuild, s3 } = sandbox
  const failed = async (npm: string) => {
    codebuild.messages.splice(0)
    const build = await runNight(sandbox, { path: [npm] })
    assert.equal(build.status, 'FAILED', build.output)
    return { output: build.output, messages: codebuild.messages }
  }
  before(async () => {
    await existingStack()
    const shop = { keys: '{host}/{yyyy}/{MM}/{dd}/a-', time: 'at', address: 'ip', entities: { user: 'who' } }
    appendFileSync(`${cwd}/prestage.yaml`, `sources: ${JSON.stringify({ shop })}\n`)
    const { code, stderr } = await setup(['--nightly', '02:30', '--source', 'shop', '--yes'])
    assert.equal(code, 0, stderr)
  })
  after(() => assert.deepEqual(sandbox.violations, []))

  it('runs nightly.mjs as its role, over a source of prestage.yaml, with nothing in the environment but what CodeBuild has there', async () => {
    const [{ role } = { role: '' }] = codebuild.projects.values()
    const restore = s3.deny({ action: 's3:ListBucket', resource: 'org-logs', principal: role })
    const { output } = await failed(linkingNpm())
    assert.match(output, /^nightly: shop: .*access denied: .* lacks s3:ListBucket on arn:aws:s3:::org-logs/m)
    restore()
  })

  it('tells the topic that it failed, and where its log is', async () => {
    const { output, messages } = await failed(npmThat('exit 7'))
    assert.equal(output, '')
    assert.equal(messages.length, 1)
    const [{ topic, message } = { topic: '', message: '' }] = messages
    assert.match(topic, /^arn:aws:sns:us-east-1:\d+:prestage-nightly-Topic-/)
    assert.match(message, /^prestage: the night that began at .* GMT ended as FAILED\./)
    assert.match(message, /Why: https:\/\/console\.aws.*--check --stack prestage \(arn:aws:codebuild:/)
  })

  it('is not begun while another one runs', async () => {
    const running = codebuild.add('prestage-nightly')
    await assert.rejects(runNight(sandbox), /Cannot have more than 1 builds/)
    codebuild.end(running, 'SUCCEEDED')
  })
})
