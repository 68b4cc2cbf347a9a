import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { compareKeys, matched, united } from '../../../scripts/lib/stores/store.ts'
import { all, from } from '../../support/sequences.ts'

const keys = fc.uniqueArray(fc.string({ unit: 'grapheme', maxLength: 6 })).map((list) => list.sort(compareKeys))
const keyed = (list: readonly string[], side: string) => list.map((key) => ({ key, side }))

describe('two sequences in key order', () => {
  it('are matched key by key', () =>
    fc.assert(
      fc.asyncProperty(keys, keys, async (left, right) => {
        const pairs = await all(matched(from(keyed(left, 'l')), from(keyed(right, 'r'))))
        assert.deepEqual(
          pairs.map((pair) => [pair.left?.key, pair.right?.key]),
          [...new Set([...left, ...right])]
            .sort(compareKeys)
            .map((key) => [left.includes(key) ? key : undefined, right.includes(key) ? key : undefined]),
        )
      }),
    ))

  it('are united, the left one winning', () =>
    fc.assert(
      fc.asyncProperty(keys, keys, async (left, right) => {
        const union = await all(united(from(keyed(left, 'l')), from(keyed(right, 'r'))))
        assert.deepEqual(
          union.map(({ key }) => key),
          [...new Set([...left, ...right])].sort(compareKeys),
        )
        for (const { key, side } of union) assert.equal(side, left.includes(key) ? 'l' : 'r')
      }),
    ))
})
