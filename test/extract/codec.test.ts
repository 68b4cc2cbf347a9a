import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { encodedSql, literal } from '../../scripts/lib/engines/render.ts'
import { encodeEntity } from '../../scripts/lib/insights/entity-codec.ts'

describe('the entity codec in SQL', () => {
  const odd = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string({
      unit: fc.constantFrom(
        '%',
        '.',
        ',',
        '"',
        "'",
        '`',
        '\\',
        ' ',
        '\0',
        '\n',
        '\r',
        '\t',
        '\x7f',
        '\x80',
        'a',
        '2',
        'E',
        'é',
        '𚿰',
      ),
    }),
  )

  it('is the codec of TypeScript', async () => {
    const connection = await (await DuckDBInstance.create()).connect()
    await connection.run('CREATE MACRO regexp_like(subject, pattern) AS regexp_matches(subject, pattern)')
    const prepared = await connection.prepare(`SELECT ${encodedSql('x')} FROM (SELECT $text AS x)`)
    const inSql = async (text: string) => {
      prepared.bind({ text })
      return String((await prepared.runAndReadAll()).getRows()[0]?.[0])
    }
    for (let code = 0; code < 256; code++) {
      const character = String.fromCharCode(code)
      assert.equal(await inSql(character), encodeEntity(character), `U+${code.toString(16)}`)
    }
    await fc.assert(
      fc.asyncProperty(odd, async (text) => assert.equal(await inSql(text), encodeEntity(text))),
      { numRuns: 500 },
    )
  })

  it('and literals hold whatever is put into them', async () => {
    const connection = await (await DuckDBInstance.create()).connect()
    const text = fc.string({ unit: 'grapheme' }).filter((t) => !t.includes('\0'))
    await fc.assert(
      fc.asyncProperty(text, async (t) =>
        assert.equal((await connection.runAndReadAll(`SELECT ${literal(t)}`)).getRows()[0]?.[0], t),
      ),
    )
  })
})
