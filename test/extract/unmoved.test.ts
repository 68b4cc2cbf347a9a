import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { athenaSandbox, WORKSPACE } from '../support/athena-sandbox.ts'
import { fewObjects } from '../support/few-objects.ts'
import { placeInS3 } from '../support/run-places.ts'

const WINDOW = ['--from', '2026-03-02', '--to', '2026-03-04']

describe('Security Lake in S3 is read where it lies', async () => {
  const { sandbox, run } = await athenaSandbox()
  const { s3, requests } = sandbox
  const stage = (...args: readonly string[]) =>
    run('stage', ['--source', 'securitylake', '--logs', 's3://org-logs', '--yes', ...WINDOW, ...args])
  const staged = (id: string) => s3.keys('org-staging', `prestage/${placeInS3(id, 'staged/')}`)
  const textOf = async (id: string, key: string) =>
    String(await s3.get('org-staging', `prestage/${placeInS3(id, key)}`))
  let [id, keys, first]: [string, string[], string] = ['', [], '']
  let events = 0

  before(async () => {
    await s3.load('org-logs', await fewObjects({ sources: ['securitylake'] }))
    keys = s3.keys('org-logs', 'aws/').filter((key) => /eventDay=2026030[234]/.test(key))
    first = keys[0] ?? ''
  })

  it('stage looks at every object and copies none, by a job or otherwise', async () => {
    requests.reset()
    const { result, stderr } = await stage('--copy', 'batch', '--batch-role', 'arn:aws:iam::111122223333:role/batch')
    assert.ok(result, stderr)
    id = result.run
    assert.deepEqual([result.copied, result.skipped, result.inPlace], [0, keys.length, true])
    const asked = requests.all()
    assert.deepEqual([asked.CopyObject, asked.CreateJob, asked.GetObjectTagging], [undefined, undefined, undefined])
    assert.ok((asked.HeadObject ?? 0) >= keys.length)
    assert.deepEqual(staged(id), [`prestage/${placeInS3(id, 'staged/symlink.txt')}`])
    assert.equal(await textOf(id, 'staged/symlink.txt'), keys.map((key) => `s3://org-logs/${key}\n`).join(''))
    const manifest = await textOf(id, 'manifest.csv')
    assert.deepEqual(
      manifest.trimEnd().split('\n').map(decodeURIComponent),
      keys.map((key) => `org-logs,${key}`),
    )
    const again = await stage()
    assert.equal(again.result.repeated, true)
  })

  it('extract reads just these objects', async () => {
    s3.put('org-logs', first.replace(/[^/]+$/, 'later.gz.parquet'), await s3.get('org-logs', first))
    const { result, stderr } = await run('extract', ['--run', id, '--yes'])
    assert.ok(result, stderr)
    ;({ events } = result)
    assert.ok(events > 1000)
    s3.delete('org-logs', first.replace(/[^/]+$/, 'later.gz.parquet'))
  })

  it('what changed or went since is found before a scan is paid, and by stage', async () => {
    const [changed, gone] = [first, keys.at(-1) ?? '']
    const bodies = [await s3.get('org-logs', changed), await s3.get('org-logs', gone)]
    s3.put('org-logs', changed, Buffer.from(bodies[0] ?? '').fill(1, 0, 1))
    s3.delete('org-logs', gone)
    requests.reset()
    for (const script of ['extract', 'query']) {
      const asked = script === 'query' ? ['sql/explore/shared-ips.sql'] : ['--overwrite']
      const { code, stderr } = await run(script, ['--run', id, '--yes', ...asked])
      assert.equal(code, 1)
      assert.match(stderr, new RegExp(`reads ${keys.length} objects where they lie, and 2 of them cannot be read`))
      assert.match(stderr, new RegExp(`${changed}.*: changed in the logs since it was listed`))
      assert.match(stderr, new RegExp(`${gone}.*: gone from the logs since it was listed`))
      assert.match(stderr, /scripts\/stage\.mjs .*looks at what the logs hold now; then extract with --overwrite/)
    }
    assert.equal(requests.of('StartQueryExecution'), 0)

    // The changed one is listed anew, the gone one is left out.
    s3.put('org-logs', changed, bodies[0] ?? '')
    const { result, stderr } = await stage()
    assert.ok(result, stderr)
    assert.deepEqual([result.run, result.objects], [id, keys.length - 1])
    assert.match(stderr, /left out: 1 object\n/)
    const fewer = await run('extract', ['--run', id, '--yes', '--overwrite'])
    assert.ok(fewer.result, fewer.stderr)
    assert.ok(fewer.result.events < events)
    s3.put('org-logs', gone, bodies[1] ?? '')
    const whole = await stage('--overwrite')
    assert.equal(whole.result?.objects, keys.length)
  })

  it('what goes while Athena reads is found afterwards', async () => {
    const body = await s3.get('org-logs', first)
    sandbox.athena.settings.answer = (sql) => {
      // By now the logs are scanned.
      if (!sql.includes('class_uid')) s3.delete('org-logs', first)
      return undefined
    }
    const { code, stderr } = await run('extract', ['--run', id, '--yes', '--overwrite'])
    sandbox.athena.settings.answer = () => undefined
    s3.put('org-logs', first, body)
    assert.equal(code, 1)
    assert.match(stderr, /and 1 of them cannot be read as selected/)
    const again = await run('extract', ['--run', id, '--yes', '--overwrite'])
    assert.equal(again.result?.events, events, again.stderr)
  })

  it('clean removes what names the objects and leaves them', async () => {
    const { code, stderr } = await run('clean', ['--run', id, '--yes'])
    assert.equal(code, 0, stderr)
    assert.deepEqual(staged(id), [])
    assert.deepEqual(
      keys.filter((key) => !s3.keys('org-logs').includes(key)),
      [],
    )
    const { stderr: said } = await run('extract', ['--run', id, '--yes', '--overwrite'])
    assert.match(said, new RegExp(`${keys.length} objects were staged, 0 are there`))
    assert.equal((await stage()).result?.objects, keys.length)
    assert.deepEqual(sandbox.violations, [])
  })

  it('a table over copies, as an earlier version made it, is not used', async () => {
    const table = sandbox.athena.catalog.find('prestage', 'securitylake')
    assert.ok(table)
    const inputformat = 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat'
    sandbox.athena.catalog.add({ ...table, parameters: { ...table.parameters, inputformat } })
    const { code, stderr } = await run('extract', ['--run', id, '--yes', '--overwrite'])
    assert.equal(code, 1)
    assert.match(stderr, new RegExp(`is not the one for ${WORKSPACE}: its input format is ${inputformat}`))
  })
})
