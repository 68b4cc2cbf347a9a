import { existsSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import * as z from 'zod'
import { messageOf, UsageError } from './errors.ts'
import { suggestion } from './nearest.ts'

const said = (expected: string) => ({
  error: ({ input }: { input?: unknown }) => (input === null ? 'has no value: write one or delete the line' : expected),
})
const word = z.string(said('must be text; put it in quotes, or YAML turns it into a number'))
const words = z.union(
  [word, z.array(word)],
  said('must be text or a list of texts; put ids in quotes, or YAML turns them into numbers'),
)
const amount = z.number(said('must be a number'))
const truth = z.boolean(said('must be true or false'))

/** Settings that may stand in the configuration file or in a PRESTAGE_… variable. What confirms, repeats or picks a run may not. */
const configSchema = z.strictObject({
  workspace: word.optional(),
  stack: word.optional(),
  profile: word.optional(),
  'aws-region': word.optional(),
  'endpoint-url': word.optional(),
  source: words.optional(),
  logs: word.optional(),
  account: words.optional(),
  region: words.optional(),
  'batch-role': word.optional(),
  'sagemaker-role': word.optional(),
  'kms-key': word.optional(),
  concurrency: amount.optional(),
  entity: word.optional(),
  holdout: z.union([word, amount], said('must be text or a number')).optional(),
  'include-private': truth.optional(),
  dedupe: truth.optional(),
  workgroup: word.optional(),
  database: word.optional(),
  'query-timeout': amount.optional(),
  'alerts-per-day': amount.optional(),
  allow: words.optional(),
  'max-cost': amount.optional(),
  output: word.optional(),
})

export type ConfigValues = Record<string, string | string[]>

/** Names a setting may have in the file and, in capitals, in the environment. */
export const configNames: readonly string[] = Object.keys(configSchema.shape)

/** Reads and checks a configuration file; an unknown key is an error that names the nearest valid one. */
export function readConfig(path: string): ConfigValues {
  const checked = configSchema.safeParse(load(path) ?? {})
  if (!checked.success) throw new UsageError(`configuration ${path}: ${checked.error.issues.map(explain).join('; ')}`)
  return Object.fromEntries(
    Object.entries(checked.data).map(([name, value]) => [name, Array.isArray(value) ? value : String(value)]),
  )
}

function load(path: string): unknown {
  if (!existsSync(path)) throw new UsageError(`configuration ${path}: no such file`)
  const text = attempt(path, 'cannot be read', () => readFileSync(path, 'utf8'))
  return attempt(path, 'not valid YAML', () => parse(text))
}

function attempt<T>(path: string, failure: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new UsageError(`configuration ${path}: ${failure}: ${messageOf(error)}`)
  }
}

function explain(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `unknown setting "${key}" (${suggestion(key, configNames)})`).join('; ')
  if (issue.path.length === 0) return 'the file must hold lines of the form "name: value"'
  return `${issue.path.join('.')} ${issue.message}`
}
