import assert from 'node:assert/strict'
import { relative } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { nameOf, pathOf, segmentOf } from '../../../scripts/lib/stores/folder-names.ts'
import { compareKeys } from '../../../scripts/lib/stores/store.ts'

/** Pieces that a file system or this very encoding could trip over. */
const piece = fc.oneof(
  fc.constantFrom(
    '',
    '.',
    '..',
    '...',
    '%',
    '%2E',
    '%2E%2E',
    '%25',
    '%2',
    '.draft-',
    '.draft-abc',
    '%2Edraft-',
    '~',
    'a b',
    '\n',
  ),
  fc.string({ unit: 'binary', maxLength: 8 }).map((text) => text.replace(/[/\0]/g, '_')),
)
const segment = fc.array(piece, { minLength: 1, maxLength: 3 }).map((pieces) => pieces.join(''))
const key = fc
  .array(segment, { minLength: 1, maxLength: 5 })
  .map((segments) => segments.join('/'))
  .filter((text) => text !== '')

describe('file names of keys', () => {
  it('lie below the folder, whatever the key', () =>
    fc.assert(
      fc.property(key, (k) => {
        const path = relative('/data/staged', pathOf('/data/staged', k))
        assert.ok(path !== '' && !path.startsWith('/') && !path.split('/').includes('..'), path)
        assert.equal(path.split('/').length, k.split('/').length)
      }),
    ))

  it('are never the same for two keys', () =>
    fc.assert(fc.property(key, key, (a, b) => assert.equal(pathOf('/d', a) === pathOf('/d', b), a === b))))

  it('lead back to the key', () => fc.assert(fc.property(segment, (s) => assert.equal(segmentOf(nameOf(s)), s))))

  it('are no drafts', () => fc.assert(fc.property(segment, (s) => assert.ok(!nameOf(s).startsWith('.draft-')))))

  const plain = ['AWSLogs', '2026', 'AWS::EC2', 'a..b', '..a', '.hidden', 'ünï', '100%']
  for (const name of plain) it(`${name} is itself`, () => assert.equal(nameOf(name), name))

  const hopeless = ['', 'a\0b', 'a\ud800b', `${'é'.repeat(128)}`]
  for (const k of hopeless)
    it(`${JSON.stringify(k).slice(0, 20)} cannot be one`, () =>
      assert.throws(() => pathOf('/d', k), { name: 'UserError' }))
})

describe('order of keys', () => {
  it('is that of their UTF-8 bytes', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) =>
        assert.equal(Math.sign(compareKeys(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b))),
      ),
    ))

  it('puts what UTF-16 units would swap right', () => {
    assert.ok(compareKeys('\u{ff5e}', '\u{1f98a}') < 0)
    assert.ok(compareKeys('a/', 'a') > 0)
    assert.equal(compareKeys('a', 'a'), 0)
  })
})
