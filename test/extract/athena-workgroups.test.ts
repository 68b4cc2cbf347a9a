import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PRICES } from '../../scripts/lib/runs/cost.ts'
import { linesAt } from '../support/athena-sandbox.ts'
import { runScript } from '../support/run-script.ts'
import { EVENTS, event, fileOf, fixture, KEY, stagedIn } from './athena-run.ts'

describe('workgroups', () => {
  it('that enforce a place of their own give it: pairs end up in the run all the same', async () => {
    const all = await fixture({
      athena: { workgroups: { primary: { enforced: true, outputLocation: 's3://org-staging/results/' } } },
    })
    const { result, stderr } = await all.extract()
    assert.ok(result, stderr)
    await all.assertExtracted()
    // What a query notes about itself is the workgroup's own.
    const left = all.sandbox.s3.keys('org-staging', 'results/tables/')
    assert.deepEqual(
      left.filter((key) => !/(-manifest\.csv|\.metadata)$/.test(key)),
      [],
    )
    // Train, holdout and times go from bucket to bucket; only the entities, which are to be sorted, are read here.
    assert.equal(all.sandbox.requests.of('CopyObject'), 3)
  })

  it('that enforce a place, and may not be looked at, decide once they have refused another place', async () => {
    const all = await fixture({
      athena: { workgroups: { primary: { enforced: true, outputLocation: 's3://org-staging/results/' } } },
    })
    all.sandbox.s3.deny({ action: 'athena:GetWorkGroup' })
    const { result, stderr } = await all.extract()
    assert.ok(result, stderr)
    await all.assertExtracted()
  })

  it('that keep results themselves do so', async () => {
    const all = await fixture({ athena: { workgroups: { primary: { enforced: true, managed: true } } } })
    const { result, stderr } = await all.extract()
    assert.ok(result, stderr)
    await all.assertExtracted()
  })

  it('that nobody may look at are taken to decide nothing', async () => {
    const all = await fixture()
    all.sandbox.s3.deny({ action: 'athena:GetWorkGroup' })
    const { result, stderr } = await all.extract()
    assert.ok(result, stderr)
    assert.match(stderr, /athena:GetWorkGroup on primary is not allowed/)
  })

  const wrong: [what: string, workgroups: Record<string, object>, args: string[], exit: number, says: RegExp][] = [
    ['are not there', { primary: {} }, ['--workgroup', 'security'], 2, /Athena has no workgroup security in us-east-1/],
    ['are switched off', { primary: { state: 'DISABLED' } }, [], 1, /workgroup primary is switched off/],
  ]
  for (const [what, workgroups, args, exit, says] of wrong)
    it(`that ${what} are named`, async () => {
      const all = await fixture({ athena: { workgroups } })
      const { code, stderr } = await all.extract(['--yes', ...args])
      assert.equal(code, exit, stderr)
      assert.match(stderr, says)
      assert.equal(all.sandbox.requests.of('StartQueryExecution'), 0)
    })

  it('are asked for what S3 and KMS charge besides', async () => {
    const all = await fixture()
    const place = `prestage/bulk/${all.id}/staged/${KEY}`
    const keyId = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd'
    const options = { storageClass: 'STANDARD_IA', encryption: { algorithm: 'aws:kms', keyId } } as const
    all.sandbox.s3.put('org-staging', place, await all.sandbox.s3.get('org-staging', place), options)
    const { code, stderr } = await all.extract([])
    assert.equal(code, 3)
    assert.match(stderr, /scanned once, 1 GET request, \d+ bytes retrieved from STANDARD_IA, 1 KMS request/)
  })

  it('with a cutoff show it in the plan', async () => {
    const all = await fixture({ athena: { workgroups: { primary: { cutoff: 10_000_000 } } } })
    const { result, code } = await all.extract(['--dry-run'])
    assert.equal(code, 0)
    assert.equal(result.engine, 'athena')
    assert.ok(result.estimatedUsd > PRICES.getRequest)
    const asked = await all.extract([])
    assert.equal(asked.code, 3)
    assert.match(asked.stderr, /which stops a query after 10\.0 MB[\s\S]*scanned once[\s\S]*needs a confirmation/)
    assert.equal(all.sandbox.requests.of('StartQueryExecution'), 0)
  })
})

