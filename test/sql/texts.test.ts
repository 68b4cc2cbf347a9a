import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { sourceSql } from '../../scripts/lib/engines/own.ts'
import { renderSql } from '../../scripts/lib/engines/render.ts'
import { sources } from '../../scripts/lib/sources/registry.ts'
import type { Source } from '../../scripts/lib/sources/source.ts'
import { ROOT } from '../support/run-script.ts'

const text = (name: string): string => readFileSync(`${ROOT}sql/${name}`, 'utf8')
const withoutComments = (sql: string): string => sql.replace(/--.*$/gm, '')

const escaped = (text: string): string => text.replace(/[()-]/g, '\\$&')

/** Names of what a flat relation offers, in order. */
const columnsOf = (sql: string): string[] =>
  [...withoutComments(sql).matchAll(/\bas "?(\w+)"?(?=,?$)/gm)].map(([, name]) => name ?? '')

/** A text of a source that is no file: as it is made for a mapping. */
const NAMES = { table: 't', bulk: 'b', staged: 's', run: 'r', records: 'x' }
const textOf = async (source: Source, file: Parameters<typeof sourceSql>[1]): Promise<string> =>
  source.own === undefined ? text(`${source.id}/${file}`) : sourceSql(source, file, NAMES)

describe('the flat relation', () => {
  for (const [id, source] of Object.entries(sources)) {
    it(`of ${id} has the same columns on both engines`, async () => {
      const [athena, duckdb] = [
        columnsOf(await textOf(source, 'accesses.athena.sql')),
        columnsOf(await textOf(source, 'accesses.duckdb.sql')),
      ]
      assert.deepEqual(athena, duckdb)
      if (source.parquet !== undefined) assert.deepEqual(columnsOf(text(`${id}/accesses.parquet.sql`)), duckdb)
      assert.deepEqual(
        [athena[0], athena[1], athena.at(-2), athena.at(-1)],
        ['event_time', 'event_id', 'ip', 'drop_reason'],
      )
    })

    it(`of ${id} has a column for every choice of entity, and its members are read`, async () => {
      const duckdb = await textOf(source, 'accesses.duckdb.sql')
      for (const { column } of Object.values(source.entities)) assert.ok(columnsOf(duckdb).includes(column), column)
      for (const member of Object.keys({ ...source.members, ...source.details }))
        assert.match(duckdb, new RegExp(`(?<!\\w)${escaped(member)}(?!\\w)`))
    })

    it(`of ${id} has a table that names every member, or a row of whole lines and every member's name`, async () => {
      const table = await textOf(source, 'table.sql')
      const isLines = /\(\n {2}line string\n\)/.test(table)
      for (const member of Object.keys({ ...source.members, ...source.details }))
        if (isLines) assert.ok(text(`${id}/accesses.athena.sql`).includes(`'${member}'`), member)
        else assert.match(table, new RegExp(`\\b${member.toLowerCase()}\`? `))
    })
  }
})

describe('sql/README.md', () => {
  /** The words in the first cell of each row of the table with this heading. */
  const firstCells = (heading: string): string[] => {
    const [, rows = ''] =
      new RegExp(`^\\| ${heading} \\|.*\\n\\| -.*\\n((?:\\|.*\\n)+)`, 'm').exec(text('README.md')) ?? []
    return rows
      .split('\n')
      .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(.*?)`/g)].map(([, word = '']) => word))
  }

  for (const source of Object.values(sources))
    it(`tells of every column of ${source.id}, in their order`, async () =>
      assert.deepEqual(firstCells(`of ${source.name}`), columnsOf(await textOf(source, 'accesses.athena.sql'))))

  it('tells of every reason for which a record is no pair', async () => {
    const own = await Promise.all(Object.values(sources).map((source) => textOf(source, 'accesses.athena.sql')))
    const texts = [text('classified.sql'), ...own, "then 'header-line'"]
    const reasons = texts.flatMap((sql) => [...sql.matchAll(/\bthen '([a-z0-9-]+)'/g)].map(([, reason = '']) => reason))
    assert.deepEqual(firstCells('reason').sort(), [...new Set(reasons)].filter((word) => word !== 'holdout').sort())
  })
})

describe('every text', () => {
  const all = readdirSync(`${ROOT}sql`, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.sql'))
  it('is found', () => assert.ok(all.length > 25))
  for (const name of all)
    it(`${name} says what it is for, what goes in and comes out, and what it costs`, () => {
      const header = text(name)
        .split('\n')
        .filter((line) => line.startsWith('--'))
      assert.match(header[0] ?? '', /^-- [A-Z].*/)
      for (const word of ['Input: ', 'Output:', 'Cost:  '])
        assert.ok(
          header.some((line) => line.startsWith(`-- ${word} `)),
          word,
        )
    })
})

describe('the common texts', () => {
  const explore = readdirSync(`${ROOT}sql/explore`).map((name) => `explore/${name}`)
  const pairs = readdirSync(`${ROOT}sql`).filter((name) => name.endsWith('.sql'))
  const common = [...pairs, ...explore]
  // Names that mean something else, or nothing, on one of the two engines.
  const forbidden = [
    /->/,
    /\blambda\b/i,
    /\bconcat\(/i,
    /\bunnest\b/i,
    /\bcardinality\(/i,
    /\belement_at\(/i,
    /\btry\(/i,
    /\bdate_add\b/i,
    /\bcurrent_date\b/i,
    /\btimestamp\b/i,
    /\bregexp_replace\(/i,
    / \/ /,
    /`/,
    // On Trino it also matches before a newline at the end, where a CSV would get another row; \z is the end.
    /\$'/,
  ]
  it('are all there', () =>
    assert.deepEqual(pairs.sort(), [
      'alerts.sql',
      'classified.sql',
      'delivery.sql',
      'dropped.sql',
      'entities.sql',
      'ipv6.sql',
      'pairs.sql',
      'times.sql',
    ]))
  for (const name of common)
    for (const pattern of forbidden)
      it(`${name} has no ${pattern.source}`, () => assert.doesNotMatch(withoutComments(text(name)), pattern))

  it('are rendered only whole', async () => {
    await assert.rejects(renderSql('pairs.sql', {}), /no value for \{\{part\}\}/)
    await assert.rejects(renderSql('pairs.sql', { part: "'train'", spare: '1' }), /has no \{\{spare\}\}/)
  })
})
