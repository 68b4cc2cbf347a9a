import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderAnswer } from '../../scripts/query/answer.ts'

const ASKED = { run: 'run', question: 'question', engine: 'duckdb' } as const
const column = (name: string, isNumber = false) => ({ name, isNumber })

const shown = (cells: readonly string[], csv = false): string =>
  renderAnswer(
    ASKED,
    { columns: [column('agent'), column('n', true)], rows: cells.map((cell) => [cell, '1']), more: false },
    { csv, classified: false },
  ).text

test('a row of the table is one line, whatever a stranger wrote into it', () =>
  assert.equal(
    shown(['two\nlines\r\n\t', 'one']),
    ['agent       n', 'two lines   1', 'one         1', '', '2 rows'].join('\n'),
  ))

test('a very long cell does not push the others out of sight; the CSV has it whole', () => {
  const long = 'x'.repeat(9000)
  const [, row = ''] = shown([long]).split('\n')
  assert.match(row, /^x{199}…[0-9a-f]{13} {2}1$/)
  assert.equal(shown([long], true), `agent,n\n${long},1`)
  assert.notEqual(shown([`${long}a`]), shown([`${long}b`]))
})

for (const cell of ['=1', '+1', '-a', '@a', '\t=1', '＝1', '＋1', '－1', '＠1'])
  test(`no cell of the CSV is a formula: ${JSON.stringify(cell)}`, () =>
    assert.ok(shown([cell], true).includes(`'${cell}`)))

for (const number of ['-1.5', '-1e-8', '-2.5E+10'])
  test(`numbers of the CSV stay numbers: ${number}`, () => assert.equal(shown([number], true), `agent,n\n${number},1`))

test('columns of one name are told apart, and none is lost', () => {
  const answer = {
    columns: [column('first_time', true), column('ip'), column('first_time', true), column('ip')],
    rows: [['0', 'a', '86400000', 'b']],
    more: false,
  }
  const { json, text } = renderAnswer(ASKED, answer, { csv: true, classified: false })
  const [early, late] = ['1970-01-01T00:00:00.000Z', '1970-01-02T00:00:00.000Z']
  assert.deepEqual(json.rows, [{ first_time: early, ip: 'a', first_time_2: late, ip_2: 'b' }])
  assert.equal(text, `first_time,ip,first_time_2,ip_2\n${early},a,${late},b`)
})

test('numbers are numbers in JSON, unless they would become other numbers', () => {
  const cells = ['12', '-0.25', '9007199254740991', '9007199254740993', 'NaN', null]
  const answer = { columns: [column('n', true), column('name')], rows: cells.map((cell) => [cell, '7']), more: false }
  assert.deepEqual(
    (renderAnswer(ASKED, answer, { csv: false, classified: false }).json.rows as { n: unknown; name: unknown }[]).map(
      ({ n, name }) => [n, name],
    ),
    [12, -0.25, 9007199254740991, '9007199254740993', 'NaN', null].map((n) => [n, '7']),
  )
})

test('entities of classified are shown as in the logs, in CSV with hidden characters spelled out; others stay', () => {
  const answer = {
    columns: [column('one_entity'), column('agent')],
    rows: [['curl/8%2E5\u202e%20x', 'a%2Eb']],
    more: false,
  }
  const of = (csv: boolean, classified: boolean) => renderAnswer(ASKED, answer, { csv, classified })
  assert.deepEqual(of(true, true).json.rows, [{ one_entity: 'curl/8.5\u202e x', agent: 'a%2Eb' }])
  assert.equal(of(true, true).text, 'one_entity,agent\ncurl/8.5\\u{202e} x,a%2Eb')
  assert.equal(of(true, false).text, 'one_entity,agent\ncurl/8%2E5\u202e%20x,a%2Eb')
  assert.match(of(false, true).text, /^curl\/8\.5\u202e x {2}a%2Eb$/m)
})
