import * as v from 'valibot'
import { misfits } from './errors.ts'

// Kinds of fields in files and answers from outside, where valibot's own take more or less than is meant.

/** A number as JSON means it: 1e999 is none. */
export const number = v.pipe(v.number(), v.finite())

/** A count, or a size in bytes. */
export const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0))

/** A list that nobody changes. */
export const listOf = <S extends v.GenericSchema>(item: S) => v.pipe(v.array(item), v.readonly())

const CLOCK = /^\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?Z$/

/** ISO 8601 in UTC, on a day that exists: `2026-11-01T00:00:00Z`, with or without fractions of a second. */
export const time = v.pipe(
  v.string(),
  v.check((text) => CLOCK.test(text) && isDay(text.slice(0, 10)), 'time such as 2026-11-01T00:00:00Z'),
)

/** `2026-02-30` is none. */
function isDay(day: string): boolean {
  const midnight = new Date(`${day}T00:00:00Z`)
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day)
}

/** As v.record, but a list is none, and no member is left out: v.record drops one that is called `constructor`. */
export const record = <K extends v.GenericSchema<string, string>, V extends v.GenericSchema>(key: K, value: V) =>
  v.pipe(
    v.custom<Record<string, unknown>>(isObject, 'object'),
    // A member that would be taken for a prototype is nobody's.
    v.transform((members) => new Map(Object.entries(members).filter(([name]) => name !== '__proto__'))),
    v.map(key, value),
    v.transform((members) => Object.fromEntries(members)),
  )

const isObject = (given: unknown): boolean => typeof given === 'object' && given !== null && !Array.isArray(given)

/** An object whose members may all be missing. v.strictObject takes a list for one. */
export const optionalMembers = <E extends v.ObjectEntries>(entries: E) =>
  v.pipe(v.custom<Record<string, unknown>>(isObject, 'object'), v.strictObject(entries))

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json }

/** Whatever JSON can hold. */
export const json: v.GenericSchema<unknown, Json> = v.union([
  v.string(),
  number,
  v.boolean(),
  v.null(),
  v.array(v.lazy(() => json)),
  record(
    v.string(),
    v.lazy(() => json),
  ),
])

/** What came from outside, in its form. @throws Error that says what does not fit, and where */
export function fitted<S extends v.GenericSchema>(form: S, given: unknown): v.InferOutput<S> {
  const result = v.safeParse(form, given)
  if (result.success) return result.output
  throw new Error(misfits(result.issues))
}
