import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { dividedStore } from '../../../scripts/lib/stores/divided.ts'
import { folderStore } from '../../../scripts/lib/stores/folder.ts'
import { s3Store } from '../../../scripts/lib/stores/s3.ts'
import { ConditionFailed, compareKeys, type ListOptions, type Store } from '../../../scripts/lib/stores/store.ts'
import { tempFolder } from '../../support/temp.ts'
import { elsewhere, emptyBucket } from './s3-server.ts'

/** Few, so that prefixes are shared. moto loses keys with a line feed, and versitygw resolves `.` and `..`. */
const segment = fc.constantFrom(
  ...['a', 'b', 'ab', 'a b', 'a+b', 'a%2Bb', '%', 'x,y', '"q"', "it's", '&amp;', '<k>', '?', '#', '=', '\u00e9'],
  ...['\u{ff5e}', '\u{1f98a}', ...(elsewhere === undefined ? ['', '.', '..', '\n', '\t', '\u0001', '\u007f'] : [])],
)
/** A folder cannot hold both `a` and `a/b`, so objects end in `!` and folders in `-`. */
const key = fc
  .tuple(fc.array(segment, { maxLength: 3 }), segment)
  .map(([folders, name]) => [...folders.map((folder) => `${folder}-`), `${name}!`].join('/'))
const keys = fc.uniqueArray(key, { minLength: 1, maxLength: 10 })
/** A key, or the beginning of one, never half a character. */
const cut = fc.tuple(key, fc.nat(12)).map(([k, length]) => [...k].slice(0, length).join(''))

async function listed(store: Store, options?: ListOptions): Promise<string[]> {
  const found: string[] = []
  for await (const { key } of store.list(options)) found.push(key)
  return found
}

const bytesOf = (text: string): number => Buffer.byteLength(text)

/** What every store does. @param fresh an empty store */
function contract(fresh: () => Store): void {
  async function filled(all: readonly string[]): Promise<Store> {
    const store = fresh()
    await Promise.all(all.map((k) => store.write(k, `content of ${k}`)))
    return store
  }

  it('lists keys in the order of their bytes, from a start, below a prefix', () =>
    fc.assert(
      fc.asyncProperty(keys, cut, cut, async (all, prefix, startAfter) => {
        const expected = all
          .filter((k) => k.startsWith(prefix) && compareKeys(k, startAfter) > 0)
          .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        assert.deepEqual(await listed(await filled(all), { prefix, startAfter }), expected)
      }),
      { numRuns: 40 },
    ))

  it('finds common prefixes up to any delimiter, after a start', () =>
    fc.assert(
      fc.asyncProperty(keys, cut, cut, fc.constantFrom('/', '-', '-/', 'b'), async (all, prefix, after, delimiter) => {
        const expected = new Set<string>()
        for (const k of all) {
          const end = k.startsWith(prefix) ? k.indexOf(delimiter, prefix.length) : -1
          if (end !== -1) expected.add(k.slice(0, end + delimiter.length))
        }
        const found = await (await filled(all)).prefixes({ prefix, delimiter, startAfter: after })
        assert.deepEqual(found, [...expected].filter((p) => compareKeys(p, after) > 0).sort(compareKeys))
      }),
      { numRuns: 40 },
    ))

  it('keeps every object apart', () =>
    fc.assert(
      fc.asyncProperty(keys, async (all) => {
        const store = await filled(all)
        for (const k of all) {
          assert.equal(await store.text(k), `content of ${k}`)
          const info = await store.head(k)
          assert.deepEqual([info?.key, info?.size], [k, bytesOf(`content of ${k}`)])
        }
        for await (const { key, size, etag, modified } of store.list()) {
          assert.equal(size, bytesOf(`content of ${key}`))
          assert.equal(etag, (await store.head(key))?.etag)
          assert.ok(modified instanceof Date && !Number.isNaN(modified.getTime()))
        }
        for (const k of all) await store.remove(k)
        assert.deepEqual(await listed(store), [])
      }),
      { numRuns: 20 },
    ))

  it('seen from a prefix below has the rest of the keys', async () => {
    const store = await filled(['a/b/c', 'a/b/d/e', 'a/x', 'b'])
    assert.deepEqual(await listed(store.within('a/b/')), ['c', 'd/e'])
    assert.deepEqual(await listed(store.within('a/'), { prefix: 'b/', startAfter: 'b/c' }), ['b/d/e'])
    assert.deepEqual(await store.within('a/').prefixes(), ['b/'])
    assert.deepEqual(await listed(store.within('nowhere/')), [])
    const within = store.within('a/').within('b/')
    assert.equal((await within.write('f', 'x')).key, 'f')
    assert.equal(await store.text('a/b/f'), 'x')
    assert.equal(within.uri, `${store.uri}/a/b`)
  })

  it('counts listings wherever they are made', async () => {
    const store = await filled(['a/b'])
    const before = store.listRequests
    await listed(store.within('a/'))
    assert.ok(store.listRequests > before)
  })

  it('knows nothing of what is not there', async () => {
    const store = fresh()
    assert.deepEqual([await store.head('a/b'), await store.text('a/b')], [undefined, undefined])
    await assert.rejects(store.read('a/b'), { name: 'UserError', message: /no object .*a\/b/ })
    await store.remove('a/b')
    assert.deepEqual(await store.prefixes(), [])
  })

  const ranges: [range: { start?: number; end?: number }, expected: string][] = [
    [{}, '0123456789'],
    [{ start: 2, end: 4 }, '234'],
    [{ start: 8 }, '89'],
    [{ end: 0 }, '0'],
    [{ start: 5, end: 99 }, '56789'],
    [{ start: 10 }, ''],
  ]
  it('reads ranges, both ends included', async () => {
    const store = fresh()
    await store.write('a', '0123456789')
    for (const [range, expected] of ranges) assert.equal(await text(await store.read('a', range)), expected)
    await store.write('empty', '')
    assert.equal(await text(await store.read('empty')), '')
    assert.equal(await store.text('empty'), '')
  })

  it('writes strings, bytes and streams', async () => {
    const store = fresh()
    const chunks = () => Readable.from(['gr\u00fc', Buffer.from('\u00dfe')])
    for (const body of ['gr\u00fc\u00dfe', Buffer.from('gr\u00fc\u00dfe'), chunks()]) {
      const { key, size, etag } = await store.write('a', body)
      assert.deepEqual([key, size, etag], ['a', 7, (await store.head('a'))?.etag])
      assert.equal(await store.text('a'), 'gr\u00fc\u00dfe')
    }
  })

  it('creates only what is not there; of many creators one wins', async () => {
    const store = fresh()
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, (_, n) => store.write('a', `from ${n}`, { ifAbsent: true })),
    )
    const won = results.flatMap(({ status }, n) => (status === 'fulfilled' ? [n] : []))
    assert.equal(won.length, 1)
    for (const result of results) if (result.status === 'rejected') assert.ok(result.reason instanceof ConditionFailed)
    assert.equal(await store.text('a'), `from ${won[0]}`)
    await assert.rejects(store.write('a', Readable.from(['late']), { ifAbsent: true }), ConditionFailed)
  })

  it('replaces and reads only the version that is meant', async () => {
    const store = fresh()
    await assert.rejects(store.write('a', 'x', { ifMatch: 'd41d8cd98f00b204e9800998ecf8427e' }), ConditionFailed)
    const { etag: old = '' } = await store.write('a', 'first')
    const { etag = '' } = await store.write('a', 'the second', { ifMatch: old })
    await assert.rejects(store.write('a', 'other', { ifMatch: old }), ConditionFailed)
    await assert.rejects(store.read('a', { ifMatch: old }), ConditionFailed)
    assert.equal(await text(await store.read('a', { ifMatch: etag })), 'the second')
  })

  it('a write that fails leaves what was there', async () => {
    const failing = () =>
      Readable.from(
        (function* () {
          yield 'half'
          throw new Error('the source broke')
        })(),
      )
    const store = await filled(['a'])
    for (const k of ['a', 'b']) await assert.rejects(store.write(k, failing()), /the source broke/)
    assert.deepEqual([await store.text('a'), await listed(store)], ['content of a', ['a']])
  })

  for (const bad of ['', 'a\ud800b']) {
    it(`${JSON.stringify(bad)} cannot be a key`, async () => {
      await assert.rejects(async () => fresh().write(bad, 'x'), { name: 'UserError' })
    })
  }
}

