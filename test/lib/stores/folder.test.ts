import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { folderStore } from '../../../scripts/lib/stores/folder.ts'
import { ConditionFailed, compareKeys, type ListOptions, type Store } from '../../../scripts/lib/stores/store.ts'
import { tempFolder } from '../../support/temp.ts'

/** Few letters, so that prefixes are shared; a folder cannot hold both `a` and `a/b`, so objects end in `!`. */
const segment = fc.constantFrom(
  'a',
  'b',
  'ab',
  'a b',
  '',
  '.',
  '..',
  '%',
  '%2E',
  '.draft-a',
  'é',
  '\u{ff5e}',
  '\u{1f98a}',
)
const key = fc
  .tuple(fc.array(segment, { maxLength: 3 }), segment)
  .map(([folders, name]) => [...folders.map((folder) => `${folder}-`), `${name}!`].join('/'))
const hostile = fc
  .tuple(fc.array(fc.constantFrom('..', '.', '', 'x'), { maxLength: 4 }), fc.constantFrom('f!', '..!', '.draft-1!'))
  .map(([folders, name]) => [...folders, name].join('/'))
const anyKey = fc.oneof(key, hostile)
const keys = fc.uniqueArray(anyKey, { minLength: 1, maxLength: 12 })
/** A key, or the beginning of one. */
const cut = fc.tuple(anyKey, fc.nat(12)).map(([k, length]) => k.slice(0, length))

async function filled(all: readonly string[]): Promise<Store> {
  const store = folderStore(tempFolder())
  for (const k of all) await store.write(k, `content of ${k}`)
  return store
}

async function listed(store: Store, options?: ListOptions): Promise<string[]> {
  const found: string[] = []
  for await (const { key } of store.list(options)) found.push(key)
  return found
}

describe('a folder as a store', () => {
  it('lists keys in the order of their bytes, from a start, below a prefix', () =>
    fc.assert(
      fc.asyncProperty(keys, cut, cut, async (all, prefix, startAfter) => {
        const store = await filled(all)
        const expected = all
          .filter((k) => k.startsWith(prefix) && (startAfter === '' || compareKeys(k, startAfter) > 0))
          .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        assert.deepEqual(await listed(store, { prefix, startAfter }), expected)
      }),
      { numRuns: 150 },
    ))

  it('finds common prefixes', () =>
    fc.assert(
      fc.asyncProperty(keys, cut, fc.constantFrom('/', '-', '!'), async (all, prefix, delimiter) => {
        const store = await filled(all)
        const expected = new Set<string>()
        for (const k of all) {
          const end = k.startsWith(prefix) ? k.indexOf(delimiter, prefix.length) : -1
          if (end !== -1) expected.add(k.slice(0, end + 1))
        }
        assert.deepEqual(await store.prefixes({ prefix, delimiter }), [...expected].sort(compareKeys))
      }),
      { numRuns: 150 },
    ))

  it('keeps every object apart, and all of them inside', () =>
    fc.assert(
      fc.asyncProperty(keys, async (all) => {
        const outer = tempFolder()
        const store = folderStore(join(outer, 'inner'))
        for (const k of all) await store.write(k, `content of ${k}`)
        for (const k of all) {
          assert.equal(await store.text(k), `content of ${k}`)
          assert.equal((await store.head(k))?.size, Buffer.byteLength(`content of ${k}`))
        }
        assert.deepEqual(readdirSync(outer), ['inner'])
      }),
      { numRuns: 100 },
    ))

  it('seen from a prefix below has the rest of the keys', async () => {
    const store = await filled(['a/b/c', 'a/b/d/e', 'a/x', 'b'])
    assert.deepEqual(await listed(store.within('a/b/')), ['c', 'd/e'])
    assert.deepEqual(await store.within('a/').prefixes(), ['b/'])
    assert.deepEqual(await listed(store.within('nowhere/')), [])
    await store.within('a/').within('b/').write('f', 'x')
    assert.equal(await store.text('a/b/f'), 'x')
  })

  it('reads no folder that a listing can pass over', async () => {
    const days = Array.from({ length: 20 }, (_, day) => `logs/${String(day).padStart(2, '0')}/object`)
    const store = await filled(days)
    const before = store.listRequests
    assert.equal((await listed(store, { prefix: 'logs/', startAfter: 'logs/17/object' })).length, 2)
    // The root, logs/, and days 17 (which holds the start) to 19.
    assert.ok(store.listRequests - before <= 5, String(store.listRequests - before))
    const stopped = store.listRequests
    for await (const _ of store.list()) break
    assert.ok(store.listRequests - stopped <= 3)
  })

  it('follows links, and lists those that lead nowhere: they are not there, but nobody may overlook them', async () => {
    const folder = tempFolder()
    mkdirSync(join(folder, 'real'))
    writeFileSync(join(folder, 'real/object'), 'x')
    symlinkSync(join(folder, 'real'), join(folder, 'link'))
    symlinkSync(join(folder, 'gone'), join(folder, 'broken'))
    symlinkSync('itself', join(folder, 'itself'))
    const store = folderStore(folder)
    assert.deepEqual(await listed(store), ['broken', 'itself', 'link/object', 'real/object'])
    assert.deepEqual([await store.head('broken'), await store.head('itself')], [undefined, undefined])
    assert.equal((await store.head('link/object'))?.size, 1)
  })

  const loops: [what: string, links: Record<string, string>, keys: string[]][] = [
    ['itself', { 'a/link': '.' }, ['a/object', 'b/object']],
    ['a folder above', { 'a/link': '..' }, ['a/object', 'b/object']],
    ['a folder above the store', { 'a/link': '/', 'b/link': '../../..' }, ['a/object', 'b/object']],
    [
      'itself over another link',
      { 'a/link': '../b', 'b/link': '../a' },
      ['a/link/object', 'a/object', 'b/link/object', 'b/object'],
    ],
  ]
  for (const [what, links, keys] of loops)
    it(`does not follow a link that leads back to ${what}`, async () => {
      const folder = tempFolder()
      const store = folderStore(folder)
      await store.write('a/object', 'x')
      await store.write('b/object', 'x')
      for (const [link, target] of Object.entries(links)) symlinkSync(target, join(folder, link))
      assert.deepEqual(await listed(store), keys)
      // Also where the store itself is reached by a link.
      const outer = tempFolder()
      symlinkSync(folder, join(outer, 'linked'))
      assert.deepEqual(await listed(folderStore(join(outer, 'linked'))), keys)
    })

  it('of a folder that is not there is an error that names it; a prefix that is not there is empty', async () => {
    const folder = join(tempFolder(), 'absent')
    await assert.rejects(listed(folderStore(folder)), { name: 'UserError', message: `no folder ${folder}` })
    assert.deepEqual(await listed(folderStore(tempFolder()), { prefix: 'absent/' }), [])
  })

  it('knows nothing of what is not there', async () => {
    const store = folderStore(tempFolder())
    assert.deepEqual([await store.head('a/b'), await store.text('a/b')], [undefined, undefined])
    await assert.rejects(store.read('a/b'), { name: 'UserError' })
    await store.remove('a/b')
  })

  it('reads ranges, both ends included', async () => {
    const store = await filled([])
    await store.write('a', '0123456789')
    assert.equal(await text(await store.read('a', { start: 2, end: 4 })), '234')
    assert.equal(await text(await store.read('a', { start: 8 })), '89')
  })
})

