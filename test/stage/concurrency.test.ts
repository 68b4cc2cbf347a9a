import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as tick } from 'node:timers/promises'
import fc from 'fast-check'
import { concurrently } from '../../scripts/stage/concurrency.ts'
import { all, from } from '../support/sequences.ts'

describe('many sequences in order', () => {
  const sequence = (pages: readonly number[], at: number, seen: { open: number; most: number }) =>
    async function* () {
      seen.open += 1
      seen.most = Math.max(seen.most, seen.open)
      try {
        for (const page of pages) {
          for (let wait = 0; wait < page % 4; wait++) await tick()
          yield `${at}:${page}`
        }
      } finally {
        seen.open -= 1
      }
    }

  it('keep their order whichever is faster, with bounded readers', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat(9), { maxLength: 8 }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 4 }),
        async (lists, concurrency, waiting) => {
          const seen = { open: 0, most: 0 }
          const found = await all(
            concurrently(
              lists.map((pages, at) => sequence(pages, at, seen)),
              { concurrency, waiting },
            ),
          )
          assert.deepEqual(
            found,
            lists.flatMap((pages, at) => pages.map((page) => `${at}:${page}`)),
          )
          assert.ok(seen.most <= concurrency)
          assert.equal(seen.open, 0)
        },
      ),
      { numRuns: 200 },
    ))

  it('hold no more pages than may wait, besides one a reader', async () => {
    let given = 0
    let taken = 0
    let most = 0
    const fast = async function* () {
      for (let i = 0; i < 100; i++) {
        given += 1
        most = Math.max(most, given - taken)
        yield i
      }
    }
    const sequences = Array.from({ length: 6 }, () => fast)
    for await (const _ of concurrently(sequences, { concurrency: 3, waiting: 10 })) {
      taken += 1
      await tick()
    }
    assert.equal(taken, 600)
    // The one whose turn it is never waits, so its own pages come on top.
    assert.ok(most <= 100 + 10 + 3, `${most} pages were held`)
  })

  it('pass on a failure after what came before it', async () => {
    const broken = async function* () {
      yield 2
      throw new Error('cut')
    }
    const found: number[] = []
    await assert.rejects(async () => {
      for await (const page of concurrently([() => from([1]), broken, () => from([3])], { concurrency: 2 }))
        found.push(page)
    }, /cut/)
    assert.deepEqual(found, [1, 2])
  })

  it('stop their readers when nobody reads on', async () => {
    const seen = { open: 0, most: 0 }
    const lists = Array.from({ length: 5 }, () => Array.from({ length: 50 }, (_, i) => i))
    for await (const _ of concurrently(
      lists.map((pages, at) => sequence(pages, at, seen)),
      { concurrency: 3, waiting: 2 },
    ))
      break
    assert.equal(seen.open, 0)
  })
})
