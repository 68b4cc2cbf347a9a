import { accessesSql } from '../../scripts/engines/athena-sql.ts'
import { classifiedValues, fill, render } from '../../scripts/engines/render.ts'
import { type Question, questions } from '../../scripts/query/question.ts'
import { sources } from '../../scripts/sources/registry.ts'
import type { Source } from '../../scripts/sources/source.ts'

/** The windows of a question in the console: all of a run, and its last day as the part that is compared with the rest. */
const ALL = { from: '0', to: '4102444800000' }
const LAST_DAY = '(select max(event_time) - 86400000 from accesses)'

const NOTE = 'Put the id of a run in place of RUN-ID, at the end of accesses.'

/** The parts of the template that are made of sql/: `relations` are its mapping, `resources` the named queries. */
export async function namedQueryParts(): Promise<Record<'relations' | 'resources', string>> {
  const asked = await questions()
  const mapped = await Promise.all(Object.values(sources).map(relationsOf))
  const [shared, ...others] = new Set(mapped.map(({ judged }) => judged))
  if (shared === undefined || others.length > 0) throw new Error('sources differ in more than their columns')
  const resources = asked.flatMap((question) =>
    Object.values(sources)
      .filter(({ id }) => (question.source ?? id) === id)
      .map((source) => resourceOf(question, source)),
  )
  const relations = [...mapped.map(({ text }) => text), `    all:\n${entry('judged', shared)}`]
  return { relations: `Mappings:\n  Relations:\n${relations.join('')}`, resources: resources.join('\n') }
}

const entry = (name: string, sql: string) => `      ${name}: |-\n${indented(sql, 8)}\n`

/** What of `classified` is the same for all sources begins here. */
const JUDGED = 'judged as ('

/** A template with these parts between their markers. @throws Error when it lacks one */
export function withParts(template: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce((text, [name, part]) => {
    const between = new RegExp(`(^ *# named queries: ${name}\\n)[\\s\\S]*?(^ *# end of named queries: ${name}$)`, 'm')
    if (!between.test(text)) throw new Error(`the template has no place for the ${name} of named queries`)
    return text.replace(between, (_, start: string, end: string) => `${start}${part}${end}`)
  }, template)
}

/** The relations of one source, and what others have alike. The database is the query's own, so that names need none. */
async function relationsOf(source: Source): Promise<{ text: string; judged: string }> {
  const table = { source, database: 'database', run: 'RUN-ID' }
  const accesses = (await accessesSql(table)).replace('"database".', '')
  const settings = { source, from: new Date(0), to: new Date(0), cutoff: new Date(0), includePrivate: false }
  const values = await classifiedValues({ ...settings, entity: source.defaultEntity, dedupe: true })
  // Read by people, who need no codec.
  const classified = await render('classified.sql', { ...values, ...ALL, cutoff: LAST_DAY, encoded: 'entity' })
  const at = classified.indexOf(JUDGED)
  if (at < 0) throw new Error(`classified of ${source.id} has no ${JUDGED}`)
  const chosen = JSON.stringify(`\n),\nclassified as (\n${classified.slice(0, at)}`)
  return {
    text: `    ${source.id}:\n${entry('accesses', accesses)}      chosen: ${chosen}\n`,
    judged: classified.slice(at),
  }
}

const idOf = (question: Question, source: Source): string =>
  `Query${[source.id, ...question.name.split('-')].map((word) => word.replace(/^./, (first) => first.toUpperCase())).join('')}`

function resourceOf(question: Question, source: Source): string {
  const sql = fill(question.text, { ...ALL, cutoff: LAST_DAY }, question.path)
  const relation = (name: string, of = source.id) => `!FindInMap [Relations, ${of}, ${name}]`
  const isClassified = /\b(from|join)\s+classified\b/i.test(sql)
  const classified = isClassified ? `\n          - ${relation('chosen')}\n          - ${relation('judged', 'all')}` : ''
  const inner = /^\s*with\s+/i.test(sql) ? sql.replace(/^\s*with\s+/i, '),\n') : `)\n${sql}`
  return `  ${idOf(question, source)}:
    Type: AWS::Athena::NamedQuery
    Properties:
      Name: ${source.id} ${question.name}
      Description: >-
        ${question.purpose} ${NOTE}
      Database: !Ref Database
      WorkGroup: !Ref Workgroup
      QueryString: !Join
        - ''
        - - "with accesses as (\\n"
          - ${relation('accesses')}${classified}
          - |-

${indented(inner, 12)}
`
}

const indented = (text: string, by: number): string => text.replace(/^(?!$)/gm, ' '.repeat(by))
