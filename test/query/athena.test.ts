import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { before, describe, it } from 'node:test'
import { athenaSandbox, WORKSPACE } from '../support/athena-sandbox.ts'
import { fewObjects } from '../support/few-objects.ts'
import { ROOT, runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'

const WINDOW = ['--from', '2026-03-02', '--to', '2026-03-04']

describe('Athena and DuckDB answer the same', async () => {
  const { sandbox, run, stage } = await athenaSandbox()
  const local = tempFolder()
  const logs = await fewObjects()

  before(async () => {
    await sandbox.s3.load('org-logs', logs)
    for (const source of ['cloudtrail', 'waf']) {
      assert.equal((await stage(source, WINDOW)).code, 0)
      const args = ['--source', source, '--logs', logs, '--workspace', local, ...WINDOW]
      assert.equal((await runScript('stage', args)).code, 0)
    }
  })

  const idOf = async (source: string, workspace: string): Promise<string> => {
    const ids =
      workspace === WORKSPACE
        ? sandbox.s3.keys('org-staging').map((key) => key.split('/')[2] ?? '')
        : readdirSync(`${local}/runs`)
    return ids.find((id) => id.startsWith(source)) ?? ''
  }

  // All texts are compared where the loopback Athena is tested; here it is the way there.
  for (const file of ['busiest-hour.sql', 'root-usage.sql', 'blocked-ips.sql']) {
    const [, source = 'cloudtrail'] =
      /^-- Source: (\w+)/m.exec(readFileSync(`${ROOT}sql/explore/${file}`, 'utf8')) ?? []
    it(file, async () => {
      const args = [`sql/explore/${file}`, '--limit', '100000']
      const there = await run('query', [...args, '--run', await idOf(source, WORKSPACE), '--yes'])
      assert.ok(there.result, there.stderr)
      const here = await runScript('query', [
        ...args,
        ...['--run', await idOf(source, local), '--workspace', local, '--output', 'json'],
      ])
      const { columns, rows } = JSON.parse(here.stdout)
      assert.deepEqual(there.result.columns, columns)
      assert.deepEqual(there.result.rows, rows)
      assert.equal(there.result.engine, 'athena')
      assert.ok(there.result.scannedBytes > 0)
      assert.deepEqual(sandbox.violations, [])
    })
  }

  it('and spends nothing unasked', async () => {
    const before = sandbox.requests.of('StartQueryExecution')
    const { code, stderr } = await run('query', ['busiest-hour'])
    assert.equal(code, 3)
    assert.match(stderr, /scan .* with Athena needs a confirmation/)
    assert.equal(sandbox.requests.of('StartQueryExecution'), before)
  })

  it('and tells that a question which names its relations twice is two scans', async () => {
    const question = `${tempFolder()}/twice.sql`
    writeFileSync(question, 'select count(*) as n from accesses a join accesses b on a.event_id = b.event_id')
    const { code, stderr } = await run('query', [question])
    assert.equal(code, 3)
    assert.match(stderr, /scanned 2 times, as often as the question names its relations/)
  })

  it('and says what Athena does not take', async () => {
    sandbox.athena.settings.failures = [
      {
        when: 'select',
        stage: 'running',
        error: { category: 2, type: 1006, retryable: false, reason: 'COLUMN_NOT_FOUND: line 1:8' },
      },
    ]
    const { code, stderr } = await run('query', ['busiest-hour', '--yes'])
    assert.equal(code, 1)
    assert.match(stderr, /asking: query \S+ failed: COLUMN_NOT_FOUND/)
  })
})
