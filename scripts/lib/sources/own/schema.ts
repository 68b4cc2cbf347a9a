import * as v from 'valibot'
import { isZone } from '../zone.ts'
import { COLUMN_TYPES, FORMATS, TIME_FORMATS } from './mapping.ts'
import { checkTemplate } from './template.ts'

const said =
  (expected: string) =>
  ({ input }: { input: unknown }): string =>
    input === undefined ? 'is missing' : input === null ? 'has no value' : expected

const text = v.pipe(
  v.string(said('must be text; put it in quotes, or YAML turns it into something else')),
  v.minLength(1, 'must not be empty'),
)
const minutes = (what: string) => {
  const message = `must be a whole number of ${what}, up to 100,000`
  return v.pipe(v.number(said(message)), v.integer(message), v.minValue(0, message), v.maxValue(100_000, message))
}

/** Columns of `accesses` and `classified` that every source has. */
const TAKEN = ['event-time', 'event-id', 'ip', 'drop-reason', 'entity', 'part', 'run']
const columnName = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9-]*$/, 'must be a name of lower-case letters, digits and hyphens'),
  v.check((name) => !TAKEN.includes(name), 'is the name of a column that every source has'),
)

/** What is wrong with a value, as `check` throws it. */
const checked = (check: (value: string) => void) =>
  v.rawCheck<string>(({ dataset, addIssue }) => {
    if (!dataset.typed) return
    try {
      check(dataset.value)
    } catch (error) {
      addIssue({ message: error instanceof Error ? error.message : String(error) })
    }
  })

const choice = <const W extends readonly string[]>(words: W) =>
  v.picklist(words, said(`must be one of ${words.join(', ')}`))
const fields = v.record(columnName, text, said('must be lines of the form "name: value"'))

const placed = {
  keys: v.optional(v.pipe(text, checked(checkTemplate))),
  zone: v.optional(v.pipe(text, v.check(isZone, 'is no time zone of the IANA database, such as Europe/Berlin'))),
  before: v.optional(minutes('minutes')),
  after: v.optional(minutes('minutes')),
  late: v.optional(minutes('hours')),
}

/** Further keys of a source that comes with prestage. */
export const keysSchema = v.strictObject(placed)

const common = {
  ...placed,
  entities: v.optional(fields),
  details: v.optional(fields),
}

/** A source whose records are mapped by the file alone. */
export const mappedSchema = v.strictObject({
  ...common,
  format: v.optional(choice(FORMATS)),
  time: v.optional(text),
  'time-format': v.optional(choice(TIME_FORMATS)),
  address: v.optional(text),
  addresses: v.optional(fields),
  id: v.optional(text),
  columns: v.optional(v.array(text, said('must be a list of names'))),
  separator: v.optional(choice([',', ';', '|', '\t'])),
  header: v.optional(v.boolean(said('must be true or false'))),
  types: v.optional(v.record(v.string(), choice(COLUMN_TYPES), said('must be lines of the form "member: type"'))),
})

/** A source with SQL of its own. */
export const writtenSchema = v.strictObject({
  ...common,
  sql: text,
  members: v.record(
    v.pipe(v.string(), v.regex(/^[A-Za-z_]\w*$/, 'must be the name of a member')),
    text,
    said('must be lines of the form "member: type"'),
  ),
})

export type Keys = v.InferOutput<typeof keysSchema>
export type Mapped = v.InferOutput<typeof mappedSchema>
export type Written = v.InferOutput<typeof writtenSchema>
