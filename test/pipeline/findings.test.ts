import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { athenaSandbox } from '../support/athena-sandbox.ts'
import { fewObjects } from '../support/few-objects.ts'
import { runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'

const WINDOW = ['--source', 'cloudtrail', '--from', '2026-03-02', '--to', '2026-03-04']
const HUB = ['--findings-account', '012345678901', '--findings-region', 'eu-west-1']
/** Half of all networks are allowed, so that both kinds of findings are there. */
const FINDINGS = ['--findings', 'asff,csv', ...HUB, '--findings-cap', '5', '--findings-period', '12h']
const ALLOW = ['--allow', '0.0.0.0/1']

interface Scored {
  readonly allowed: number
  readonly findings: { readonly open: number; readonly allowed: number; readonly files: readonly string[] }
}

/** What score says of its alerts, and their files below the run. */
function assertFindings({ findings }: Scored, run: string, read: (path: string) => string): void {
  assert.deepEqual(
    findings.files.map((path) => path.slice(path.indexOf(run) + run.length)),
    ['/findings/holdout/asff-0001.json', '/findings/holdout/findings.csv'],
  )
  const [asff = '', csv = ''] = findings.files.map(read)
  const imported = JSON.parse(asff) as { AwsAccountId: string }[]
  assert.equal(imported.length, findings.open + findings.allowed)
  assert.ok(findings.open > 0 && findings.allowed > 0)
  // The window is two days, of which the holdout is less than one.
  assert.ok(findings.open <= 2 * 5)
  assert.deepEqual([...new Set(imported.map(({ AwsAccountId }) => AwsAccountId))], ['012345678901'])
  assert.equal(csv.trimEnd().split('\n').length, 1 + imported.length)
}

describe('a pipeline that also writes findings', () => {
  it('on this machine', async () => {
    const args = [...WINDOW, '--logs', await fewObjects(), '--workspace', tempFolder(), '--output', 'json']
    const { code, stdout, stderr } = await runScript('pipeline', [...args, ...FINDINGS, ...ALLOW])
    assert.equal(code, 0, stderr)
    const { run, steps } = JSON.parse(stdout)
    assertFindings(steps.score, run, (path) => readFileSync(path, 'utf8'))
  })

  it('in AWS', async () => {
    const { sandbox, run } = await athenaSandbox()
    await sandbox.s3.load('org-logs', await fewObjects())
    const role = ['--sagemaker-role', 'arn:aws:iam::111122223333:role/prestage-sagemaker']
    const args = [...WINDOW, '--logs', 's3://org-logs', '--copy', 'direct', ...role, '--yes']
    const { result, stderr } = await run('pipeline', [...args, ...FINDINGS, ...ALLOW])
    assert.ok(result, stderr)
    const texts = new Map<string, string>()
    for (const path of result.steps.score.findings.files as string[])
      texts.set(path, (await sandbox.s3.get('org-staging', path.slice('s3://org-staging/'.length))).toString())
    assertFindings(result.steps.score, result.run, (path) => texts.get(path) ?? '')
    assert.deepEqual(sandbox.violations, [])
  })

  it('that cannot be addressed ends before it begins', async () => {
    const workspace = `${tempFolder()}/workspace`
    const args = [...WINDOW, '--logs', await fewObjects(), '--workspace', workspace, '--findings', 'asff']
    const { code, stderr } = await runScript('pipeline', args)
    assert.equal(code, 2)
    assert.match(stderr, /--findings asff: the logs that were asked for do not tell whose Security Hub is meant/)
    assert.match(stderr, /--findings-account 111122223333 --findings-region us-east-1/)
    assert.equal(existsSync(workspace), false)
  })
})
