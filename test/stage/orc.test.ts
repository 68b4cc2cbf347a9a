import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { Bytes, inflateOf, unsnappy } from '../../scripts/stage/keys/inventory/orc/bytes.ts'
import { orcRows } from '../../scripts/stage/keys/inventory/orc/file.ts'
import { bits, integers, octets } from '../../scripts/stage/keys/inventory/orc/runs.ts'
import { scratch } from './logs.ts'

const fixture = (name: string): string => new URL(`fixture/inventory-${name}.orc`, import.meta.url).pathname
const plain = (raw: Buffer): Bytes => new Bytes(raw, undefined)
const many = <T>(next: () => T, count: number): T[] => Array.from({ length: count }, next)

describe('whole numbers', () => {
  // The examples of "Integer Run Length Encoding, version 1 and 2", ORC specification.
  const patched = [2030, 2000, 2020, 1_000_000, ...Array.from({ length: 16 }, (_, i) => 2040 + 10 * i)]
  const examples: [what: string, hex: string, signed: boolean, version: 1 | 2, values: number[]][] = [
    ['a short repeat', '0a2710', false, 2, Array(5).fill(10_000)],
    ['direct', '5e035ca1ab1edeadbeef', false, 2, [23713, 43806, 57005, 48879]],
    ['patched', '8e13 2b21 07d0 1e00 1470 2832 3c46 505a 646e 7882 8c96 a0aa b4be fce8', false, 2, patched],
    ['deltas', 'c609 0202 2242 4246', false, 2, [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]],
    ['a run', '610007', false, 1, Array(100).fill(7)],
    ['a falling run', '61ff64', false, 1, Array.from({ length: 100 }, (_, i) => 100 - i)],
    ['literals', 'fb020304070b', false, 1, [2, 3, 4, 7, 11]],
  ]
  for (const [what, hex, signed, version, values] of examples)
    it(`in ${what}, version ${version}`, () => {
      const next = integers(plain(Buffer.from(hex.replaceAll(' ', ''), 'hex')), { signed, version })
      assert.deepEqual(many(next, values.length), values)
      assert.throws(next, /cut off/)
    })

  const varint = (value: bigint): number[] =>
    value < 128n ? [Number(value)] : [Number(value % 128n) + 128, ...varint(value / 128n)]
  const zigzag = (value: number): bigint => (value < 0 ? -2n * BigInt(value) - 1n : 2n * BigInt(value))
  const value = fc.integer({ min: -(2 ** 51), max: 2 ** 51 })

  it('any, as literals of version 1', () =>
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 128 }), (values) => {
        const raw = Buffer.from([256 - values.length, ...values.flatMap((each) => varint(zigzag(each)))])
        assert.deepEqual(many(integers(plain(raw), { signed: true, version: 1 }), values.length), values)
      }),
    ))

  it('any, direct, of 64 bits', () =>
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 512 }), (values) => {
        const length = values.length - 1
        const words = Buffer.alloc(8 * values.length)
        for (const [i, each] of values.entries()) words.writeBigUInt64BE(zigzag(each), 8 * i)
        const raw = Buffer.concat([Buffer.from([0x40 | (31 << 1) | (length >> 8), length & 255]), words])
        assert.deepEqual(many(integers(plain(raw), { signed: true, version: 2 }), values.length), values)
      }),
    ))

  it('too large to be exact are refused', () => {
    const raw = Buffer.from([0xff, ...varint(2n ** 60n)])
    assert.throws(integers(plain(raw), { signed: false, version: 1 }), /over 2\^52/)
  })
})

describe('bytes and bits', () => {
  // The examples of "Byte Run Length Encoding" and "Boolean Run Length Encoding", ORC specification.
  it('bytes in runs and literals', () => {
    assert.deepEqual(many(octets(plain(Buffer.from('6100', 'hex'))), 100), Array(100).fill(0))
    assert.deepEqual(many(octets(plain(Buffer.from('fe4445', 'hex'))), 2), [0x44, 0x45])
  })

  it('bits from the highest on', () =>
    assert.deepEqual(many(bits(plain(Buffer.from('ff80', 'hex'))), 8), [true, ...Array(7).fill(false)]))
})