describe('pairs that Athena wrote are good', () => {
  it('with objects that have no row, which are removed', async () => {
    const all = await fixture({ athena: { emptyObject: true } })
    const { result, stderr } = await all.extract()
    assert.ok(result, stderr)
    await all.assertExtracted()
    for (const folder of ['pairs/', 'times/']) {
      const keys = all.sandbox.s3.keys('org-staging', `prestage/bulk/${all.id}/${folder}`)
      const sizes = await Promise.all(keys.map(async (key) => (await all.sandbox.s3.get('org-staging', key)).length))
      assert.ok(sizes.length > 0 && sizes.every((size) => size > 0), `${folder}: ${sizes}`)
    }
  })

  it('with the longest entities first and last', async () => {
    const [wide, astral] = ['好'.repeat(16_000), '🐎'.repeat(16_000)]
    const events = [1, 2, 3].map((hour) => event(hour, wide, '198.51.99.254'))
    const all = await fixture({}, fileOf([...events, event(22, astral, '198.51.99.254')]))
    const { result, stderr } = await all.extract()
    assert.deepEqual([result?.trainPairs, result?.holdoutPairs], [3, 1], stderr)
  })

  it('with so many that no worker could sort a sixtieth of them', async () => {
    const events = Array.from({ length: 3000 }, (_, i) => {
      const eventTime = new Date(Date.parse('2026-03-02T00:00:07Z') + i * 17_000).toISOString()
      return { ...event(0, `AIDA${i % 7}`, '8.8.8.8'), eventTime, eventID: String(i) }
    })
    const all = await fixture({ athena: { rowsPerWorker: 20 } }, fileOf(events))
    const { result, stderr } = await all.extract()
    assert.equal(result?.pairs, 3000, stderr)
  })
})

describe('what Athena wrote is not believed when', () => {
  it('it is compressed', async () => {
    const all = await fixture({ athena: { compression: 'always' } })
    const { code, stderr } = await all.extract()
    assert.equal(code, 1)
    assert.match(stderr, /pairs\/train\/.* is compressed\n {2}these pairs are not used/)
  })

  it('nothing is a pair: the counts are told, and earlier pairs stay', async () => {
    const all = await fixture({}, fileOf([{ ...event(1, 'a', 'AWS Internal') }, event(2, 'b', '10.0.0.1')]))
    const { code, stderr } = await all.extract()
    assert.equal(code, 1)
    assert.match(
      stderr,
      /none of 2 records is a pair\n +(aws-internal: 1\n +private-address: 1|private-address: 1\n +aws-internal: 1)/,
    )
    assert.deepEqual(all.sandbox.athena.catalog.names(), ['prestage.cloudtrail'])
  })

  it('an object is damaged', async () => {
    const all = await fixture({}, Buffer.from('no gzip at all'))
    const { code, stderr } = await all.extract()
    assert.equal(code, 1)
    assert.match(stderr, /classifying accesses: query \S+ failed: HIVE_[\s\S]*extracting on this machine names it/)
  })

  it('staged objects are gone', async () => {
    const all = await fixture()
    all.sandbox.s3.delete('org-staging', `prestage/bulk/${all.id}/staged/${KEY}`)
    const { code, stderr } = await all.extract()
    assert.equal(code, 1)
    assert.match(stderr, /1 object was staged, 0 are there/)
  })
})

describe('a rerun', () => {
  it('is told that it was done, asks nothing and costs nothing', async () => {
    const all = await fixture()
    await all.extract()
    const before = all.sandbox.requests.of('StartQueryExecution')
    const { result } = await all.extract([])
    assert.equal(result.repeated, true)
    assert.equal(all.sandbox.requests.of('StartQueryExecution'), before)
  })

  it('is done anew when the pairs are gone', async () => {
    const all = await fixture()
    await all.extract()
    for (const key of all.sandbox.s3.keys('org-staging', `prestage/bulk/${all.id}/pairs/`))
      all.sandbox.s3.delete('org-staging', key)
    const { result, stderr } = await all.extract()
    assert.equal(result?.repeated, false, stderr)
    await all.assertExtracted()
  })

  it('refuses other settings without --overwrite, and replaces all of it with it', async () => {
    const all = await fixture()
    await all.extract()
    const refused = await all.extract(['--yes', '--entity', 'arn'])
    assert.equal(refused.code, 2)
    const { result, stderr } = await all.extract(['--yes', '--entity', 'arn', '--overwrite'])
    assert.ok(result, stderr)
    assert.equal((await linesAt(all.sandbox, all.id, 'pairs/train/')).length, 3)
  })

  it('never changes a table that is another workspace’s', async () => {
    const all = await fixture()
    await all.extract()
    await stagedIn(all.sandbox, 'other', fileOf(EVENTS))
    const args = ['--workspace', 's3://org-staging/other', '--yes']
    const { code, stderr } = await runScript('extract', args, { env: all.sandbox.env })
    assert.equal(code, 1)
    assert.match(
      stderr,
      /table prestage\.cloudtrail is not the one for s3:\/\/org-staging\/other: it reads s3:\/\/org-staging\/prestage/,
    )
    const own = await runScript('extract', [...args, '--database', 'other'], { env: all.sandbox.env })
    assert.equal(own.code, 0, own.stderr)
    await all.assertExtracted(['other.cloudtrail', 'prestage.cloudtrail'])
  })

  it('takes no database that a CTAS could not name', async () => {
    const all = await fixture()
    const { code, stderr } = await all.extract(['--yes', '--database', '1prestage'])
    assert.equal(code, 2, stderr)
    assert.match(stderr, /"1prestage" is not a name for a database or table: .* begin with no digit/)
  })

  it('takes no flag that Athena cannot honour', async () => {
    const all = await fixture()
    const { code, stderr } = await all.extract(['--yes', '--skip-bad-files'])
    assert.equal(code, 2)
    assert.match(stderr, /Athena reads all objects of a run or none/)
  })
})
