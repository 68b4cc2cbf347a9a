import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, describe, it } from 'node:test'
import { sources } from '../../scripts/lib/sources/registry.ts'
import { athenaSandbox, linesAt, linesIn } from '../support/athena-sandbox.ts'
import { cloudfrontAs, FORMS } from '../support/cloudfront-forms.ts'
import { fewObjects } from '../support/few-objects.ts'
import { parquetFlows } from '../support/parquet-flows.ts'
import { runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'
import { event, fileOf, fixture } from './athena-run.ts'

const WINDOW = ['--from', '2026-03-02', '--to', '2026-03-04']

describe('Athena and DuckDB extract the same pairs', async () => {
  const { sandbox, run, stage } = await athenaSandbox()
  const workspace = tempFolder()
  const runs: Record<string, string> = {}

  before(async () => {
    const logs = await fewObjects({ sources: Object.keys(sources) })
    await sandbox.s3.load('org-logs', logs)
    for (const source of Object.keys(sources)) {
      const staged = await stage(source, WINDOW)
      assert.equal(staged.code, 0, staged.stderr)
      runs[source] = staged.result.run
      const args = ['--source', source, '--logs', logs, '--workspace', workspace, '--output', 'json', ...WINDOW]
      const local = await runScript('stage', args)
      runs[`${source} here`] = JSON.parse(local.stdout).run
    }
  })

  for (const source of Object.values(sources))
    for (const [entity, flags] of [
      // `node test/run.mjs --all athena-texts` compares every entity of every source.
      ...(['cloudtrail', 'waf'].includes(source.id) ? Object.keys(source.entities) : []).map(
        (name) => [name, []] as const,
      ),
      [source.defaultEntity, ['--include-private', '--dedupe']] as const,
    ])
      it(`${source.id} by ${entity} ${flags.join(' ')}`, async () => {
        const args = ['--entity', entity, '--overwrite', ...flags]
        const there = await run('extract', ['--run', runs[source.id] ?? '', '--yes', ...args])
        assert.ok(there.result, there.stderr)
        const here = await runScript('extract', [
          ...['--workspace', workspace, '--run', runs[`${source.id} here`] ?? '', '--output', 'json'],
          ...args,
        ])
        const expected = JSON.parse(here.stdout)
        for (const field of ['events', 'pairs', 'trainPairs', 'holdoutPairs', 'entities', 'dropped', 'ipv6', 'cutoff'])
          assert.deepEqual(there.result[field], expected[field], field)
        const local = `${workspace}/runs/${runs[`${source.id} here`]}`
        const ipv6 = expected.ipv6.distinct > 0 ? ['pairs/ipv6/'] : []
        assert.ok(source.id !== 'cloudtrail' || ipv6.length > 0)
        for (const part of ['pairs/train/', 'pairs/holdout/', 'times/', ...ipv6])
          assert.deepEqual(await linesAt(sandbox, there.result.run, part), linesIn(`${local}/${part}`), part)
        const known = await linesAt(sandbox, there.result.run, 'entities.csv')
        assert.equal(known.length, expected.entities)
        assert.deepEqual(sandbox.violations, [])
      })

  it('CloudFront of any form as of its simulated logs', async () => {
    const logs = await fewObjects({ sources: Object.keys(sources) })
    const from = ['--source', 'cloudfront', '--copy', 'direct', '--yes', ...WINDOW]
    const expected = await run('extract', ['--run', runs.cloudfront ?? '', '--yes', '--overwrite'])
    const pairs = await linesAt(sandbox, runs.cloudfront ?? '', 'pairs/train/')
    for (const form of FORMS) {
      const folder = tempFolder()
      for (const key of await cloudfrontAs(form, logs, folder))
        sandbox.s3.put('parquet-logs', `${form}/${key}`, readFileSync(`${folder}/${key}`))
      const staged = await run('stage', [...from, '--logs', `s3://parquet-logs/${form}`])
      assert.ok(staged.result, staged.stderr)
      const found = await run('extract', ['--run', staged.result.run, '--yes'])
      assert.ok(found.result, found.stderr)
      for (const field of ['events', 'trainPairs', 'holdoutPairs', 'dropped'])
        assert.deepEqual(found.result[field], expected.result[field], `${form}: ${field}`)
      assert.deepEqual(await linesAt(sandbox, staged.result.run, 'pairs/train/'), pairs, form)
    }
    assert.deepEqual(sandbox.violations, [])
  })

  it('vpcflow of Parquet as of text, and not both at once', async () => {
    const [logs, folder] = [await fewObjects({ sources: Object.keys(sources) }), tempFolder()]
    const keys = await parquetFlows(logs, folder)
    for (const key of keys) sandbox.s3.put('parquet-logs', key, readFileSync(`${folder}/${key}`))
    const from = ['--source', 'vpcflow', '--logs', 's3://parquet-logs', '--copy', 'direct', '--yes', ...WINDOW]
    const { result: staged, stderr } = await run('stage', from)
    assert.ok(staged, stderr)
    const ofText = await run('extract', ['--run', runs.vpcflow ?? '', '--yes', '--overwrite'])
    const ofParquet = await run('extract', ['--run', staged.run, '--yes'])
    assert.ok(ofParquet.result, ofParquet.stderr)
    for (const field of ['events', 'pairs', 'trainPairs', 'entities', 'dropped', 'ipv6', 'cutoff'])
      assert.deepEqual(ofParquet.result[field], ofText.result[field], field)
    const pairs = await linesAt(sandbox, staged.run, 'pairs/train/')
    assert.deepEqual(pairs, await linesAt(sandbox, runs.vpcflow ?? '', 'pairs/train/'))

    const text = (keys.at(-1) ?? '').replace('parquet', 'gz')
    sandbox.s3.put('parquet-logs', text, readFileSync(`${logs}/${text}`))
    const mixed = await run('stage', [...from, '--overwrite'])
    assert.ok(mixed.result, mixed.stderr)
    const refused = await run('extract', ['--run', mixed.result.run, '--yes', '--overwrite'])
    assert.equal(refused.code, 1)
    assert.match(
      refused.stderr,
      /has text \(.*\) and Parquet \(.*\): Athena reads one form at a time\s+stage each by itself/,
    )
    assert.deepEqual(sandbox.violations, [])
  })

  it('leaves no table but the source’s, and no scratch', async () => {
    assert.deepEqual(
      sandbox.athena.catalog.names(),
      [...Object.keys(sources), 'cloudfront_parquet', 'vpcflow_parquet'].map((id) => `prestage.${id}`),
    )
    for (const source of Object.keys(sources)) {
      const prefix = `prestage/bulk/${runs[source]}/`
      assert.deepEqual(sandbox.s3.keys('org-staging', `${prefix}tmp/`), [])
      const folders = sandbox.s3
        .keys('org-staging', `${prefix}pairs/`)
        .map((key) => key.slice(prefix.length).split('/').slice(1, 3).join('/'))
      // Of each kind of pairs, what one statement has written.
      const kinds = [...new Set(folders)].map((folder) => folder.split('/')[0])
      assert.deepEqual(kinds.filter((kind) => kind !== 'ipv6').toSorted(), ['holdout', 'train'])
      assert.ok(kinds.filter((kind) => kind === 'ipv6').length <= 1)
    }
  })
})

describe('with Athena, a burst at the end of a quiet window', () => {
  it('holds all pairs out, says so, and is done', async () => {
    const all = await fixture({}, fileOf([event(22, 'AIDA1', '9.9.9.9'), event(23, 'o.x', '8.8.4.4')]))
    const { result, stderr } = await all.extract()
    assert.ok(result, stderr)
    assert.deepEqual([result.trainPairs, result.holdoutPairs, result.entities], [0, 2, 0])
    assert.match(stderr, /warning: all 2 pairs are from 2026-03-02T19:12:00\.000Z on and held out/)
    assert.deepEqual(await linesAt(all.sandbox, all.id, 'pairs/train/'), [])
    assert.deepEqual(await linesAt(all.sandbox, all.id, 'pairs/holdout/'), ['AIDA1,9.9.9.9', 'o%2Ex,8.8.4.4'])
    assert.deepEqual(await linesAt(all.sandbox, all.id, 'entities.csv'), [])
    assert.equal((await all.extract([])).result.repeated, true)
    assert.deepEqual(all.sandbox.violations, [])
  })
})
