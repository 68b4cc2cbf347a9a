import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UserError } from '../../scripts/lib/cli/errors.ts'
import { failedAltogether, sourceFailure } from '../../scripts/lib/cli/failures.ts'
import { distinctSources } from '../../scripts/lib/sources/registry.ts'
import { entitiesOf, nameOfAll } from '../../scripts/pipeline/sources.ts'

const BOTH = ['cloudtrail', 'waf']

test('sources are taken once each, in one order', () => {
  assert.deepEqual(distinctSources(['waf', 'cloudtrail', 'waf']), BOTH)
  assert.deepEqual(distinctSources([]), [])
})

const entities: [entity: string | undefined, cloudtrail: string | undefined, waf: string | undefined][] = [
  [undefined, undefined, undefined],
  ['arn', 'arn', undefined],
  ['ja4', undefined, 'ja4'],
]
for (const [entity, cloudtrail, waf] of entities)
  test(`the entity ${entity} goes to the source that has it`, () =>
    assert.deepEqual(Object.fromEntries(entitiesOf(BOTH, entity)), { cloudtrail, waf }))

test('an entity that no source has is named with the nearest', () => {
  assert.throws(() => entitiesOf(['waf'], 'user-agents'), {
    message: 'waf has no entity "user-agents"',
    hint: 'did you mean user-agent?',
    exitCode: 2,
  })
  assert.throws(() => entitiesOf(BOTH, 'user-agents'), {
    message: 'neither cloudtrail nor waf has an entity "user-agents"',
    hint: 'did you mean user-agent?',
    exitCode: 2,
  })
})

const DAY = { logs: 's3://org-logs', account: [], region: [], from: '2026-03-02T00:00:00Z', to: '2026-03-03T00:00:00Z' }

test('a page over several is named after what was asked for', () => {
  const name = nameOfAll(BOTH, DAY)
  assert.match(name, /^cloudtrail-waf-20260302T0000Z-20260303T0000Z-[0-9a-f]{6}$/)
  assert.equal(nameOfAll(BOTH, { ...DAY, region: ['b', 'a'] }), nameOfAll(BOTH, { ...DAY, region: ['a', 'b', 'a'] }))
  for (const other of [{ logs: 's3://others' }, { account: ['012345678901'] }, { region: ['us-east-1'] }])
    assert.notEqual(nameOfAll(BOTH, { ...DAY, ...other }), name)
  assert.equal(nameOfAll(BOTH, { ...DAY, logs: './x' }), nameOfAll(BOTH, { ...DAY, logs: `${process.cwd()}/x/` }))
})

const denied = new UserError('may not read', { exitCode: 4, hint: 'ask for it' })
const codes: [what: string, errors: Error[], code: number, message: string, hint: string | undefined][] = [
  ['one reason is told once', [denied, denied], 4, 'cloudtrail and waf: may not read', 'ask for it'],
  ['two reasons', [denied, new UserError('gone')], 1, 'cloudtrail: may not read\nwaf: gone', 'ask for it'],
  ['what names its source already', [new UserError('cloudtrail: no')], 1, 'cloudtrail: no', undefined],
  [
    'the system',
    [Object.assign(new Error('EACCES: a'), { syscall: 'open', code: 'EACCES' })],
    4,
    'cloudtrail: EACCES: a',
    undefined,
  ],
]
for (const [what, errors, code, message, hint] of codes)
  test(`nothing came of any: ${what}`, () => {
    const failed = failedAltogether(errors.map((error, i) => sourceFailure(BOTH[i] ?? '', error)))
    assert.deepEqual([failed.exitCode, failed.message, failed.hint], [code, message, hint])
  })

test('what nobody expected is kept as it is', () => {
  const bug = new TypeError('x is not a function')
  assert.deepEqual(sourceFailure('waf', bug), {
    source: 'waf',
    message: bug.message,
    hint: undefined,
    exitCode: 1,
    bug,
  })
})
