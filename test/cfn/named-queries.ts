import { accessesSql } from '../../scripts/lib/engines/athena/sql.ts'
import { classifiedValues, fill, placeholdersOf, renderSql } from '../../scripts/lib/engines/render.ts'
import { cloudtrail } from '../../scripts/lib/sources/cloudtrail.ts'
import type { Source } from '../../scripts/lib/sources/source.ts'
import { waf } from '../../scripts/lib/sources/waf.ts'
import { type Question, questions } from '../../scripts/query/question.ts'

/** Stands for the id of a run. */
export const RUN = 'RUN-ID'
const NOTE = ' -- put the id of a run here'
const NOTE_BELOW = ' -- and here'

/**
 * The windows of a question in the console: all of a run, and its last day as the part that is compared with the rest. The id tells when
 * the window ends; to look it up in the logs would be another scan of them.
 */
export const ALL = { from: '0', to: '4102444800000' }
export const LAST_DAY = `(
    to_unixtime(date_parse(split('${RUN}', '-')[3], '%Y%m%dT%H%iZ'))${NOTE_BELOW}
    * 1000 - 86400000
  )`

/** Those with saved questions in the console: of others there is no room in the 51,200 bytes of a template. */
export const savedSources: readonly Source[] = [cloudtrail, waf]

/** The questions that need nothing but a run: each alert has others about its entity and address, and those are asked with `query`. */
export const savedQuestions = async (): Promise<Question[]> =>
  (await questions()).filter(({ text }) => !placeholdersOf(text).some((name) => /^(entity|entity_name|ip)$/.test(name)))

/** A text without the reason that drops IPv6, which is always among the pairs in the console. */
export const withIpv6 = (sql: string): string => sql.replace(/\n.* then 'ipv6'$/m, '')

/** A text without what it says to whoever pastes it. */
export const withoutNotes = (sql: string): string => sql.replace(NOTE, '').replace(NOTE_BELOW, '')

/** The parts of the template that are made of sql/: `texts` are its mappings, `resources` the named queries. */
export async function namedQueryParts(): Promise<Record<'texts' | 'resources', string>> {
  const asked = await savedQuestions()
  const mapped = await Promise.all(savedSources.map(relationsOf))
  const [shared, ...others] = new Set(mapped.map(({ judged }) => judged))
  if (shared === undefined || others.length > 0) throw new Error('sources differ in more than their columns')
  const resources = asked.flatMap((question) =>
    savedSources.filter(({ id }) => (question.source ?? id) === id).map((source) => resourceOf(question, source)),
  )
  const relations = [...mapped.map(({ text }) => text), entry('all', { judged: shared })]
  const texts = asked.map((question) => entry(question.name, { sql: joined(sqlOf(question)) }))
  return {
    texts: `Mappings:\n  Relations:\n${relations.join('')}  Questions:\n${texts.join('')}`,
    resources: resources.join('\n'),
  }
}

/** One of the keys of a mapping, and what it has. */
const entry = (key: string, texts: Readonly<Record<string, string>>): string =>
  `    ${key}:\n${Object.entries(texts)
    .map(([name, sql]) => `      ${name}: |-\n${indented(sql, 7)}\n`)
    .join('')}`

/** What of `classified` is the same for all sources begins here. */
const JUDGED = 'read as ('

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
  const accesses = (await accessesSql({ source, database: 'database', run: RUN })).replace('"database".', '')
  const settings = { source, from: new Date(0), to: new Date(0), cutoff: new Date(0), includePrivate: false }
  const values = await classifiedValues(
    { ...settings, entity: source.defaultEntity, dedupe: true, ipv6: true },
    'athena',
  )
  // Read by people, who need no codec.
  const whole = await renderSql('classified.sql', { ...values, ...ALL, cutoff: LAST_DAY, encoded: 'entity' })
  const classified = withIpv6(whole)
  const at = classified.indexOf(JUDGED)
  if (at < 0) throw new Error(`classified of ${source.id} has no ${JUDGED}`)
  const texts = {
    accesses: `with accesses as (\n${accesses}${NOTE}\n)`,
    chosen: `, classified as (\n${classified.slice(0, at).trimEnd()}`,
  }
  return { text: entry(source.id, texts), judged: `${classified.slice(at)}\n)` }
}

const idOf = (question: Question, source: Source): string =>
  `Query${[source.id, ...question.name.split('-')].map((word) => word.replace(/^./, (first) => first.toUpperCase())).join('')}`

const sqlOf = (question: Question): string => fill(question.text, { ...ALL, cutoff: LAST_DAY }, question.path)

/** A question as it goes on after the relations that it is over: its own come with them. */
const joined = (sql: string): string => sql.replace(/^with\s+/i, ', ')

function resourceOf(question: Question, source: Source): string {
  const isClassified = /\b(from|join)\s+classified\b/i.test(sqlOf(question))
  const parts = [
    ['Relations', source.id, 'accesses'],
    ...(isClassified
      ? [
          ['Relations', source.id, 'chosen'],
          ['Relations', 'all', 'judged'],
        ]
      : []),
    ['Questions', question.name, 'sql'],
  ]
  return `  ${idOf(question, source)}:
    Type: AWS::Athena::NamedQuery
    Properties:
      Name: ${source.id} ${question.name}
      Description: ${JSON.stringify(question.purpose)}
      Database: !Ref Database
      WorkGroup: !Ref Workgroup
      QueryString: !Join ["\\n", [${parts.map((path) => `!FindInMap [${path.join(', ')}]`).join(', ')}]]
`
}

const indented = (text: string, by: number): string => text.replace(/^(?!$)/gm, ' '.repeat(by))
