import assert from 'node:assert/strict'

/** Accesses, one a second: those of `first` fill the first half of them, those of `second` the other. */
export const SECONDS = 10_000

/** `classified` of one user after another: logs in the order of time are like this. @param numbers a relation of n from 1 to SECONDS */
export const oneAfterAnother = (numbers: string): string => `select
    n * 1000 as event_time,
    case when n <= ${SECONDS / 2} then 'first' else 'second' end as entity,
    '198.18.0.1' as ip,
    4 as family,
    'train' as part,
    cast(null as varchar) as drop_reason
  from ${numbers}`

/** Each twentieth of the rows has about as many of one as of the other. */
export function assertSpread(rows: readonly (readonly unknown[])[]): void {
  assert.equal(rows.length, SECONDS)
  const size = SECONDS / 20
  for (let start = 0; start < rows.length; start += size) {
    const first = rows.slice(start, start + size).filter(([entity]) => entity === 'first').length
    assert.ok(first > size * 0.4 && first < size * 0.6, `${first} of ${size} from row ${start} on`)
  }
}
