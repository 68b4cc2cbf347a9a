import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fixture as extraction } from '../extract/athena-run.ts'
import { fixture as scoring } from '../score/s3-sandbox.ts'
import { BUCKET, ROLE } from '../support/run-in-s3.ts'
import { runScript } from '../support/run-script.ts'
import { s3Sandbox } from '../support/s3-run.ts'

const whats = ({ removed }: Record<string, unknown>) => (removed as { what: string }[]).map(({ what }) => what)
const TRAIN = ['--yes', '--epochs', '8', '--vector-dim', '8', '--mini-batch-size', '100']

describe('clean of a run for which something still works: that ends first', () => {
  it('a training job; its end is waited for', async () => {
    const made = await s3Sandbox({ sandbox: { sagemaker: { hold: { kind: 'training', stage: 'Training' } } } })
    const { sandbox, step } = made
    await step('train')(TRAIN, {
      env: sandbox.env,
      onStderr: (soFar, kill) => / Training: /.test(soFar) && kill('SIGINT'),
    })
    const [name = ''] = sandbox.sagemaker.names().trainingJobs
    const dry = await runScript('clean', ['--workspace', 's3://org-staging/prestage', '--dry-run'], {
      env: sandbox.env,
    })
    assert.match(dry.stdout, new RegExp(`training job ${name}: is running and will be stopped`))
    assert.equal(sandbox.requests.of('StopTrainingJob'), 0)
    const { result, stderr } = await cleanOf(sandbox.env)
    assert.deepEqual(whats(result), [`training job ${name}`], stderr)
    assert.equal(sandbox.sagemaker.trainingJobs.all.get(name)?.status, 'Stopped')
    assert.deepEqual(sandbox.violations, [])
  })

  it('a transform job', async () => {
    const aws = await scoring({ sagemaker: { pace: 'poll' } }, { calibrated: true })
    await aws.script('score', ['--via', 'transform', '--sagemaker-role', ROLE, '--yes'], {
      env: aws.sandbox.env,
      onStderr: (text, kill) => /InProgress/.test(text) && kill('SIGINT'),
    })
    const [job] = aws.sandbox.sagemaker.transformJobs.all.values()
    assert.equal(job?.status, 'InProgress')
    const removed = whats(await aws.done('clean', ['--yes']))
    assert.match(removed[0] ?? '', /^transform job prestage-/)
    assert.equal(job?.status, 'Stopped')
    assert.deepEqual([...aws.sandbox.sagemaker.models.all.keys()], [])
    assert.equal(aws.sandbox.s3.keys(BUCKET, aws.at('tmp/')).length, 0)
  })

  it('a query of an extraction that was killed; its table goes, too', async () => {
    const { sandbox, id, extract } = await extraction({ athena: { pace: 'poll' } })
    const scan = () => sandbox.athena.queries.all.find(({ text }) => text.includes("format = 'PARQUET'"))
    await extract(['--yes'], { killWhen: () => scan()?.state === 'RUNNING' })
    assert.equal(scan()?.state, 'RUNNING')
    // It stays as it is until it is stopped; what is asked afterwards goes at once.
    sandbox.athena.settings.pace = 'manual'
    const { result } = await cleanOf(sandbox.env, () => {
      if (sandbox.requests.of('StopQueryExecution') > 0) sandbox.athena.settings.pace = 'instant'
      return false
    })
    assert.deepEqual(whats(result).slice(0, 2), [`Athena query ${scan()?.id}`, 'Athena tables'])
    assert.equal(scan()?.state, 'CANCELLED')
    assert.deepEqual(sandbox.athena.catalog.names(), ['prestage.cloudtrail'])
    assert.deepEqual(sandbox.s3.keys('org-staging', `prestage/bulk/${id}/staged/`), [])
    assert.deepEqual(sandbox.violations, [])
  })

  /** An extraction that was killed when its scan was started, and had not heard of it. */
  const killedUnnoted = async () => {
    const made = await extraction({ athena: { pace: 'poll' } })
    const { sandbox, extract } = made
    const scan = () => sandbox.athena.queries.all.find(({ text }) => text.includes("format = 'PARQUET'"))
    sandbox.faults.add({ operation: 'StartQueryExecution', nth: 3, cut: 'after' })
    await extract(['--yes'], { killWhen: () => scan() !== undefined })
    sandbox.faults.clear()
    return { ...made, scan }
  }

  it('a query whose start was never noted', async () => {
    const { sandbox, scan } = await killedUnnoted()
    sandbox.athena.settings.pace = 'manual'
    const { result, stderr } = await cleanOf(sandbox.env, () => {
      if (sandbox.requests.of('StopQueryExecution') > 0) sandbox.athena.settings.pace = 'instant'
      return false
    })
    assert.deepEqual(whats(result).slice(0, 2), [`Athena query ${scan()?.id}`, 'Athena tables'], stderr)
    assert.equal(scan()?.state, 'CANCELLED')
    assert.deepEqual(sandbox.violations, [])
  })

  it('says that it may not look for one whose start was never noted', async () => {
    const { sandbox } = await killedUnnoted()
    sandbox.s3.deny({ action: 'athena:ListQueryExecutions' })
    sandbox.athena.settings.pace = 'instant'
    const { result, stderr } = await cleanOf(sandbox.env)
    assert.deepEqual(whats(result).slice(0, 1), ['Athena tables'], stderr)
    const said = stderr.match(/cannot look for a query that was started but not noted.*lacks athena:ListQueryExec/g)
    assert.equal(said?.length, 1, stderr)
    assert.deepEqual(sandbox.violations, [])
  })

  it('a query that may not be stopped is named, and nothing is removed', async () => {
    const { sandbox, extract } = await extraction({ athena: { pace: 'poll' } })
    await extract(['--yes'], { killWhen: () => sandbox.athena.queries.all.some(({ state }) => state === 'RUNNING') })
    sandbox.s3.deny({ action: 'athena:StopQueryExecution' })
    sandbox.athena.settings.pace = 'manual'
    const args = ['--workspace', 's3://org-staging/prestage', '--yes']
    const { code, stderr } = await runScript('clean', args, { env: sandbox.env })
    assert.equal(code, 4, stderr)
    assert.match(stderr, /athena:StopQueryExecution/)
    assert.equal(sandbox.requests.of('DeleteObjects'), 0)
  })
})

async function cleanOf(env: Record<string, string>, killWhen = () => false) {
  const args = ['--workspace', 's3://org-staging/prestage', '--output', 'json', '--yes']
  const { code, stdout, stderr } = await runScript('clean', args, { env, killWhen })
  assert.equal(code, 0, stderr)
  return { result: JSON.parse(stdout) as Record<string, unknown>, stderr }
}
