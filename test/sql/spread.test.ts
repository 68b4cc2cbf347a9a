import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { literal, renderSql, withRelations } from '../../scripts/lib/engines/render.ts'
import { assertSpread, oneAfterAnother, SECONDS } from '../support/spread.ts'

const classified = oneAfterAnother(`(select range as n from range(1, ${SECONDS + 1}))`)

async function rowsOf(text: string) {
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  return (await connection.runAndReadAll(withRelations({ classified }, text))).getRows()
}

describe('pairs for SageMaker', () => {
  it('lie apart, though nothing orders the rows of a table', async () =>
    assertSpread(await rowsOf(await renderSql('athena/pairs.sql', { part: literal('train') }))))

  it('would not without it', async () => {
    const rows = await rowsOf(await renderSql('pairs.sql', { part: literal('train') }))
    assert.throws(() => assertSpread(rows))
  })
})
