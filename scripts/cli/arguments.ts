import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { UsageError } from './errors.ts'
import { suggestion } from './nearest.ts'
import { kebab, type OptionSpecs } from './options.ts'

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

/** Parses strictly: an unknown or repeated option, a missing value and a stray word are usage errors that name the nearest valid option. */
export function parseArguments(args: readonly string[], specs: OptionSpecs): RawValues {
  const keyOf = new Map(Object.keys(specs).map((key) => [kebab(key), key]))
  const values: RawValues = {}
  for (const token of tokensOf(args, specs)) {
    if (token.kind === 'positional')
      throw new UsageError(`stray argument "${token.value}"`, 'every input is an option: see --help')
    if (token.kind === 'option-terminator') continue
    const { name, rawName, value, inlineValue } = token
    const key = keyOf.get(name)
    const spec = key === undefined ? undefined : specs[key]
    if (key === undefined || spec === undefined) throw unknown(rawName, [...keyOf.keys()])
    if (spec.kind === 'flag') {
      values[key] = value ?? 'true'
      continue
    }
    if (value === undefined) throw new UsageError(`${rawName} needs a value: ${rawName} ${spec.value ?? 'TEXT'}`)
    if (!inlineValue && value.startsWith('--'))
      throw new UsageError(
        `${rawName} needs a value, and "${value}" looks like an option`,
        `if it is the value, write ${rawName}=${value}`,
      )
    if (spec.kind === 'list') values[key] = [...((values[key] as string[] | undefined) ?? []), ...value.split(',')]
    else if (values[key] !== undefined) throw new UsageError(`${rawName} is given twice`)
    else values[key] = value
  }
  return values
}

function tokensOf(args: readonly string[], specs: OptionSpecs) {
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {}
  for (const [key, spec] of Object.entries(specs))
    options[kebab(key)] = {
      type: spec.kind === 'flag' ? 'boolean' : 'string',
      ...(spec.short && { short: spec.short }),
    }
  return parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true }).tokens
}

function unknown(rawName: string, names: string[]): UsageError {
  const hint = rawName.startsWith('--')
    ? suggestion(rawName.slice(2), names).replace(/mean (.*)\?$/, 'mean --$1?')
    : undefined
  return new UsageError(`unknown option ${rawName}`, hint?.startsWith('valid') ? 'see --help for what is valid' : hint)
}
