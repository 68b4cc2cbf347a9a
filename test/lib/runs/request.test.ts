import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isSameRequest, type Request, requestSchema, runIdOf } from '../../../scripts/lib/runs/request.ts'

const base: Request = {
  source: 'cloudtrail',
  logs: 's3://org-logs',
  from: '2026-11-20T00:00:00.000Z',
  to: '2026-11-21T00:00:00.000Z',
  accounts: ['012345678901', '999999999999'],
  regions: ['us-east-1', 'eu-central-1'],
  keys: 'list',
}

test('an id tells source and window', () => {
  assert.match(runIdOf(base), /^cloudtrail-20261120T0000Z-20261121T0000Z-[0-9a-f]{6}$/)
  assert.match(runIdOf({ ...base, from: '2026-11-20T00:00:05.000Z' }), /^cloudtrail-20261120T000005Z-/)
})

test('an id stays what it is: runs of earlier versions are found again', () =>
  assert.equal(runIdOf(base), 'cloudtrail-20261120T0000Z-20261121T0000Z-7a9042'))

const changes: [what: string, change: Partial<Request>][] = [
  ['source', { source: 'waf' }],
  ['logs', { logs: 's3://org-logs/more' }],
  ['from', { from: '2026-11-20T00:00:01.000Z' }],
  ['to', { to: '2026-11-21T00:05:00.000Z' }],
  ['one account less', { accounts: ['012345678901'] }],
  ['another account', { accounts: ['012345678901', '999999999998'] }],
  ['no region', { regions: [] }],
  ['accounts and regions swapped', { accounts: base.regions, regions: base.accounts }],
  ['keys', { keys: 'digest' }],
  ['keysFrom', { keysFrom: 's3://inventory/manifest.json' }],
]

for (const [what, change] of changes)
  test(`what selects data changes the id: ${what}`, () => {
    assert.notEqual(runIdOf({ ...base, ...change }), runIdOf(base))
    assert.equal(isSameRequest({ ...base, ...change }, base), false)
  })

test('all of a request counts', () => {
  const covered = new Set(changes.flatMap(([, change]) => Object.keys(change)))
  assert.deepEqual([...covered].sort(), Object.keys(requestSchema.entries).sort())
})

test('the way of writing does not count', () => {
  const other = { ...base, from: '2026-11-20T00:00:00Z', accounts: [...base.accounts, '012345678901'] }
  assert.equal(runIdOf(other), runIdOf(base))
  assert.ok(isSameRequest(other, base))
})

const shuffled = fc.shuffledSubarray(Object.entries(base), { minLength: Object.keys(base).length })
const words = fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 5 })

test('the order of members, accounts and regions does not matter', () =>
  fc.assert(
    fc.property(shuffled, words, words, fc.gen(), (entries, accounts, regions, gen) => {
      const again = gen(fc.shuffledSubarray, accounts, { minLength: accounts.length })
      const a = { ...base, accounts, regions }
      const b = { ...(Object.fromEntries(entries) as Request), accounts: again, regions: regions.toReversed() }
      assert.equal(runIdOf(a), runIdOf(b))
    }),
  ))

test('other selections are other requests', () =>
  fc.assert(
    fc.property(words, words, (a, b) => {
      const same = JSON.stringify(a.toSorted()) === JSON.stringify(b.toSorted())
      assert.equal(isSameRequest({ ...base, accounts: a }, { ...base, accounts: b }), same)
    }),
  ))
