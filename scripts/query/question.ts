import { readdir, readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Context } from '../lib/cli/command.ts'
import { UsageError } from '../lib/cli/errors.ts'
import { suggestion } from '../lib/cli/nearest.ts'
import {
  addressSql,
  type Engine,
  type ExtractSettings,
  fill,
  identifier,
  literal,
  placeholdersOf,
} from '../lib/engines/render.ts'
import { encodeEntity } from '../lib/insights/entity-codec.ts'
import { formatAddress, parseAddress } from '../lib/insights/ipv6.ts'
import type { Run } from '../lib/runs/run.ts'
import type { Source } from '../lib/sources/source.ts'

/** A text that asks something about a run's relations. */
export interface Question {
  /** File name without `.sql`. */
  readonly name: string
  readonly path: string
  readonly text: string
  /** What is asked: the first comment. */
  readonly purpose: string
  /** The only source that it is about; undefined when it is about any. */
  readonly source: string | undefined
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const EXPLORE = `${ROOT}sql/explore/`

/** The questions that come with prestage, by name. */
export async function questions(): Promise<Question[]> {
  const files = (await readdir(EXPLORE)).filter((file) => file.endsWith('.sql')).sort()
  return Promise.all(files.map(async (file) => questionOf(EXPLORE + file, await readFile(EXPLORE + file, 'utf8'))))
}

/**
 * Finds a question: a file in the current folder, a file in the project's folder, or the bare name of one that comes with prestage.
 * @throws UsageError naming the most similar one
 */
export async function findQuestion(named: string): Promise<Question> {
  for (const path of [resolve(named), `${ROOT}${named}`, `${EXPLORE}${named}.sql`]) {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (['ENOENT', 'EISDIR', 'ENOTDIR'].includes(error.code ?? '')) return undefined
      throw error
    })
    if (text !== undefined) return questionOf(path, text)
  }
  const known = (await questions()).map(({ name }) => `sql/explore/${name}.sql`)
  throw new UsageError(`there is no file ${named}`, suggestion(named, known))
}

function questionOf(path: string, text: string): Question {
  const [, name = path] = /([^/\\]+?)(?:\.sql)?$/.exec(path) ?? []
  const comments = text.split('\n').flatMap((line) => /^--\s?(.*)$/.exec(line)?.[1] ?? [])
  return {
    name,
    path,
    text,
    purpose: comments[0] ?? '',
    source: comments.flatMap((line) => /^Source: (\w+)/.exec(line)?.[1] ?? [])[0],
  }
}

/** What a question may name. */
interface Named {
  /** One of the source's entity choices. */
  readonly entity: string
  readonly from: Date
  readonly to: Date
  readonly cutoff: Date
  /** An entity of `classified`, as in the logs. */
  readonly entityName?: string | undefined
  readonly ip?: string | undefined
}

/** A question as SQL, and the relations that it names. */
export interface Statement {
  readonly sql: string
  readonly accesses: boolean
  readonly classified: boolean
  /** How often it reads one of them. Athena works a relation out again wherever it is named, and scans the logs each time. */
  readonly scans: number
}

/** The options that give a question what the run does not have. */
const GIVEN = {
  entity: '--entity-name NAME',
  entity_name: '--entity-name NAME',
  ip: '--ip ADDRESS',
  address: '--ip ADDRESS',
} as const

/** As the relations have it; what is no address finds nothing. */
function canonical(ip: string): string {
  const address = parseAddress(ip)
  return address === undefined ? ip : formatAddress(address)
}

/** Questions about one source, and what asks much the same of any. */
const ALIKE: Readonly<Record<string, string>> = {
  'entity-calls': 'entity-accesses',
  'entity-requests': 'entity-accesses',
  'entity-calls-around': 'entity-accesses-around',
  'entity-requests-around': 'entity-accesses-around',
}

/** The statement of a question. @throws UsageError when it cannot be asked about this source, or about any */
export function statementOf(question: Question, source: Source, named: Named, engine: Engine): Statement {
  if (question.source !== undefined && question.source !== source.id) {
    const anySource = ALIKE[question.name]
    throw new UsageError(
      `${question.name} is about ${question.source}, and the run has ${source.id}`,
      anySource === undefined
        ? 'npx zx scripts/query.mjs lists the questions of each source'
        : `sql/explore/${anySource}.sql asks that of any source`,
    )
  }
  const values = {
    from: String(named.from.getTime()),
    to: String(named.to.getTime()),
    cutoff: String(named.cutoff.getTime()),
    aspects: Object.entries(source.aspects)
      .map(([name, sql]) => `${sql} as ${identifier(name)}`)
      .join(', '),
    entity_column: identifier(source.entities[named.entity]?.column ?? named.entity),
    ...(named.entityName !== undefined && {
      entity: literal(encodeEntity(named.entityName)),
      entity_name: literal(named.entityName),
    }),
    ...(named.ip !== undefined && { ip: literal(canonical(named.ip)), address: addressSql(engine) }),
  }
  const unknown = placeholdersOf(question.text).filter((name) => !Object.hasOwn(values, name))
  const missing = unknown.find((name): name is keyof typeof GIVEN => Object.hasOwn(GIVEN, name))
  if (missing !== undefined)
    throw new UsageError(
      `${question.name} is about one ${missing === 'ip' || missing === 'address' ? 'address' : 'entity'}`,
      `add ${GIVEN[missing]}`,
    )
  if (unknown.length > 0)
    throw new UsageError(
      `${question.path} has {{${unknown.join('}}, {{')}}}, and only {{from}}, {{to}}, {{cutoff}}, {{entity}}, {{entity_name}}, {{entity_column}}, {{aspects}}, {{ip}} and {{address}} are known here`,
      'write the value itself into the text',
    )
  const sql = fill(question.text, values, question.path)
  // Literals and comments name no relation and end no statement.
  const bare = sql.replace(/--[^\n]*|'(?:[^']|'')*'/g, "''")
  // Anywhere in the text: a superfluous relation only costs time, a missing one is an error.
  const reads = (relation: string) => new RegExp(`\\b${relation}\\b`, 'i').test(bare)
  const scans = Math.max(1, bare.match(/\b(from|join)\s+"?(accesses|classified)\b/gi)?.length ?? 0)
  const statement = { sql, accesses: reads('accesses'), classified: reads('classified'), scans }
  if (!/^\s*(select|with)\b/i.test(sql) || bare.includes(';'))
    throw new UsageError(`${question.path} is not one query`, 'it must be a single SELECT')
  if (!statement.accesses && !statement.classified)
    throw new UsageError(`${question.path} asks nothing of the run`, 'select from accesses or from classified')
  return statement
}

/** A statement that is to be answered. */
export interface Query {
  readonly context: Context
  readonly run: Run
  readonly settings: ExtractSettings
  readonly statement: Statement
}