describe('blocks', () => {
  const block = (bytes: Buffer, original: boolean): Buffer => {
    const header = Buffer.alloc(3)
    header.writeUIntLE(bytes.length * 2 + (original ? 1 : 0), 0, 3)
    return Buffer.concat([header, bytes])
  }

  it('of any content, deflated or not, give it back however it is asked for', () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.boolean())), fc.nat(50), (blocks, step) => {
        const whole = Buffer.concat(blocks.map(([bytes]) => bytes))
        const raw = blocks.map(([bytes, original]) =>
          block(original ? Buffer.from(bytes) : deflateRawSync(bytes), original),
        )
        const bytes = new Bytes(Buffer.concat(raw), inflateOf(1, 2 ** 18))
        const pieces: Buffer[] = []
        for (let left = whole.length; left > 0; left -= step + 1) pieces.push(bytes.take(Math.min(left, step + 1)))
        assert.deepEqual(Buffer.concat(pieces), whole)
        assert.throws(() => bytes.byte(), /cut off/)
      }),
    ))

  /** Literals and copies in a row, and what they come to. */
  const snappy = (parts: readonly (readonly [Uint8Array, number, number])[]): [Buffer, Buffer] => {
    let whole = Buffer.alloc(0)
    const packed: Buffer[] = []
    for (const [literal, back, count] of parts) {
      const length = literal.length - 1
      packed.push(Buffer.from(length < 60 ? [length << 2] : [60 << 2, length]), Buffer.from(literal))
      whole = Buffer.concat([whole, literal])
      const offset = (back % whole.length) + 1
      packed.push(Buffer.from([((count - 1) << 2) | 2, offset & 255, offset >> 8]))
      for (let i = 0; i < count; i++) whole = Buffer.concat([whole, whole.subarray(-offset, whole.length - offset + 1)])
    }
    const head = whole.length < 128 ? [whole.length] : [(whole.length & 127) | 128, whole.length >> 7]
    return [Buffer.concat([Buffer.from(head), ...packed]), whole]
  }
  const part = fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 100 }), fc.nat(5000), fc.integer({ min: 1, max: 64 }))

  it('of Snappy, literals and copies, those into themselves too', () =>
    fc.assert(
      fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
        const [packed, whole] = snappy(parts)
        assert.deepEqual(unsnappy(packed), whole)
      }),
    ))

  it('of Snappy that are broken are refused', () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          unsnappy(Buffer.from(bytes))
        } catch (error) {
          assert.match(String(error), /a Snappy block/)
        }
      }),
    ))
})

async function rowsOf(path: string, names = ['key', 'size', 'is_latest', 'is_delete_marker', 'e_tag']) {
  const rows = []
  for await (const row of orcRows(path, names)) rows.push(row)
  return rows
}

describe('files', () => {
  it('of all encodings hold the same rows', async () => {
    const [zlib, snappy, none] = await Promise.all(['zlib', 'snappy', 'plain'].map((name) => rowsOf(fixture(name))))
    assert.equal(none?.length, 147)
    assert.deepEqual(snappy, none)
    assert.equal(zlib?.length, 12_147)
    assert.deepEqual(zlib?.slice(6000, 6147), none)
    const gone = none?.filter(([, , , isMarker]) => isMarker)
    assert.match(String(gone?.[0]?.[0]), /_gone\.json\.gz$/)
    assert.deepEqual(gone?.[0]?.slice(1), [null, true, true, null])
  })

  it('have null for a column that they have not', async () =>
    assert.deepEqual((await rowsOf(fixture('snappy'), ['no_such', 'bucket']))[5], [null, 'org-logs']))

  const unknown: [what: string, work: () => Promise<unknown>, message: RegExp][] = [
    ['compressed with Zstandard', () => rowsOf(fixture('zstd')), /compressed with ZSTD, and only ZLIB and Snappy/],
    [
      'with a time where a value is wanted',
      () => rowsOf(fixture('plain'), ['last_modified_date']),
      /column last_modified_date is of type timestamp, which is not read here/,
    ],
    ['that is something else', () => rowsOf(import.meta.filename), /it is no ORC file/],
    [
      'that is empty',
      () => {
        const path = join(scratch(), 'empty.orc')
        writeFileSync(path, '')
        return rowsOf(path)
      },
      /it is no ORC file/,
    ],
  ]
  for (const [what, work, message] of unknown) it(`${what}: named`, () => assert.rejects(work(), { message }))

  it('that are broken end in an error or in rows, never in a crash', async () => {
    const path = join(scratch(), 'broken.orc')
    for (const name of ['plain', 'snappy']) {
      const whole = readFileSync(fixture(name))
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }),
          async (changes) => {
            const broken = Buffer.from(whole)
            for (const [at, byte] of changes) broken[at] = byte
            writeFileSync(path, broken)
            await rowsOf(path).catch((error: unknown) => {
              assert.ok(error instanceof Error && error.name !== 'TypeError', String((error as Error).stack))
            })
          },
        ),
        { numRuns: 150 },
      )
    }
  })
})
