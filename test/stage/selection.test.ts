import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { decodeKey, encodeKey, parseRow, rowOf } from '../../scripts/lib/runs/selected.ts'
import { folderStore } from '../../scripts/lib/stores/folder.ts'
import { compareKeys, type ObjectInfo } from '../../scripts/lib/stores/store.ts'
import { draftSelection, savedSelection, saveSelection } from '../../scripts/stage/selection.ts'

const key = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
const object = fc.record(
  {
    key,
    size: fc.nat(),
    etag: fc.stringMatching(/^[0-9a-f]{32}(-\d{1,3})?$/),
    storageClass: fc.constantFrom('STANDARD', 'GLACIER'),
    sha256: fc.stringMatching(/^[0-9a-f]{64}$/),
  },
  { requiredKeys: ['key', 'size'], noNullPrototype: true },
)

describe('keys in a manifest', () => {
  const table: [string, string][] = [
    ['AWSLogs/1/a b.gz', 'AWSLogs/1/a%20b.gz'],
    ['a+b', 'a%2Bb'],
    ['100%', '100%25'],
    ['a,b', 'a%2Cb'],
    ['say "x"', 'say%20%22x%22'],
    ['two\nlines', 'two%0Alines'],
    ['AWS::EC2', 'AWS%3A%3AEC2'],
    ['münchen/東京', 'm%C3%BCnchen/%E6%9D%B1%E4%BA%AC'],
  ]
  for (const [plain, encoded] of table)
    it(`${JSON.stringify(plain)} is ${encoded}`, () => assert.equal(encodeKey(plain), encoded))

  it('come back as they were, and are one field of one line', () =>
    fc.assert(
      fc.property(key, (k) => {
        assert.equal(decodeKey(encodeKey(k)), k)
        assert.match(encodeKey(k), /^[A-Za-z0-9\-_.!~*'()%/]+$/)
      }),
    ))
})

describe('rows of a selection', () => {
  it('come back as they were', () =>
    fc.assert(fc.property(object, (o) => assert.deepEqual(parseRow(rowOf(o).trimEnd()), o))))

  for (const row of ['', 'a', 'a,', 'a,x,,', 'a,1,e,s,h,more', ',1,,'])
    it(`${JSON.stringify(row)} is none`, () => assert.throws(() => parseRow(row), /not a row/))
})

describe('a selection', () => {
  const objects = fc
    .uniqueArray(object, { selector: (o) => o.key })
    .map((list) => list.sort((a, b) => compareKeys(a.key, b.key)))
  const stream = async function* (list: readonly ObjectInfo[]) {
    yield* list
  }
  const rows = async (list: AsyncIterable<ObjectInfo>) => {
    const found: ObjectInfo[] = []
    for await (const row of list) found.push(row)
    return found
  }

  it('is saved with its manifest, row for row', () =>
    fc.assert(
      fc.asyncProperty(objects, async (list) => {
        const folder = mkdtempSync(join(tmpdir(), 'prestage-test-'))
        const store = folderStore(folder)
        const draft = await draftSelection(stream(list))
        await saveSelection(store, 'logs, "odd"', draft)
        await draft.dispose()
        assert.equal(draft.totals.objects, list.length)
        assert.equal(
          draft.totals.bytes,
          list.reduce((sum, { size }) => sum + size, 0),
        )
        const { selection, isWhole } = await savedSelection(store, draft.totals)
        assert.deepEqual([await rows(selection.rows()), isWhole], [list, true])
        assert.equal((await savedSelection(store, { ...draft.totals, digest: 'another' })).isWhole, false)
        const manifest: string[][] = parse(readFileSync(join(folder, 'manifest.csv')))
        assert.deepEqual(
          manifest.map((row) => row.map(decodeURIComponent)),
          list.map((o) => ['logs, "odd"', o.key]),
        )
      }),
      { numRuns: 30 },
    ))

  it('refuses keys out of order, since proof and merge rest on it', async () => {
    const list = [
      { key: 'b', size: 1 },
      { key: 'a', size: 1 },
    ]
    await assert.rejects(draftSelection(stream(list)), /out of order/)
    await assert.rejects(
      draftSelection(
        stream([
          { key: 'a', size: 1 },
          { key: 'a', size: 1 },
        ]),
      ),
      /out of order/,
    )
  })
})
