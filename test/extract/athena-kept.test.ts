import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Failure } from '../sandbox/athena/settings.ts'
import { fixture, startedOf } from './athena-run.ts'

const broken = (when: RegExp): Failure => ({
  when,
  stage: 'running',
  error: { category: 2, type: 1006, retryable: false, reason: 'SYNTAX_ERROR: line 1:1' },
})
const MANAGED = { primary: { enforced: true, managed: true } }

/** An extraction that ended at its last statement, so that all others are noted as done. */
async function interrupted(settings: Parameters<typeof fixture>[0] = {}) {
  const all = await fixture({ athena: { failures: [broken(/count\(distinct ip\)/)], ...settings.athena } })
  assert.equal((await all.extract()).code, 1)
  all.sandbox.athena.settings.failures = []
  return all
}

const SCAN = /format = 'PARQUET'/

describe('an interrupted extraction goes on although', () => {
  it('Athena kept the rows of its counts for 24 hours only; the logs are not scanned again', async () => {
    const all = await interrupted({ athena: { workgroups: MANAGED } })
    all.sandbox.athena.age(25)
    const { result, stderr } = await all.extract([])
    assert.ok(result, stderr)
    assert.deepEqual([startedOf(all, SCAN), startedOf(all, /group by coalesce/)], [1, 2])
    await all.assertExtracted()
  })

  it('Athena forgot its queries after 45 days: the scan is asked for again', async () => {
    const all = await interrupted()
    all.sandbox.athena.age(46 * 24)
    assert.equal((await all.extract([])).code, 3)
    const { result, stderr } = await all.extract()
    assert.ok(result, stderr)
    assert.equal(startedOf(all, SCAN), 2)
    await all.assertExtracted()
  })

  it('somebody removed what a query had written', async () => {
    const all = await interrupted()
    for (const key of all.sandbox.s3.keys('org-staging', `prestage/bulk/${all.id}/`))
      if (/(tmp\/athena\/classified|pairs\/train\/)/.test(key)) all.sandbox.s3.delete('org-staging', key)
    const { result, stderr } = await all.extract()
    assert.ok(result, stderr)
    await all.assertExtracted()
  })

  it('somebody dropped a table', async () => {
    const all = await interrupted()
    const { catalog } = all.sandbox.athena
    const name = catalog.names().find((table) => table.startsWith('prestage.classified')) ?? ''
    assert.ok(catalog.drop('prestage', name.replace('prestage.', '')))
    const { result, stderr } = await all.extract()
    assert.ok(result, stderr)
    await all.assertExtracted()
  })
})