describe('conditional access', () => {
  it('creates only what is not there', async () => {
    const store = folderStore(tempFolder())
    await store.write('a', 'first', { ifAbsent: true })
    await assert.rejects(store.write('a', 'second', { ifAbsent: true }), ConditionFailed)
    assert.equal(await store.text('a'), 'first')
  })

  it('lets one of many creators win', async () => {
    const store = folderStore(tempFolder())
    const tries = Array.from({ length: 20 }, (_, n) => store.write('a', `from ${n}`, { ifAbsent: true }))
    const results = await Promise.allSettled(tries)
    const won = results.flatMap(({ status }, n) => (status === 'fulfilled' ? [n] : []))
    assert.equal(won.length, 1)
    assert.equal(await store.text('a'), `from ${won[0]}`)
    assert.deepEqual(await listed(store), ['a'])
  })

  it('replaces and reads only the version that is meant', async () => {
    const folder = tempFolder()
    const store = folderStore(folder)
    const first = await store.write('a', 'first')
    utimesSync(join(folder, 'a'), 1, 1)
    const second = await store.head('a')
    assert.notEqual(first.etag, second?.etag)
    await assert.rejects(store.write('a', 'other', { ifMatch: first.etag ?? '' }), ConditionFailed)
    await assert.rejects(store.read('a', { ifMatch: first.etag ?? '' }), ConditionFailed)
    await store.write('a', 'third', { ifMatch: second?.etag ?? '' })
    assert.equal(await store.text('a'), 'third')
  })
})

describe('writing that fails', () => {
  const failing = () =>
    Readable.from(
      (function* () {
        yield 'half'
        throw new Error('the source broke')
      })(),
    )

  it('leaves neither a half nor a draft', async () => {
    const folder = tempFolder()
    await assert.rejects(folderStore(folder).write('a/b', failing()), /the source broke/)
    assert.deepEqual(readdirSync(join(folder, 'a')), [])
  })

  it('leaves what was there before', async () => {
    const store = await filled(['a'])
    await assert.rejects(store.write('a', failing()), /the source broke/)
    assert.equal(await store.text('a'), 'content of a')
  })

  it('by a kill leaves a draft that nobody sees and the next writer replaces', async () => {
    const folder = tempFolder()
    const store = folderStore(folder)
    let draft = ''
    const body = Readable.from(
      (function* () {
        yield 'half'
        draft = readdirSync(folder)[0] ?? ''
        yield 'whole'
      })(),
    )
    await store.write('a', body)
    assert.match(draft, /^\.draft-/)
    // As a killed writer of the same key would have left it.
    writeFileSync(join(folder, draft), 'half')
    assert.deepEqual(await listed(store), ['a'])
    await store.write('a', 'again')
    assert.deepEqual(readdirSync(folder), ['a'])
  })
})
