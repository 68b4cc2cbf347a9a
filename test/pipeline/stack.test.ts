import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fixture as setupSandbox } from '../setup/sandbox.ts'
import { fewObjects } from '../support/few-objects.ts'
import { runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'

const WINDOW = ['--from', '2026-03-02', '--to', '2026-03-04']
/** What is no setting of the account: that a small set goes by a job, too, and that no test waits for half a minute. */
const QUICK = ['--copy', 'batch', '--poll', '0.05', '--yes']
const TWO_BUCKETS = ['s3://org-logs/AWSLogs', 's3://org-waf-logs']

/** An account that has its logs delivered, and where `setup` has run. */
async function fixture(readLogs: readonly string[]) {
  const made = await setupSandbox({ buckets: { 'org-logs': {}, 'org-waf-logs': {} }, jobs: { pace: 100 } })
  const { sandbox, cwd, setup, script } = made
  await sandbox.s3.load('org-logs', await fewObjects({ sources: ['cloudtrail'] }))
  await sandbox.s3.load('org-waf-logs', await fewObjects({ sources: ['waf'] }))
  const { code, stderr, result } = await setup([...readLogs.flatMap((uri) => ['--read-logs', uri]), '--yes'])
  assert.equal(code, 0, stderr)
  assert.equal(readFileSync(`${cwd}/prestage.yaml`, 'utf8'), 'stack: prestage\n')
  const outputs = result.outputs as Record<string, string>
  const pipeline = async (args: readonly string[], folder = cwd) => {
    const ended = await script('pipeline', [...WINDOW, ...QUICK, ...args], { cwd: folder })
    assert.equal(ended.code, 0, ended.stderr)
    return ended.result
  }
  return { ...made, outputs, pipeline }
}

type Fixture = Awaited<ReturnType<typeof fixture>>

/** Everything that these runs made was made by what the stack has, and lies in it. */
function assertOfStack({ sandbox, outputs }: Fixture, runs: readonly string[]) {
  const roles = <T>(all: Iterable<T>, of: (one: T) => string | undefined) => [...all].map(of)
  const each = (value: string | undefined) => runs.map(() => value)
  assert.deepEqual(
    roles(sandbox.control.jobs(), ({ spec }) => spec.role),
    each(outputs.BatchRoleArn),
  )
  assert.deepEqual(
    roles(sandbox.sagemaker.trainingJobs.all.values(), ({ request }) => request.RoleArn),
    each(outputs.SageMakerRoleArn),
  )
  assert.deepEqual(
    roles(sandbox.sagemaker.models.all.values(), ({ request }) => request.ExecutionRoleArn),
    each(outputs.SageMakerRoleArn),
  )
  const queries = sandbox.athena.queries.all
  assert.deepEqual([...new Set(queries.map(({ workgroup }) => workgroup))], [outputs.Workgroup])
  assert.ok(queries.some(({ database }) => database === outputs.Database))
  for (const run of runs)
    assert.ok(sandbox.s3.head(outputs.StagingBucket ?? '', `prestage/runs/${run}/report.html`), `report of ${run}`)
  assert.deepEqual(sandbox.violations, [])
}

describe('after setup', () => {
  it('the pipeline runs with only --stack', async () => {
    const made = await fixture(['s3://org-logs'])
    const args = ['--source', 'cloudtrail', '--logs', 's3://org-logs', '--stack', 'prestage']
    const { run, report } = await made.pipeline(args, tempFolder())
    assert.equal(report, `${made.outputs.Workspace}/runs/${run}/report.html`)
    assertOfStack(made, [run])
  })

  it('the pipeline runs with source and window only: the stack knows the logs, too', async () => {
    const made = await fixture(['s3://org-logs/AWSLogs'])
    const { run } = await made.pipeline(['--source', 'cloudtrail'])
    assertOfStack(made, [run])
    const { request } = JSON.parse(
      (await made.sandbox.s3.get(made.outputs.StagingBucket ?? '', `prestage/runs/${run}/run.json`)).toString(),
    )
    assert.equal(request.logs, 's3://org-logs/AWSLogs')
  })

  it('both sources, each from the bucket that has it, into one page; and again nothing is made twice', async () => {
    const made = await fixture(TWO_BUCKETS)
    const { sandbox, outputs, pipeline } = made
    const { runs, report } = await pipeline(['--source', 'cloudtrail,waf'])
    assertOfStack(made, Object.values(runs))
    assert.ok(report.startsWith(`${outputs.Workspace}/reports/cloudtrail-waf-`))
    const logsOf = async (run: string) =>
      JSON.parse((await sandbox.s3.get(outputs.StagingBucket ?? '', `prestage/runs/${run}/run.json`)).toString())
        .request.logs
    assert.deepEqual([await logsOf(runs.cloudtrail), await logsOf(runs.waf)], TWO_BUCKETS)
    assert.deepEqual((await pipeline(['--source', 'cloudtrail,waf'])).runs, runs)
    assertOfStack(made, Object.values(runs))
  })

  it('work on this machine takes the logs from the stack, and nothing else', async () => {
    const { sandbox, cwd, script } = await fixture(['s3://org-logs'])
    const { result, stderr } = await script('stage', [
      ...['--source', 'cloudtrail', '--workspace', './here', '--yes'],
      ...WINDOW,
    ])
    assert.ok(result?.staged.startsWith(`${cwd}/here`), stderr)
    assert.deepEqual(sandbox.control.jobs(), [])
    assert.deepEqual(sandbox.violations, [])
  })

  it('a bucket that may not be read is named to the source that needs it, and only to that', async () => {
    const { sandbox, script } = await fixture(TWO_BUCKETS)
    sandbox.s3.deny({ action: 's3:ListBucket', resource: 'org-waf-logs' })
    const look = (source: string) => script('stage', ['--source', source, ...WINDOW, '--dry-run'])
    const { result, stderr } = await look('cloudtrail')
    assert.ok(result?.objects > 0, stderr)
    const denied = await look('waf')
    assert.equal(denied.code, 4)
    assert.match(denied.stderr, /org-waf-logs.*lacks s3:ListBucket|s3:ListBucket.*org-waf-logs/)
    assert.deepEqual(sandbox.violations, [])
  })

  it('inventory looks into all logs of the stack, and says what lies where', async () => {
    const { sandbox, cwd, script } = await fixture(TWO_BUCKETS)
    const { code, result, stderr } = await script('inventory', [])
    assert.equal(code, 0, stderr)
    const places = TWO_BUCKETS.map((uri) => uri.replace(/\/+$/, ''))
    assert.equal(result.logs, places.join())
    const found = result.sources.map(({ logs, source }: { logs: string; source: string }) => [
      source,
      logs.replace(/\/+$/, ''),
    ])
    assert.deepEqual(found, [
      ['cloudtrail', places[0]],
      ['waf', places[1]],
    ])
    const text = await runScript('inventory', [], { cwd, env: sandbox.env })
    assert.match(
      text.stdout,
      /^s3:\/\/org-logs\/AWSLogs\/?\n\nsource [\s\S]*\d LIST requests\n\n\ns3:\/\/org-waf-logs\/?\n\nsource/,
    )
    assert.match(text.stderr, /next: .*--source cloudtrail --logs s3:\/\/org-logs\/AWSLogs /)
    assert.deepEqual(sandbox.violations, [])
  })

  it('inventory of several places tells what it may see of them', async () => {
    const { sandbox, script } = await fixture(TWO_BUCKETS)
    sandbox.s3.deny({ action: 's3:ListBucket', resource: 'org-waf-logs' })
    const { code, result, stderr } = await script('inventory', [])
    assert.equal(code, 0)
    assert.deepEqual(
      result.sources.map(({ source }: { source: string }) => source),
      ['cloudtrail'],
    )
    assert.match(stderr, /warning: .*org-waf-logs.*lacks s3:ListBucket/)
    sandbox.s3.deny({ action: 's3:ListBucket', resource: 'org-logs' })
    const nothing = await script('inventory', [])
    assert.deepEqual([nothing.code, nothing.stdout], [4, ''])
    assert.match(nothing.stderr, /org-logs.*lacks s3:ListBucket/)
    assert.deepEqual(sandbox.violations, [])
  })

  const mistakes: [what: string, script: string, args: string[], code: number, says: RegExp][] = [
    [
      'a source that no bucket has',
      'stage',
      ['--source', 'waf', '--logs', 's3://org-logs/AWSLogs,s3://org-logs'],
      1,
      /s3:\/\/org-logs\/AWSLogs and s3:\/\/org-logs have no waf logs\n.*inventory/,
    ],
    [
      'a source that two places have',
      'stage',
      ['--source', 'cloudtrail', '--logs', 's3://org-logs/AWSLogs,s3://org-logs'],
      2,
      /s3:\/\/org-logs\/AWSLogs and s3:\/\/org-logs have cloudtrail logs\n.*name one of them with --logs/,
    ],
    ['simulated logs in a bucket', 'simulate', [], 2, /--logs is missing/],
  ]
  it('says what it cannot choose', async () => {
    const { script } = await fixture(TWO_BUCKETS)
    for (const [what, name, args, expected, says] of mistakes) {
      const window = name === 'stage' ? WINDOW : []
      const { code, stderr } = await script(name, [...args, ...window])
      assert.equal(code, expected, `${what}: ${stderr}`)
      assert.match(stderr, says, what)
    }
  })
})
