import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tried } from '../scripts/setup/try/beliefs.ts'
import { beliefsIn, faultOfBelief, writtenBeliefs } from './support/beliefs.ts'

test('every belief has a source and a status; what is only believed is tried, or says why not', () => {
  const rows = writtenBeliefs()
  assert.ok(rows.length > 80)
  assert.deepEqual(rows.map(faultOfBelief).filter(Boolean), [])
})

test('no name of a belief stands twice', () => {
  const ids = writtenBeliefs().flatMap(({ id }) => id ?? [])
  assert.equal(new Set(ids).size, ids.length)
})

test('what has a name is what setup --check --try tries', () =>
  assert.deepEqual(
    writtenBeliefs()
      .flatMap(({ id }) => id ?? [])
      .toSorted(),
    tried(true).toSorted(),
  ))

const faulty: [row: string, says: RegExp][] = [
  ['| it is so |  | documented |', /no source/],
  ['| it is so | a page | known |', /"known" is none of/],
  ['| it is so | a page | seen by others |', /is none of/],
  ['| it is so | a page | only believed |', /Not tried: why/],
]

for (const [row, says] of faulty)
  test(`a row that is refused: ${row}`, () => assert.match(beliefsIn(row).map(faultOfBelief).join(), says))

test('a row is three cells', () => assert.throws(() => beliefsIn('| it is so | documented |'), /not belief/))

test('a row with a name, and one that says why it is not tried', () =>
  assert.deepEqual(
    beliefsIn(
      '| belief | source | status |\n| --- | --- | --- |\n| `job-ends`: it ends | a page | only believed |\n| `x` is y | none. Not tried: it takes a year | only believed |',
    ).map((row) => [row.id, row.belief, faultOfBelief(row)]),
    [
      ['job-ends', 'it ends', undefined],
      [undefined, '`x` is y', undefined],
    ],
  ))
