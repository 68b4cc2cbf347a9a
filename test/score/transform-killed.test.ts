import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainJson } from '../support/changes.ts'
import { assertDoneOnce, killedAfter, killedAfterEachChange } from '../support/kill-chain.ts'
import { BUCKET, ROLE } from '../support/run-in-s3.ts'
import type { RunOptions } from '../support/run-script.ts'
import { type Fixture, fixture } from './s3-sandbox.ts'

const VIA = ['--via', 'transform', '--sagemaker-role', ROLE]
const SLOW = { sagemaker: { pace: 'poll' } } as const

const scoring =
  (aws: Fixture, ...more: string[]) =>
  (options: RunOptions = {}) =>
    aws.script('score', [...VIA, ...more], { ...options, env: aws.sandbox.env })

const noted = async (aws: Fixture) => {
  const { steps } = JSON.parse((await aws.text('run.json')) ?? '')
  return JSON.parse(plainJson(steps.score.result))
}

test('two transforms, killed after each change: asked for once, and the same verdicts', async () => {
  const [there, here] = [await fixture(SLOW), await fixture(SLOW)]
  assert.equal((await scoring(there, '--yes')()).code, 0)
  const { points, last } = await killedAfterEachChange(here.sandbox, scoring(here, '--yes'), {
    look: () => assertDoneOnce(here.sandbox),
  })
  assert.equal(last.code, 0, last.stderr)
  assert.ok(points.length >= 12, points.join('; '))
  assert.equal(here.sandbox.sagemaker.names().transformJobs.length, 2)
  assert.deepEqual(await here.verdicts(), await there.verdicts())
  assert.deepEqual(await noted(here), await noted(there))
  assert.deepEqual(here.sandbox.s3.keys(BUCKET), there.sandbox.s3.keys(BUCKET))
  assertDoneOnce(here.sandbox)
})

test('a transform that was killed is asked for again only if it is still to be created', async () => {
  const aws = await fixture(SLOW)
  await killedAfter(aws.sandbox, scoring(aws, '--yes'), 'CreateTransformJob')
  const half = await scoring(aws)()
  assert.equal(half.code, 3)
  assert.match(half.stderr, /about \$0\.02\d* \(.*\n.*score by two batch transforms/)
  await killedAfter(aws.sandbox, scoring(aws, '--yes'), 'CreateTransformJob')
  const { code, stderr } = await scoring(aws)()
  assert.equal(code, 0, stderr)
  assertDoneOnce(aws.sandbox)
})
