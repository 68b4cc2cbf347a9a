import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { UsageError } from '../../../scripts/lib/cli/errors.ts'
import { formatNetwork } from '../../../scripts/lib/insights/ipv6.ts'
import { allowancesIn } from '../../../scripts/lib/runs/allowances.ts'
import { tempFolder } from '../../support/temp.ts'

const NOW = new Date('2026-11-30T23:59:59Z')

function fileOf(content: string): string {
  const path = `${tempFolder()}/allow.yaml`
  writeFileSync(path, content)
  return path
}

const entry = (change: Record<string, string | undefined> = {}): string => {
  const fields = { network: '198.51.100.0/24', until: '2026-12-31', why: 'new office', by: 'ada', ...change }
  const lines = Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]))
  return `- ${lines.join('\n  ')}\n`
}

test('entries for one entity and for all, beside networks; those that say why come first', async () => {
  const file = fileOf(`# known\n${entry({ entity: '"john.doe, \\u202e"' })}${entry({ network: '192.0.2.7' })}`)
  const { allow, expired } = await allowancesIn(['203.0.113.0/24', file], NOW)
  const because = { until: '2026-12-31', why: 'new office', by: 'ada' }
  assert.deepEqual(
    allow.map((one) => {
      const { base: _, length: __, ...rest } = one
      return [formatNetwork(one), rest]
    }),
    [
      ['198.51.100.0/24', { entity: 'john%2Edoe%2C%20\u202e', because }],
      ['192.0.2.7/32', { because }],
      ['203.0.113.0/24', {}],
    ],
  )
  assert.deepEqual(expired, [])
})

test('an entry counts through its last day, and then is told', async () => {
  const file = fileOf(`${entry({ until: '2026-11-30' })}\n${entry({ until: '2026-11-29', why: 'guest' })}`)
  const { allow, expired } = await allowancesIn([file], NOW)
  assert.equal(allow.length, 1)
  assert.deepEqual(expired, [`${file}:6: 198.51.100.0/24 expired on 2026-11-29 and no longer counts (guest, ada)`])
})

for (const empty of ['', '# all gone\n', '[]\n'])
  test(`a file without entries allows nothing: ${JSON.stringify(empty)}`, async () =>
    assert.deepEqual(await allowancesIn([fileOf(empty)], NOW), { allow: [], expired: [] }))

const mistakes: [what: string, content: string, says: RegExp][] = [
  ['no list', 'network: 192.0.2.0/24\n', /allow\.yaml: must be a list of entries/],
  ['an entry that is a text', `${entry()}- 192.0.2.0/24\n`, /:5: must have the form "network: 198\.51\.100\.0\/24"/],
  ['no YAML', `${entry()}  x: [\n`, /:\d: not valid YAML: /],
  ['a name twice', `${entry()}  by: bob\n`, /:5: not valid YAML: Map keys must be unique/],
  ['a member that is none', entry({ untill: '2026-12-31' }), /:5: unknown "untill" \(did you mean until\?\)/],
  ['no network', entry({ network: undefined }), /:1: the entry has no "network"/],
  ['no reason', `${entry()}${entry({ why: undefined })}`, /:5: the entry has no "why"/],
  ['a reason that nobody filled in', entry({ why: '' }), /:3: why has no value/],
  ['an empty name', entry({ by: '" "' }), /:4: by must not be empty/],
  [
    'no network at all',
    entry({ network: '192.0.2.300/24' }),
    /:1: network "192\.0\.2\.300\/24" must be an IPv4 network/,
  ],
  ['bits beyond the length', entry({ network: '192.0.2.1/24' }), /:1: .*192\.0\.2\.0\/24 is meant\?/],
  ['no day', entry({ until: 'Christmas' }), /:2: until must be a day such as 2026-12-31/],
  ['a day that does not exist', entry({ until: '2026-02-30' }), /:2: until must be a day/],
  [
    'an account whose zero would be lost',
    entry({ entity: '012345678901' }),
    /:5: entity must be text; put it in quotes/,
  ],
]

for (const [what, content, says] of mistakes)
  test(`a mistake in a file of allowances: ${what}`, () =>
    assert.rejects(allowancesIn([fileOf(content)], NOW), (error) => {
      assert.ok(error instanceof UsageError)
      assert.match(error.message, says)
      return true
    }))

test('no such file', () => assert.rejects(allowancesIn(['/nowhere.yml'], NOW), /--allow \/nowhere\.yml: .*ENOENT/))
