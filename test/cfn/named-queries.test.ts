import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, describe, it } from 'node:test'
import { accessesSql } from '../../scripts/lib/engines/athena/sql.ts'
import { classifiedValues, fill, renderSql, withRelations } from '../../scripts/lib/engines/render.ts'
import { trinoParser } from '../sandbox/athena/sql-parser.ts'
import { Parser } from '../sandbox/athena/syntax-tree.ts'
import { parseTemplate, Resolver } from '../sandbox/cloudformation/template.ts'
import { ROOT } from '../support/run-script.ts'
import { ALL, LAST_DAY, RUN, savedQuestions, savedSources, withIpv6, withoutNotes } from './named-queries.ts'

const template = parseTemplate(readFileSync(`${ROOT}cfn/prestage.yaml`, 'utf8'))
const resolver = new Resolver(template, { parameters: {}, pseudo: {}, ref: (id) => id, att: (id) => id })
const saved = new Map(
  Object.values(template.Resources)
    .filter(({ Type }) => Type === 'AWS::Athena::NamedQuery')
    .map(({ Properties = {} }) => [String(Properties.Name), Properties]),
)
const all = (await savedQuestions()).flatMap((question) =>
  savedSources
    .filter(({ id }) => (question.source ?? id) === id)
    .map((source) => ({ name: `${source.id} ${question.name}`, question, source })),
)
const trino = trinoParser()
const parser = new Parser()
after(() => parser.close())

/** Its words, whatever the lines. */
const words = (sql: string): string => sql.replace(/\s+/g, ' ').replaceAll(' ,', ',')

describe('named queries', () => {
  it('are all questions of the sources that have saved ones', () =>
    assert.deepEqual([...saved.keys()].sort(), all.map(({ name }) => name).sort()))

  for (const { name, question, source } of all)
    it(`ask what the scripts ask: ${name}`, async () => {
      const { QueryString = '', Description } = saved.get(name) ?? assert.fail()
      const text = String(resolver.value(QueryString))
      assert.deepEqual(trino.validate(text), [])
      assert.equal(Description, question.purpose)
      const settings = { source, from: new Date(0), to: new Date(0), cutoff: new Date(0), includePrivate: false }
      const values = await classifiedValues(
        { ...settings, entity: source.defaultEntity, dedupe: true, ipv6: true },
        'athena',
      )
      const sql = fill(question.text, { ...ALL, cutoff: LAST_DAY }, question.path)
      const relations = {
        accesses: (await accessesSql({ source, database: 'd', run: RUN })).replace('"d".', ''),
        ...(/from classified/.test(sql) && {
          classified: withIpv6(
            await renderSql('classified.sql', { ...values, ...ALL, cutoff: LAST_DAY, encoded: 'entity' }),
          ),
        }),
      }
      assert.equal(words(withoutNotes(text)), words(withoutNotes(withRelations(relations, sql))))
      assert.equal((await parser.tree(text)).tables.length, 1, 'scans the logs more than once')
    })
})