/** Of the keys of these tests: folders and objects, first and last in order. */
const HEADS = ['a-/', 'a!', '&amp;-/', '\u{1f98a}-/', '\u{1f98a}!', "it's!"]

describe('a folder', () => contract(() => folderStore(tempFolder())))

describe('a bucket', () => {
  let bucket: Awaited<ReturnType<typeof emptyBucket>>
  let root: Store
  let runs = 0
  before(async () => {
    bucket = await emptyBucket()
    root = await s3Store({ bucket: bucket.bucket, prefix: 'a + b/\u00e9' }, bucket.settings)
  })
  after(() => bucket.close())
  contract(() => root.within(`${runs++}/`))
  // Keys that a test writes lie on either side.
  describe('that is divided', () => contract(() => dividedStore(root.within(`${runs++}/`), 'x/', 'y/', HEADS)))
})

describe('a folder that is divided', () => {
  contract(() => dividedStore(folderStore(tempFolder()), 'x/', 'y/', HEADS))

  it('has each thing at its place, and shows nothing that lies at the other one', async () => {
    const root = folderStore(tempFolder())
    const store = dividedStore(root, 'x/', 'y/', HEADS)
    for (const k of ['a!', 'b!', 'a-/b!', 'b-/a-/b!']) await store.write(k, k)
    assert.deepEqual(await listed(root), ['x/b!', 'x/b-/a-/b!', 'y/a!', 'y/a-/b!'])
    assert.deepEqual([store.uriOf('a!'), store.uriOf('a-/')], [`${root.uri}/y/a!`, `${root.uri}/y/a-/`])
    assert.deepEqual([store.uri, store.within('a-/').uri], [`${root.uri}/x`, `${root.uri}/y/a-`])
    await root.write('x/a-/stray!', '')
    await root.write('y/stray!', '')
    assert.deepEqual(await listed(store), ['a!', 'a-/b!', 'b!', 'b-/a-/b!'])
    assert.deepEqual(await listed(store.within('b-/')), ['a-/b!'])
  })

  it('within a part of it is divided further down', async () => {
    const root = folderStore(tempFolder())
    const part = dividedStore(root, 'x/', 'y/', ['a-/b-/', 'a-/c!']).within('a-/')
    for (const k of ['b-/x!', 'c!', 'd!']) await part.write(k, k)
    assert.deepEqual(await listed(root), ['x/a-/d!', 'y/a-/b-/x!', 'y/a-/c!'])
    assert.deepEqual(await listed(part), ['b-/x!', 'c!', 'd!'])
  })
})
