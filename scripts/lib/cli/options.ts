import { nearest } from './nearest.ts'

/** Declarations of options. A command's options are a record of these; keys are camelCase, flags are their kebab-case. */

export interface Option<T> {
  readonly kind: 'text' | 'list' | 'flag'
  readonly about: string
  /** Placeholder of the value in help, for example `TIME`. */
  readonly value?: string
  readonly short?: string
  /** Text of the default as help shows it. */
  readonly defaultText?: string
  readonly fallback?: T
  readonly required?: boolean
  /** Typed as a bare word, without its name. A command has one at most. */
  readonly argument?: boolean
  /** With it the script works on this machine alone, and takes no settings from a stack. */
  readonly offline?: boolean
  /** Turns the text of a flag, variable or configuration entry into the value; throws an Error that says what is valid. */
  parse(text: string): unknown
}

export type OptionSpecs = Readonly<Record<string, Option<unknown>>>
export type Values<S extends OptionSpecs> = { readonly [K in keyof S]: S[K] extends Option<infer T> ? T : never }

interface Basics {
  about: string
  offline?: boolean
  value?: string
  short?: string
  required?: boolean
}

/** One text value. Absent it is undefined, unless a default is given. */
export function text(basics: Basics & { default: string }): Option<string>
export function text(basics: Basics & { required: true }): Option<string>
export function text(basics: Basics): Option<string | undefined>
export function text(basics: Basics & { default?: string }): Option<string | undefined> {
  return option('text', { ...basics, parse: nonEmpty, defaultText: basics.default })
}

/** A bare word after the script, such as the file that it works on. */
export const argument = (basics: Basics & { value: string }): Option<string | undefined> => ({
  ...text(basics),
  argument: true,
})

/** One value with a parser of its own. */
export function parsed<T>(basics: Basics & { parse: (text: string) => T; default: T; defaultText: string }): Option<T>
export function parsed<T>(basics: Basics & { parse: (text: string) => T }): Option<T | undefined>
export function parsed<T>(
  basics: Basics & { parse: (text: string) => T; default?: T; defaultText?: string },
): Option<T | undefined> {
  return option('text', basics)
}

/** A repeatable value; commas separate too: `--account a --account b`, `--account a,b`. */
export function list(basics: Basics & { parse?: (text: string) => string }): Option<readonly string[]> {
  return option('list', { parse: nonEmpty, ...basics, default: [] })
}

/** A switch without a value. */
export function flag(basics: Omit<Basics, 'value' | 'required'>): Option<boolean> {
  return option('flag', { ...basics, parse: truth, default: false })
}

/** Longer lists of words stand in the explanation. */
const LONGEST_VALUE = 32

/** One of a fixed set of words. */
export function choice<const C extends string>(
  choices: readonly C[],
  basics: Basics & { default: NoInfer<C> },
): Option<C>
export function choice<const C extends string>(choices: readonly C[], basics: Basics): Option<C | undefined>
export function choice<const C extends string>(
  choices: readonly C[],
  basics: Basics & { default?: NoInfer<C> },
): Option<C | undefined> {
  const parse = (input: string): C => {
    const found = choices.find((c) => c === input)
    if (found === undefined) throw new Error(`must be one of ${choices.join(', ')}`)
    return found
  }
  return option('text', { ...basics, ...shownWords(choices, basics), parse, defaultText: basics.default })
}

/** One word of a set that is known only when values are read. */
export const word = (words: () => readonly string[], basics: Basics): Option<string | undefined> =>
  parsed({
    ...basics,
    ...shownWords(words(), basics),
    parse: (input) => {
      if (words().includes(input)) return input
      throw new Error(`must be one of ${words().join(', ')}`)
    },
  })

/** How help shows the words that an option takes. */
function shownWords(words: readonly string[], { about, value }: Basics): Partial<Basics> {
  const joined = words.join('|')
  if (value !== undefined) return {}
  return joined.length <= LONGEST_VALUE ? { value: joined } : { value: 'WORD', about: `${about}: ${words.join(', ')}` }
}

/** Words of a set; repeatable, and commas separate too. @param words a function where the set is known only when values are read */
export const choices = (
  words: readonly string[] | (() => readonly string[]),
  basics: Basics & { value: string },
): Option<readonly string[]> => {
  const known = () => (typeof words === 'function' ? words() : words)
  return list({
    ...basics,
    about: `${basics.about}: ${known().join(', ')}`,
    parse: (input) => {
      if (known().includes(input)) return input
      const near = nearest(input, known())
      throw new Error(`must be one of ${known().join(', ')}${near === undefined ? '' : `; did you mean ${near}?`}`)
    },
  })
}

interface NumberBasics extends Basics {
  min?: number
  max?: number
  integer?: boolean
}

/** A number within a range. */
export function number(basics: NumberBasics & { default: number }): Option<number>
export function number(basics: NumberBasics): Option<number | undefined>
export function number(basics: NumberBasics & { default?: number }): Option<number | undefined> {
  const { min = -Infinity, max = Infinity, integer = false } = basics
  const parse = (input: string): number => {
    const n = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(input) ? Number(input) : Number.NaN
    if (!Number.isFinite(n) || (integer && !Number.isInteger(n)) || n < min || n > max)
      throw new Error(`must be ${integer ? 'a whole number' : 'a number'}${range(min, max)}`)
    return n
  }
  return option('text', { value: 'N', ...basics, parse, defaultText: basics.default?.toString() })
}

const range = (min: number, max: number) =>
  min === -Infinity
    ? max === Infinity
      ? ''
      : ` up to ${max}`
    : max === Infinity
      ? ` from ${min} on`
      : ` from ${min} to ${max}`

function option<T>(
  kind: Option<T>['kind'],
  settings: Basics & { parse: (text: string) => unknown; default?: T; defaultText?: string | undefined },
): Option<T> {
  const { about, value, short, required, offline, parse, default: fallback, defaultText } = settings
  return {
    kind,
    about,
    parse,
    ...(value !== undefined && { value }),
    ...(short !== undefined && { short }),
    ...(required !== undefined && { required }),
    ...(offline !== undefined && { offline }),
    ...(fallback !== undefined && { fallback }),
    ...(defaultText !== undefined && { defaultText }),
  }
}

function nonEmpty(input: string): string {
  if (input === '') throw new Error('must not be empty')
  return input
}

function truth(input: string): boolean {
  if (/^(1|true|yes|on)$/i.test(input)) return true
  if (/^(0|false|no|off|)$/i.test(input)) return false
  throw new Error('must be true or false')
}

/** `alertsPerDay` → `alerts-per-day` */
export const kebab = (key: string): string => key.replace(/[A-Z]+/g, (c, at) => (at === 0 ? c : `-${c.toLowerCase()}`))

/** `alertsPerDay` → `PRESTAGE_ALERTS_PER_DAY` */
export const variable = (key: string): string => `PRESTAGE_${kebab(key).replaceAll('-', '_').toUpperCase()}`
