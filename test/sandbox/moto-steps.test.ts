import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import * as s3 from '@aws-sdk/client-s3'
import { loadFewObjects } from '../support/few-objects.ts'
import { runScript } from '../support/run-script.ts'
import { accesses, artifactOf, putRun, ROLE } from '../support/s3-run.ts'
import { anAccount, container, isMoto } from './moto.ts'
import { answerOf } from './sagemaker/container.ts'

// The steps of a run in another AWS than ours. Where moto has an interface alone, the test does the work behind it.

const [LOGS, BUCKET] = ['org-logs', 'org-staging']
const account = await anAccount()
const pairs = accesses(1, 1800)
const artifact = await artifactOf(pairs)
const { model, env: runtime } = await container(artifact)
const env = isMoto ? { ...account.env, ...runtime } : account.env

before(async () => {
  for (const Bucket of [LOGS, BUCKET]) await account.client.send(new s3.CreateBucketCommand({ Bucket }))
})

async function ran(name: string, ...args: string[]) {
  const given = ['--workspace', `s3://${BUCKET}/prestage`, '--output', 'json']
  const ended = await runScript(name, [...given, ...args], { env })
  assert.doesNotMatch(ended.stderr, /this is a bug/)
  return { ...ended, result: ended.stdout === '' ? {} : JSON.parse(ended.stdout) }
}

async function done(name: string, ...args: string[]) {
  const { code, stderr, result } = await ran(name, ...args)
  assert.equal(code, 0, stderr)
  return result
}

/** What is put at once, and is there when it is awaited. */
function puts() {
  const all: Promise<void>[] = []
  const put = (bucket: string, key: string, body: string | Buffer) => all.push(account.put(bucket, key, body))
  return { place: { s3: { state: { region: 'us-east-1' }, put } }, all }
}

describe('logs', () => {
  const WINDOW = ['--source', 'cloudtrail', '--from', '2026-03-02', '--to', '2026-03-04']
  const STAGE = [...WINDOW, '--logs', `s3://${LOGS}`, '--copy', 'direct', '--yes']

  before(async () => {
    const { place, all } = puts()
    await loadFewObjects(place, LOGS, {})
    await Promise.all(all)
  })

  test('inventory finds what is there', async () => {
    const { code, stdout, stderr } = await runScript('inventory', ['--logs', `s3://${LOGS}`, '--output', 'json'], {
      env,
    })
    assert.equal(code, 0, stderr)
    assert.match(stdout, /012345678901/)
  })

  test('stage copies the window, proves it, and has nothing to do a second time; clean removes the copies', async () => {
    const first = await done('stage', ...STAGE)
    assert.ok(first.copied > 3 && first.failed === 0)
    assert.equal(first.copied, first.objects)
    const folder = `prestage/bulk/${first.run}/staged/`
    const copies = await account.keys(BUCKET, folder)
    assert.equal(copies.length, first.objects)
    const [key = ''] = copies
    assert.deepEqual(await account.get(BUCKET, key), await account.get(LOGS, key.slice(folder.length)))
    assert.equal((await done('stage', ...STAGE)).repeated, true)
    await account.client.send(new s3.DeleteObjectCommand({ Bucket: BUCKET, Key: key }))
    assert.equal((await done('stage', ...STAGE)).copied, 1)
    await done('clean', '--run', first.run, '--yes')
    assert.deepEqual(await account.keys(BUCKET, folder), [])
  })
})

describe('a model', () => {
  let run = ''
  const inRun = (...args: string[]) => ['--run', run, '--yes', ...args]

  before(async () => {
    const { place, all } = puts()
    run = (await putRun(place, { train: pairs })).id
    const entities = Array.from({ length: 12 }, (_, i) => `user_${i},150,1\n`).join('')
    place.s3.put(BUCKET, `prestage/runs/${run}/entities.csv`, entities)
    await Promise.all(all)
  })

  test('train describes its job, and finds it again', async () => {
    const args = inRun('--sagemaker-role', ROLE, '--epochs', '10', '--vector-dim', '8', '--num-entity-vectors', '1000')
    if (isMoto) {
      const { code, stderr } = await ran('train', ...args)
      assert.equal(code, 1)
      const [, key = ''] =
        /s3:\/\/org-staging\/(\S+): the job is completed, but its model is missing/.exec(stderr) ?? assert.fail(stderr)
      await account.put(BUCKET, key, artifact)
    }
    const trained = await done('train', ...args)
    assert.equal(trained.backend, 'sagemaker')
    const again = await done('train', ...args)
    assert.deepEqual([again.repeated, again.job, again.digest], [true, trained.job, trained.digest])
  })

  test('deploy brings it into service', async () => {
    const deployed = await done('deploy', ...inRun('--sagemaker-role', ROLE))
    assert.deepEqual([deployed.status, deployed.endpoint], ['InService', 'prestage-waf'])
    assert.ok(deployed.auc > 0.9)
    assert.equal((await done('deploy', ...inRun('--sagemaker-role', ROLE))).repeated, true)
  })

  test('score asks the endpoint, at a price that only --max-cost bounds', async () => {
    const plan = await done('score', '--run', run, '--dry-run')
    assert.ok(plan.estimatedUsd > 0 && plan.estimatedUsd < 0.01, JSON.stringify(plan))
    const { code, stderr } = await ran('score', '--run', run, '--max-cost', '0')
    assert.equal(code, 3, stderr)
    assert.match(stderr, /score through endpoint prestage-waf in us-east-1 would cost/)
    const scored = await done('score', '--run', run)
    assert.deepEqual([scored.unseen, scored.by.via], [0, 'endpoint'])
    assert.ok(scored.scored > 100)
  })

  test('score asks a batch transform, and gets the same', async () => {
    const args = inRun('--via', 'transform', '--overwrite')
    if (isMoto) {
      const { code, stderr } = await ran('score', ...args)
      assert.equal(code, 1)
      assert.match(stderr, /is completed, but has written nothing to s3:/)
      for (const key of await account.keys(BUCKET, `prestage/bulk/${run}/tmp/transform/`)) {
        const formats = { contentType: 'text/csv', accept: 'application/jsonlines' }
        const { status, body } = answerOf(model, formats, await account.get(BUCKET, key))
        assert.equal(status, 200)
        await account.put(BUCKET, key.replace('/in/pairs.csv', '/out/pairs.csv.out'), body)
      }
    }
    const scored = await done('score', ...inRun('--via', 'transform', ...(isMoto ? [] : ['--overwrite'])))
    assert.equal(scored.by.via, 'transform')
    assert.ok(scored.scored > 100)
  })

  test('clean takes the endpoint away, and a second time finds none', async () => {
    const { removed } = await done('clean', ...inRun())
    assert.ok(
      removed.some(({ what }: { what: string }) => /endpoint/.test(what)),
      JSON.stringify(removed),
    )
    const again = await done('clean', ...inRun())
    assert.ok(!again.removed.some(({ what }: { what: string }) => /endpoint/.test(what)))
    assert.deepEqual(account.violations, [])
  })
})
