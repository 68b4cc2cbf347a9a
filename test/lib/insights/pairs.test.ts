import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { UserError } from '../../../scripts/lib/cli/errors.ts'
import { encodeEntity } from '../../../scripts/lib/insights/entity-codec.ts'
import { formatIpv4 } from '../../../scripts/lib/insights/ipv4.ts'
import { readPairs } from '../../../scripts/lib/insights/pairs.ts'
import { tempFolder } from '../../support/temp.ts'

const folder = tempFolder()
let files = 0
const fileOf = (content: string | Buffer): string => {
  const path = join(folder, `${++files}.csv`)
  writeFileSync(path, content)
  return path
}

const rows = async (...contents: string[]) => {
  const { entities, entityIndex, ip } = await readPairs(contents.map(fileOf))
  return Array.from(entityIndex, (e, i) => `${entities[e]},${formatIpv4(ip[i]!)}`)
}

test('files come one after the other, repeats are kept, the last newline may lack', async () => {
  assert.deepEqual(await rows('a,1.2.3.4\nb,0.0.0.0\na,1.2.3.4\n', '', 'ü,255.255.255.255'), [
    'a,1.2.3.4',
    'b,0.0.0.0',
    'a,1.2.3.4',
    'ü,255.255.255.255',
  ])
})

test('any encoded name and any address come back', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.string({ unit: 'grapheme', minLength: 1 }), fc.nat(0xffffffff)), { maxLength: 30 }),
      async (pairs) => {
        const lines = pairs.map(([entity, ip]) => `${encodeEntity(entity)},${formatIpv4(ip)}`)
        assert.deepEqual(await rows(lines.map((line) => `${line}\n`).join('')), lines)
      },
    ),
    { numRuns: 50 },
  ))

test('rows that lie across the pieces that a large file is read in', async () => {
  const count = 500_000
  const lines = Array.from({ length: count }, (_, i) => `entity_${i % 1000},${i & 255}.${(i >> 8) & 255}.7.9\n`)
  const { entities, ip } = await readPairs([fileOf(lines.join(''))])
  assert.equal(entities.length, 1000)
  assert.equal(ip.length, count)
  for (let i = 0; i < count; i++)
    assert.equal(ip[i], (((i & 255) << 24) | (((i >> 8) & 255) << 16) | (7 << 8) | 9) >>> 0)
})

test('the longest entities that are extracted are read, wherever a piece ends', async () => {
  const short = 'a,1.2.3.4\n'
  for (const entity of ['.'.repeat(16_000), '🙂'.repeat(16_000)]) {
    const long = `${encodeEntity(entity)},1.2.3.4\n`
    for (const before of [(4 << 20) - 20, (4 << 20) - Buffer.byteLength(long) + 5, (8 << 20) - 40_000]) {
      const lines = short.repeat(Math.floor(before / short.length))
      const { entities, ip } = await readPairs([fileOf(`${lines}${long}${short}`)])
      assert.deepEqual([entities.length, ip.length], [2, lines.length / short.length + 2])
    }
  }
})

test('streams come to the same, wherever they are cut', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 60 }), { maxLength: 8 }), async (cuts) => {
      const bytes = Buffer.from('ü,1.2.3.4\nb,0.0.0.0\nü,5.6.7.8\nlong-name,9.9.9.9')
      const ends = [...new Set([0, ...cuts.filter((cut) => cut < bytes.length), bytes.length])].sort((a, b) => a - b)
      const open = async () =>
        (async function* () {
          for (const [i, end] of ends.entries()) yield bytes.subarray(ends[i - 1] ?? 0, end)
        })()
      const streams = (async function* () {
        yield { name: 's3://bucket/a.csv', open }
        yield { name: 's3://bucket/b.csv', open }
      })()
      const { entities, ip } = await readPairs(streams)
      assert.deepEqual(entities, ['ü', 'b', 'long-name'])
      assert.deepEqual(Array.from(ip, formatIpv4), Array(2).fill(['1.2.3.4', '0.0.0.0', '5.6.7.8', '9.9.9.9']).flat())
    }),
    { numRuns: 50 },
  ))

test('a bad row of a stream is named by stream and line', async () => {
  const open = async () =>
    (async function* () {
      yield Buffer.from('a,1.2.3.4\nb,1.2.3\n')
    })()
  const streams = (async function* () {
    yield { name: 's3://bucket/a.csv', open }
  })()
  await assert.rejects(readPairs(streams), /^UserError: s3:\/\/bucket\/a\.csv:2: "b,1\.2\.3": the second field/)
})

const bad: [row: string | Buffer, why: RegExp][] = [
  ['entity,ip\n', /:1: .*not a dotted IPv4/],
  ['a,1.2.3.4\n"b","1.2.3.4"\n', /:2: .*not a dotted IPv4/],
  ['a,1.2.3.4\n\nb,1.2.3.4\n', /:2: .*not two fields/],
  ['a\n', /not two fields/],
  ['a,1.2.3.4\r\n', /not a dotted IPv4/],
  ['a, 1.2.3.4\n', /not a dotted IPv4/],
  ['a,1.2.3.4,\n', /not a dotted IPv4/],
  ['a,1.2.3.256\n', /not a dotted IPv4/],
  ['a,1.2.3.04\n', /not a dotted IPv4/],
  ['a,1.2.3\n', /not a dotted IPv4/],
  ['a,1.2.3.4.5\n', /not a dotted IPv4/],
  ['a,::1\n', /not a dotted IPv4/],
  ['a,\n', /not a dotted IPv4/],
  [',1.2.3.4\n', /empty or not encoded/],
  ['john.doe,1.2.3.4\n', /empty or not encoded/],
  ['a,b,1.2.3.4\n', /empty or not encoded/],
  ['"b",1.2.3.4\n', /empty or not encoded/],
  ['100%,1.2.3.4\n', /empty or not encoded/],
  [Buffer.from([0xff, 0x2c, 0x31, 0x2e, 0x31, 0x2e, 0x31, 0x2e, 0x31]), /not UTF-8/],
  [`a,1.2.3.4\n${'x'.repeat(5_000_000)}`, /:\d+: .*too long/],
]
for (const [row, why] of bad)
  test(`refused: ${JSON.stringify(row.toString()).slice(0, 40)}`, async () => {
    const file = fileOf(row)
    await assert.rejects(readPairs([file]), (error) => {
      assert.ok(error instanceof UserError)
      assert.ok(error.message.startsWith(`${file}:`))
      assert.match(error.message, why)
      assert.ok(error.message.length < 400)
      return true
    })
  })

test('stops when told to', async () => {
  await assert.rejects(readPairs([fileOf('a,1.2.3.4\n')], AbortSignal.abort(new Error('stopped'))), /stopped/)
})
