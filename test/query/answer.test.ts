import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outcomeOf } from '../../scripts/query/answer.ts'

const shown = (cells: readonly string[], csv = false): string =>
  outcomeOf(
    'run',
    'question',
    'duckdb',
    { columns: ['agent', 'n'], rows: cells.map((cell) => [cell, '1']), more: false },
    csv,
  ).text

test('a row of the table is one line, whatever a stranger wrote into it', () =>
  assert.equal(
    shown(['two\nlines\r\n\t', 'one']),
    ['agent       n', 'two lines   1', 'one         1', '', '2 rows'].join('\n'),
  ))

test('a very long cell does not push the others out of sight; the CSV has it whole', () => {
  const long = 'x'.repeat(9000)
  const [, row = ''] = shown([long]).split('\n')
  assert.match(row, /^x{199}… {2}1$/)
  assert.equal(shown([long], true), `agent,n\n${long},1`)
})

for (const cell of ['=1', '+1', '-a', '@a', '\t=1', '＝1', '＋1', '－1', '＠1'])
  test(`no cell of the CSV is a formula: ${JSON.stringify(cell)}`, () =>
    assert.ok(shown([cell], true).includes(`'${cell}`)))

test('numbers of the CSV stay numbers', () => assert.equal(shown(['-1.5'], true), 'agent,n\n-1.5,1'))
