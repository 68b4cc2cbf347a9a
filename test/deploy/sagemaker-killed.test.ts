import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { plainJson } from '../support/changes.ts'
import { assertDoneOnce, killedAfter, killedAfterEachChange } from '../support/kill-chain.ts'
import { type RunOptions, runScript } from '../support/run-script.ts'
import { accesses, artifactOf, putRun, s3Sandbox } from '../support/s3-run.ts'

const artifact = artifactOf(accesses(1, 1800))
const better = artifactOf(accesses(1, 1800), 12)
const NEXT = '2026-11-22T00:00:00.000Z'
const SCALED = ['--instance-type', 'ml.m5.large', '--autoscale', '1:2']
const OTHERS = ['--instance-type', 'ml.m5.xlarge', '--autoscale', '1:3']

/** A run that may be deployed, and another one after it. */
async function fixture() {
  const all = await s3Sandbox({ artifact: await artifact, sandbox: { sagemaker: { pace: 'poll' } } })
  const next = await putRun(all.sandbox, { artifact: await better, to: NEXT })
  const { sandbox, run } = all
  const deploying =
    (...args: string[]) =>
    (options: RunOptions = {}) =>
      all.step('deploy')(args.includes('--run') ? args : ['--run', run.id, ...args], { ...options, env: sandbox.env })
  const cleaning =
    (id: string) =>
    (options: RunOptions = {}) =>
      runScript('clean', ['--workspace', 's3://org-staging/prestage', '--run', id, '--yes'], {
        ...options,
        env: sandbox.env,
      })
  const noted = async (id: string) => {
    const { steps } = JSON.parse(String(await sandbox.s3.get('org-staging', `prestage/runs/${id}/run.json`)))
    return JSON.parse(plainJson(steps.deploy.result))
  }
  return { sandbox, run, next, deploying, cleaning, noted }
}

/** What is there, and whose the endpoint is. */
function made({ sandbox }: Awaited<ReturnType<typeof fixture>>) {
  const { endpoints, configs, models } = sandbox.sagemaker.names()
  const endpoint = sandbox.sagemaker.endpoints.all.get('prestage-waf')
  const tags = endpoint && sandbox.sagemaker.shared.tags.of(endpoint.arn)
  return {
    endpoints,
    configs,
    models,
    serves: endpoint?.config.name,
    tags,
    scaled: sandbox.sagemaker.scaling.targets.size,
  }
}

describe('deploy, killed after each change it makes', () => {
  it('a new endpoint on instances that are scaled', async () => {
    const [there, here] = [await fixture(), await fixture()]
    const expected = await there.deploying(...SCALED, '--yes')()
    assert.equal(expected.code, 0, expected.stderr)
    const { points, last } = await killedAfterEachChange(here.sandbox, here.deploying(...SCALED, '--yes'), {
      look: () => assertDoneOnce(here.sandbox),
    })
    assert.equal(last.code, 0, last.stderr)
    assert.ok(points.length >= 12, points.join('; '))
    assert.deepEqual(made(here), made(there))
    assert.deepEqual(await here.noted(here.run.id), await there.noted(there.run.id))
    assertDoneOnce(here.sandbox)
  })

  it('a challenger on other instances in place of a champion that is scaled, and back; then clean', async () => {
    const [there, here] = [await fixture(), await fixture()]
    for (const { deploying, sandbox } of [there, here]) {
      const { code, stderr } = await deploying(...SCALED, '--yes')()
      assert.equal(code, 0, stderr)
      sandbox.requests.reset()
    }
    const id = here.next.id
    const challenging = ['--run', id, ...OTHERS, '--yes']
    const expected = await there.deploying(...challenging)()
    assert.equal(expected.code, 0, expected.stderr)
    const { points, last } = await killedAfterEachChange(here.sandbox, here.deploying(...challenging), {
      look: () => assertDoneOnce(here.sandbox),
    })
    assert.equal(last.code, 0, last.stderr)
    assert.ok(points.length >= 15, points.join('; '))
    assert.deepEqual(made(here), made(there))
    assert.deepEqual(await here.noted(id), await there.noted(id))
    assert.ok((await here.noted(id)).champion.auc > 0.5)
    assertDoneOnce(here.sandbox)

    for (const { sandbox } of [there, here]) sandbox.requests.reset()
    assert.equal((await there.deploying('--run', id, '--rollback')()).code, 0)
    const back = await killedAfterEachChange(here.sandbox, here.deploying('--run', id, '--rollback'))
    assert.equal(back.last.code, 0, back.last.stderr)
    assert.ok(back.points.length >= 3, back.points.join('; '))
    assert.deepEqual(made(here), made(there))
    assert.equal(made(here).tags?.['prestage:run'], here.run.id)
    assert.equal(made(here).scaled, 1)
    assertDoneOnce(here.sandbox)

    for (const cleaned of [here.next, here.run])
      await killedAfterEachChange(here.sandbox, here.cleaning(cleaned.id), {
        spares: (change) => /Object/.test(change),
      })
    const { endpoints, configs, models, scaled } = made(here)
    assert.deepEqual([endpoints, configs, models, scaled], [[], [], [], 0])
  })

  it('--delete-after: it was there once, and nothing of it is left', async () => {
    const { sandbox, deploying } = await fixture()
    const onStderr: RunOptions['onStderr'] = (soFar, kill) => {
      if (soFar.includes('or at once on Ctrl-C')) kill('SIGINT')
    }
    const start = (options: RunOptions) => deploying('--yes', '--delete-after', '1h')({ ...options, onStderr })
    const { points, last } = await killedAfterEachChange(sandbox, start)
    assert.equal(last.code, 0, last.stderr)
    assert.equal(last.result.status, 'Deleted')
    assert.ok(points.length >= 13, points.join('; '))
    const { endpoints, configs } = sandbox.sagemaker.names()
    assert.deepEqual([endpoints, configs], [[], []])
    assertDoneOnce(sandbox)
  })
})

describe('a deploy that was killed asks only for what is still to be paid', () => {
  it('not for an endpoint that is being created', async () => {
    const { sandbox, deploying } = await fixture()
    await killedAfter(sandbox, deploying('--yes'), 'CreateEndpointConfig')
    const before = await deploying()()
    assert.equal(before.code, 3)
    assert.match(before.stderr, /deploy to prestage-waf needs a confirmation/)
    await killedAfter(sandbox, deploying('--yes'), 'CreateEndpoint ')
    const after = await deploying()()
    assert.equal(after.code, 0, after.stderr)
    assertDoneOnce(sandbox)
  })

  it('not for an update that is under way', async () => {
    const { sandbox, next, deploying } = await fixture()
    assert.equal((await deploying('--yes')()).code, 0)
    const challenger = deploying('--run', next.id, '--yes')
    await killedAfter(sandbox, challenger, 'CreateEndpoint ')
    assert.equal((await deploying('--run', next.id)()).code, 3)
    await killedAfter(sandbox, challenger, 'UpdateEndpoint')
    const after = await deploying('--run', next.id)()
    assert.equal(after.code, 0, after.stderr)
    assert.deepEqual(sandbox.violations, [])
  })
})
