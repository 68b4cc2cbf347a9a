import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import * as v from 'valibot'
import { UsageError } from '../../cli/errors.ts'
import { presets } from '../presets.ts'
import { sources } from '../registry.ts'
import type { Source } from '../source.ts'
import { SOURCE_NAME, SQL_FILES } from './mapping.ts'
import type { Section } from './own.ts'
import { keysSchema, mappedSchema, writtenSchema } from './schema.ts'
import { extendedSource, Mistake, mappedSource, writtenSource } from './source.ts'

/** The sources of a section. @throws UsageError */
export function sourcesIn(section: Section): Source[] {
  const { file, content, lineOf } = section
  const refuse = (keys: readonly unknown[], message: string): never => {
    const place = ['sources', ...keys].join('.')
    throw new UsageError(
      `configuration ${file}: line ${lineOf(keys)}: ${place} ${message}`,
      'docs/sources.md says what may stand there',
    )
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    return refuse([], 'must hold a source a name')
  return Object.entries(content).map(([id, given]) => {
    if (!SOURCE_NAME.test(id))
      return refuse([id], 'must be a name of lower-case letters, digits and _, with 31 at most')
    if (id === 'files' || id === 'all') return refuse([id], 'is a name that is taken')
    try {
      return { ...sourceIn(id, given, file), given }
    } catch (error) {
      if (error instanceof Mistake) return refuse([id, ...error.keys], error.message)
      throw error
    }
  })
}

function sourceIn(id: string, given: unknown, file: string): Source {
  const known = Object.hasOwn(presets, id) ? undefined : Object.values(sources).find((source) => source.id === id)
  if (known !== undefined) return extendedSource(known, checkedBy(keysSchema, given))
  const isWritten = typeof given === 'object' && given !== null && 'sql' in given
  if (isWritten) {
    const written = checkedBy(writtenSchema, given)
    const folder = resolve(dirname(file), written.sql)
    for (const name of SQL_FILES)
      if (!existsSync(join(folder, name))) throw new Mistake(['sql'], `names a folder without ${name}: ${folder}`)
    return writtenSource(id, written, folder)
  }
  const mapped = checkedBy(mappedSchema, given)
  const preset = Object.entries(presets).find(([name]) => name === id)?.[1]
  return mappedSource(id, { ...preset, ...mapped })
}

function checkedBy<S extends typeof keysSchema | typeof mappedSchema | typeof writtenSchema>(
  schema: S,
  given: unknown,
): v.InferOutput<S> {
  const result = v.safeParse(schema, given)
  if (result.success) return result.output
  const [issue] = result.issues
  const keys = issue.path?.map(({ key }) => String(key)) ?? []
  if (issue.input === undefined) throw new Mistake(keys, 'is missing')
  if (issue.expected !== 'never')
    throw new Mistake(
      keys,
      issue.message.startsWith('Invalid ') ? 'must be lines of the form "name: value"' : issue.message,
    )
  throw new Mistake(keys, `is unknown: there are ${Object.keys(schema.entries).join(', ')}`)
}
