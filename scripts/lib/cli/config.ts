import { existsSync, readFileSync } from 'node:fs'
import * as v from 'valibot'
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
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

/** Sections of the file that are no settings: whoever reads them checks them. */
const SECTIONS = ['sources'] as const

/** A part of a configuration file that is more than a setting. */
export interface ConfigSection {
  readonly file: string
  readonly content: unknown
  /** The line of what lies at these keys, or of the nearest thing around it. */
  lineOf(keys: readonly unknown[]): number
}

/** A setting as it would be typed, and the line of the file that it stands in. */
export interface ConfigSetting {
  readonly value: string | string[]
  readonly line: number
}

/** Names a setting may have in the file and, in capitals, in the environment. */
export const configNames: readonly string[] = Object.keys(configSchema.entries)

/** Reads and checks a configuration file; an unknown key is an error that names the nearest valid one. Sections are left out. */
export function readConfig(path: string): Record<string, ConfigSetting> {
  const { content, lineOf } = load(path)
  const given = content ?? {}
  if (typeof given !== 'object' || Array.isArray(given))
    throw new UsageError(`configuration ${path}: the file must hold lines of the form "name: value"`)
  const checked = v.safeParse(configSchema, given)
  const unknown = Object.keys(given).filter((key) => ![...configNames, ...SECTIONS].includes(key))
  const mistakes = [
    ...(checked.issues ?? []).map((issue) => ({
      line: lineOf(issue.path?.map(({ key }) => key) ?? []),
      what: `${v.getDotPath(issue)} ${issue.message}`,
    })),
    ...unknown.map((key) => ({
      line: lineOf([key]),
      what: `unknown setting "${key}" (${suggestion(key, [...configNames, ...SECTIONS])})`,
    })),
  ]
  if (!checked.success || mistakes.length > 0)
    throw new UsageError(
      `configuration ${path}: ${mistakes
        .sort((a, b) => a.line - b.line)
        .map(({ line, what }) => `line ${line}: ${what}`)
        .join('; ')}`,
    )
  return Object.fromEntries(
    Object.entries(checked.output).map(([name, value]) => [
      name,
      { value: Array.isArray(value) ? value : String(value), line: lineOf([name]) },
    ]),
  )
}

/** A section of a configuration file, as it stands there; undefined if the file has none. */
export function readSection(path: string, name: (typeof SECTIONS)[number]): ConfigSection | undefined {
  const { content, lineOf } = load(path)
  const inside = typeof content === 'object' && content !== null ? Object.entries(content) : []
  const section = inside.find(([key]) => key === name)
  return section && { file: path, content: section[1], lineOf: (keys) => lineOf([name, ...keys]) }
}

function load(path: string): { content: unknown; lineOf: ConfigSection['lineOf'] } {
  if (!existsSync(path)) throw new UsageError(`configuration ${path}: no such file`)
  const text = attempt(path, 'cannot be read', () => readFileSync(path, 'utf8'))
  const lineCounter = new LineCounter()
  return attempt(path, 'not valid YAML', () => {
    const document = parseDocument(text, { lineCounter })
    // A tag that YAML does not know is only a warning to the library.
    const [mistake] = [...document.errors, ...document.warnings]
    if (mistake !== undefined) throw mistake
    return { content: document.toJS(), lineOf: (keys) => lineCounter.linePos(placeOf(document.contents, keys)).line }
  })
}

/** Where in the text something stands. */
function placeOf(root: unknown, keys: readonly unknown[]): number {
  let [node, place] = [root, 0]
  for (const key of keys) {
    const pair = isMap(node)
      ? node.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
      : undefined
    const next = pair === undefined ? (isSeq(node) ? node.items[Number(key)] : undefined) : pair.value
    const start = pair === undefined ? next : pair.key
    if (!isNode(start)) return place
    place = start.range?.[0] ?? place
    node = next
  }
  return place
}

function attempt<T>(path: string, failure: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new UsageError(`configuration ${path}: ${failure}: ${messageOf(error)}`)
  }
}
