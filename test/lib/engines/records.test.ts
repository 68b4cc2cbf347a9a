import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Malformed } from '../../../scripts/lib/engines/records/json.ts'
import { RecordReader } from '../../../scripts/lib/engines/records/reader.ts'
import { sources } from '../../../scripts/lib/sources/registry.ts'

/** The lines that a reader makes of a file that comes in pieces, as JSON. */
function read(members: readonly string[], file: string, cuts: readonly number[] = []): unknown[] {
  const reader = new RecordReader(members)
  const bytes = Buffer.from(file)
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  let text = ''
  let start = 0
  for (const end of [...ends, bytes.length]) {
    text += reader.push(bytes.subarray(start, end)).toString()
    start = end
  }
  assert.ok(reader.end(), 'the file ends where a file may end')
  const lines = text.split('\n').slice(0, -1)
  assert.equal(reader.records, lines.length)
  return lines.map((line) => JSON.parse(line) as unknown)
}

const NAMES = ['who', 'when', 'id', 'Records', 'a.b', 'wh', 'whose', '"', '}']

/** What paths keep of a record. */
function kept(record: Readonly<Record<string, unknown>>, paths: readonly string[]): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(record)) {
    const inner = paths.filter((path) => path.startsWith(`${name}.`)).map((path) => path.slice(name.length + 1))
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    if (paths.includes(name) || (inner.length > 0 && !isObject)) result[name] = value
    else if (inner.length > 0) result[name] = kept(value as Record<string, unknown>, inner)
  }
  return result
}

const value = fc.jsonValue({ maxDepth: 3 }).map((any) => JSON.parse(JSON.stringify(any)) as unknown)
const objectOf = (of: fc.Arbitrary<unknown>) =>
  fc.dictionary(fc.constantFrom(...NAMES), of, { maxKeys: 6, noNullPrototype: true })
const record = objectOf(fc.oneof(value, objectOf(fc.oneof(value, objectOf(value)))))

describe('records of a log file', () => {
  it('keep what paths name, however the file is laid out and cut', () => {
    const paths = ['who.id', 'who.when', 'when', 'id.who.id', 'whose']
    const layouts = fc.constantFrom(
      (records: unknown[]) => JSON.stringify({ Records: records }),
      (records: unknown[]) => JSON.stringify({ Records: records }, null, 2),
      (records: unknown[]) => records.map((one) => JSON.stringify(one)).join('\n'),
      (records: unknown[]) => JSON.stringify(records, null, '\t'),
    )
    const cuts = fc.array(fc.nat(2000), { maxLength: 6 })
    // A member of that name makes an object an envelope when it stands alone.
    const records = fc.array(record.filter((one) => !('Records' in one)))
    fc.assert(
      fc.property(records, layouts, cuts, (all, laid, at) => {
        assert.deepEqual(
          read(paths, laid(all), at),
          all.map((one) => kept(one, paths)),
        )
      }),
      { numRuns: 500 },
    )
  })

  for (const [file, why] of [
    ['{"who":{"id":1,2}}', 'a value without a name'],
    ['{"who":{"id":1]}', 'a bracket that does not fit'],
    ['{"who":{"id" 1}}', 'a name without a colon'],
    ['{"who":{id:1}}', 'a name without quotes'],
  ] as const)
    it(`are refused with ${why} in a member of which a part is kept`, () => {
      assert.throws(() => read(['who.id'], file), Malformed)
    })

  it('keep a member that is no object whole, though a part of it is wanted', () => {
    assert.deepEqual(read(['who.id'], '{"who":null,"x":1}{"who":"me"}{"who":[{"id":1}]}{"who":{}}'), [
      { who: null },
      { who: 'me' },
      { who: [{ id: 1 }] },
      { who: {} },
    ])
  })
})

describe('members that pairs are made of', () => {
  for (const source of Object.values(sources))
    for (const path of [
      ...source.pairMembers,
      ...[source.idMember].flat(),
      ...Object.values(source.entities).flatMap(({ members }) => members),
    ])
      it(`${source.id}: ${path} is among those with a type`, () => {
        const [name = '', inner] = path.split('.')
        const type = source.members[name]
        assert.ok(type !== undefined)
        if (inner !== undefined) assert.match(type, new RegExp(`[( ]"?${inner}"? `))
      })
})
