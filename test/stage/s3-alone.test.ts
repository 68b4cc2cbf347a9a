import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runScript } from '../support/run-script.ts'
import { s3Alone } from '../support/s3-alone.ts'
import { EXPECTED, fixture } from './sandbox.ts'

describe('a server that offers S3 and nothing else', () => {
  it('takes a run that is copied directly; the steps that need another service say that there is none', async () => {
    const { sandbox } = await fixture()
    const env = await s3Alone(sandbox)
    const where = ['--workspace', 's3://org-staging/prestage', '--output', 'json', '--yes']
    const window = ['--source', 'cloudtrail', '--from', '2026-03-02', '--to', '2026-03-03']
    const staged = await runScript('stage', [...window, '--logs', 's3://org-logs', ...where], { env })
    assert.equal(staged.code, 0, staged.stderr)
    const { run, copied } = JSON.parse(staged.stdout)
    assert.equal(copied, EXPECTED.length)
    for (const [step, service] of [
      ['extract', 'Athena'],
      ['clean', 'SageMaker'],
    ] as const) {
      const { code, stderr } = await runScript(step, ['--run', run, ...where], { env })
      assert.equal(code, 1, stderr)
      assert.match(stderr, new RegExp(`there is no ${service} at this address \\(the answer, HTTP 405, is not JSON\\)`))
      assert.match(stderr, new RegExp(`a server that offers only S3 has no ${service}`))
      assert.doesNotMatch(stderr, /SyntaxError|this is a bug/)
    }
  })
})
