import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { compareKeys, type ObjectInfo } from '../../scripts/lib/stores/store.ts'
import { sorted } from '../../scripts/stage/sorted.ts'
import { scratch } from './logs.ts'

const object = fc.record({
  key: fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 4 }),
    fc.constantFrom('a', 'b\n', ',', '%', '\u{1f512}'),
  ),
  size: fc.nat(),
})

it('any number of objects is sorted in runs on disk, each key once', () =>
  fc.assert(
    fc.asyncProperty(fc.array(object, { maxLength: 60 }), fc.integer({ min: 1, max: 9 }), async (objects, atOnce) => {
      const found: ObjectInfo[] = []
      const given = (async function* () {
        yield* objects
      })()
      for await (const each of sorted(given, scratch(), atOnce)) found.push(each)
      const keys = [...new Set(objects.map(({ key }) => key))].sort(compareKeys)
      assert.deepEqual(
        found.map(({ key }) => key),
        keys,
      )
      for (const { key, size } of found) assert.ok(objects.some((given) => given.key === key && given.size === size))
    }),
    { numRuns: 60 },
  ))
