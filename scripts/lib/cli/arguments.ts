import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { UsageError } from './errors.ts'
import { nearest } from './nearest.ts'
import { kebab, type Option, type OptionSpecs } from './options.ts'

/** What was typed: camelCase keys, values still text. A flag's value is `true` or `false` in words. */
export type RawValues = Record<string, string | string[]>

/**
 * The arguments that belong to the script itself. Under zx its own flags stand before the script's path in `argv`,
 * so the script is looked for by its real path; the same code serves `zx`, `node` and the shebang.
 */
export function argumentsOf(entry: string, argv: readonly string[]): string[] {
  const script = realPath(fileURLToPath(entry))
  const at = argv.findIndex((argument, index) => index > 0 && realPath(argument) === script)
  return argv.slice(at === -1 ? 2 : at + 1)
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

/** Parses strictly: an unknown or contradictory option, a missing value and a stray word are usage errors that say what is valid. */
export function parseArguments(args: readonly string[], specs: OptionSpecs): RawValues {
  const named = Object.keys(specs).filter((key) => specs[key]?.argument !== true)
  const [argument] = Object.keys(specs).filter((key) => !named.includes(key))
  const keyOf = new Map(named.map((key) => [kebab(key), key]))
  const values: RawValues = {}
  for (const token of tokensOf(args, specs)) {
    if (token.kind === 'positional') {
      if (argument === undefined || values[argument] !== undefined) throw stray(token.value, argument)
      values[argument] = token.value
      continue
    }
    if (token.kind === 'option-terminator') continue
    const { name, rawName } = token
    const key = keyOf.get(name)
    const spec = key === undefined ? undefined : specs[key]
    if (key === undefined || spec === undefined) throw unknown(rawName, args[token.index] ?? rawName, [...keyOf.keys()])
    const value = spec.kind === 'flag' ? (token.value ?? 'true') : textOf(token, spec)
    const before = values[key]
    if (spec.kind === 'list') values[key] = [before ?? [], splitList(value)].flat()
    // A switch may be repeated, but not say yes and no.
    else if (before !== undefined && !(spec.kind === 'flag' && before === value))
      throw new UsageError(`--${name} is given twice`)
    else values[key] = value
  }
  return values
}

const stray = (word: string, argument: string | undefined): UsageError =>
  new UsageError(
    `stray argument "${word}"`,
    argument === undefined ? 'every input is an option: see --help' : 'there is one already: see --help',
  )

/** What would have to be typed for these options; the inverse of `parseArguments`, but for names that no option has. */
export function argumentsOfOptions(options: Readonly<Record<string, unknown>>, specs: OptionSpecs): string[] {
  const named: string[] = []
  const words: string[] = []
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined) continue
    if (specs[key]?.argument) words.push(String(value))
    else named.push(...[value].flat().map((one) => `--${kebab(key)}=${one instanceof Date ? one.toISOString() : one}`))
  }
  return words.length === 0 ? named : [...named, '--', ...words]
}

/** `a, b` → `a`, `b` */
export const splitList = (text: string): string[] => text.split(',').map((part) => part.trim())

interface OptionToken {
  readonly rawName: string
  readonly value: string | undefined
  readonly inlineValue: boolean | undefined
}

function textOf({ rawName, value, inlineValue }: OptionToken, spec: Option<unknown>): string {
  const wanted = spec.value ?? 'TEXT'
  if (value === undefined) throw new UsageError(`${rawName} needs a value: ${rawName} ${wanted}`)
  // Else `--run -n` would take the dry run for a name.
  if (!inlineValue && /^-[^\d.]/.test(value))
    throw new UsageError(
      `${rawName} needs a value (${wanted}), and "${value}" looks like an option`,
      `if it is the value, write ${rawName.startsWith('--') ? `${rawName}=` : rawName}${value}`,
    )
  return value
}

function tokensOf(args: readonly string[], specs: OptionSpecs) {
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {}
  for (const [key, spec] of Object.entries(specs).filter(([, { argument }]) => !argument))
    options[kebab(key)] = {
      type: spec.kind === 'flag' ? 'boolean' : 'string',
      ...(spec.short && { short: spec.short }),
    }
  return parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true }).tokens
}

/** `-dry-run` is read as a group of short options; what was typed says better what was meant. */
function unknown(rawName: string, typed: string, names: string[]): UsageError {
  const [whole = typed] = typed.split('=')
  const word = rawName.startsWith('--') || whole.length > 2 ? whole.replace(/^-+/, '') : ''
  const near = word === '' ? undefined : nearest(word, names)
  const shown = word === '' ? rawName : whole
  return new UsageError(
    `unknown option ${shown}`,
    near === undefined ? 'see --help for what is valid' : `did you mean --${near}?`,
  )
}
