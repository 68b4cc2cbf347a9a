import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { PartFile } from '../../../scripts/lib/engines/records/parts.ts'
import { tempFolder } from '../../support/temp.ts'

/** Bytes to append, about as many as are held back; or a share of what is there, to be kept. */
const step = fc.oneof(
  fc.record({ append: fc.oneof(fc.nat(5), fc.nat(1_500_000)) }),
  fc.record({ keep: fc.double({ min: 0, max: 1, noNaN: true }) }),
)

describe('a part', () => {
  it('holds what was appended and not taken back', () => {
    const folder = tempFolder()
    let files = 0
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const file = new PartFile(join(folder, String(files++)))
        let expected = Buffer.alloc(0)
        for (const [n, does] of steps.entries()) {
          if ('append' in does) {
            const bytes = Buffer.alloc(does.append, n + 1)
            file.append(bytes)
            expected = Buffer.concat([expected, bytes])
          } else {
            expected = expected.subarray(0, Math.floor(expected.length * does.keep))
            file.cut(expected.length)
          }
          assert.equal(file.length, expected.length)
        }
        file.close()
        assert.ok(readFileSync(file.path).equals(expected))
      }),
      { numRuns: 60 },
    )
  })
})
