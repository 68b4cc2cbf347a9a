import { readdir, readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { UsageError } from '../lib/cli/errors.ts'
import { suggestion } from '../lib/cli/nearest.ts'
import { fill, placeholdersOf } from '../lib/engines/render.ts'
import type { Source } from '../lib/sources/source.ts'

/** A text that asks something of a run's relations. */
export interface Question {
  /** File name without its end. */
  readonly name: string
  readonly path: string
  readonly text: string
  /** The first comment: what is asked. */
  readonly purpose: string
  /** The only source that it can be asked of, where it is one's own. */
  readonly source: string | undefined
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const EXPLORE = `${ROOT}sql/explore/`

/** The questions that come with prestage, in order of their names. */
export async function questions(): Promise<Question[]> {
  const files = (await readdir(EXPLORE)).filter((file) => file.endsWith('.sql')).sort()
  return Promise.all(files.map(async (file) => questionOf(EXPLORE + file, await readFile(EXPLORE + file, 'utf8'))))
}

/**
 * The question in a file: as it is named from the current folder, else from the project's root, else by its bare name.
 * @throws UsageError naming the nearest one
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

/** What a question may take besides relations: the window, in milliseconds since 1970. */
interface Span {
  readonly from: Date
  readonly to: Date
  readonly cutoff: Date
}

/** Which relations a question names. */
export interface Asked {
  readonly sql: string
  readonly accesses: boolean
  readonly classified: boolean
}

/** The statement of a question, and what it is over. @throws UsageError when it cannot be asked of this source, or of any */
export function statementOf(question: Question, source: Source, span: Span): Asked {
  if (question.source !== undefined && question.source !== source.id)
    throw new UsageError(
      `${question.name} is about ${question.source}, and the run has ${source.id}`,
      'npx zx scripts/query.mjs lists the questions of each source',
    )
  const values = {
    from: String(span.from.getTime()),
    to: String(span.to.getTime()),
    cutoff: String(span.cutoff.getTime()),
  }
  const unknown = placeholdersOf(question.text).filter((name) => !Object.hasOwn(values, name))
  if (unknown.length > 0)
    throw new UsageError(
      `${question.path} has {{${unknown.join('}}, {{')}}}, and only {{from}}, {{to}} and {{cutoff}} are known here`,
      'write the value itself into the text',
    )
  const sql = fill(question.text, values, question.path)
  // What stands in a text or in a remark names nothing and ends nothing.
  const bare = sql.replace(/--[^\n]*|'(?:[^']|'')*'/g, "''")
  // Wherever it stands, also behind a comma: a relation too many is made in vain, one too few is missed.
  const named = (relation: string) => new RegExp(`\\b${relation}\\b`, 'i').test(bare)
  const asked = { sql, accesses: named('accesses'), classified: named('classified') }
  if (!/^\s*(select|with)\b/i.test(sql) || bare.includes(';'))
    throw new UsageError(`${question.path} is not one query`, 'it must be a single SELECT')
  if (!asked.accesses && !asked.classified)
    throw new UsageError(`${question.path} asks nothing of the run`, 'select from accesses or from classified')
  return asked
}
