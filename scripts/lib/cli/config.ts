import { existsSync, readFileSync } from 'node:fs'
import * as v from 'valibot'
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml'
import { messageOf, UsageError } from './errors.ts'
import { suggestion } from './nearest.ts'

const said =
  (expected: string) =>
  ({ input }: { input: unknown }): string =>
    input === null ? 'has no value: write one or delete the line' : expected
const word = v.string(said('must be text; put it in quotes, or YAML turns it into a number'))
const words = v.union(
  [word, v.array(word)],
  said('must be text or a list of texts; put ids in quotes, or YAML turns them into numbers'),
)
const number = (expected: string) => v.pipe(v.number(said(expected)), v.finite(expected))
const amount = number('must be a number')
const truth = v.boolean(said('must be true or false'))
const wordOrAmount = 'must be text or a number'

/** Settings that may stand in the configuration file or in a PRESTAGE_… variable. What confirms, repeats or picks a run may not. */
const configSchema = v.object({
  workspace: v.optional(word),
  stack: v.optional(word),
  profile: v.optional(word),
  'aws-region': v.optional(word),
  'endpoint-url': v.optional(word),
  source: v.optional(words),
  logs: v.optional(word),
  account: v.optional(words),
  region: v.optional(words),
  'batch-role': v.optional(word),
  'sagemaker-role': v.optional(word),
  'kms-key': v.optional(word),
  concurrency: v.optional(amount),
  entity: v.optional(word),
  holdout: v.optional(v.union([word, number(wordOrAmount)], said(wordOrAmount))),
  'include-private': v.optional(truth),
  dedupe: v.optional(truth),
  workgroup: v.optional(word),
  database: v.optional(word),
  'query-timeout': v.optional(amount),
  'alerts-per-day': v.optional(amount),
  allow: v.optional(words),
  networks: v.optional(words),
  'max-cost': v.optional(amount),
  output: v.optional(word),
})

/** A setting as it would be typed, and the line of the file that it stands in. */
export interface ConfigSetting {
  readonly value: string | string[]
  readonly line: number
}

/** Names a setting may have in the file and, in capitals, in the environment. */
export const configNames: readonly string[] = Object.keys(configSchema.entries)

/** Reads and checks a configuration file; an unknown key is an error that names the nearest valid one. */
export function readConfig(path: string): Record<string, ConfigSetting> {
  const { content, lines } = load(path)
  const given = content ?? {}
  if (typeof given !== 'object' || Array.isArray(given))
    throw new UsageError(`configuration ${path}: the file must hold lines of the form "name: value"`)
  const checked = v.safeParse(configSchema, given)
  const wrong = checked.issues?.map((issue) => `${v.getDotPath(issue)} ${issue.message}`) ?? []
  const unknown = Object.keys(given).filter((key) => !configNames.includes(key))
  const mistakes = [...wrong, ...unknown.map((key) => `unknown setting "${key}" (${suggestion(key, configNames)})`)]
  if (!checked.success || mistakes.length > 0) throw new UsageError(`configuration ${path}: ${mistakes.join('; ')}`)
  return Object.fromEntries(
    Object.entries(checked.output).map(([name, value]) => [
      name,
      { value: Array.isArray(value) ? value : String(value), line: lines.get(name) ?? 1 },
    ]),
  )
}

function load(path: string): { content: unknown; lines: Map<string, number> } {
  if (!existsSync(path)) throw new UsageError(`configuration ${path}: no such file`)
  const text = attempt(path, 'cannot be read', () => readFileSync(path, 'utf8'))
  const lineCounter = new LineCounter()
  return attempt(path, 'not valid YAML', () => {
    const document = parseDocument(text, { lineCounter })
    // A tag that YAML does not know is only a warning to the library.
    const [mistake] = [...document.errors, ...document.warnings]
    if (mistake !== undefined) throw mistake
    const lines = new Map<string, number>()
    for (const { key } of isMap(document.contents) ? document.contents.items : [])
      if (isScalar(key)) lines.set(String(key.value), lineCounter.linePos(key.range?.[0] ?? 0).line)
    return { content: document.toJS(), lines }
  })
}

function attempt<T>(path: string, failure: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new UsageError(`configuration ${path}: ${failure}: ${messageOf(error)}`)
  }
}
