import { existsSync, readFileSync } from 'node:fs'
import { parseArguments } from '../../scripts/lib/cli/arguments.ts'
import { kebab } from '../../scripts/lib/cli/options.ts'
import { commandOf, scriptNames } from './commands.ts'
import { ROOT } from './run-script.ts'

/** Command lines of scripts and recipes in a text: `npx zx scripts/x.mjs --a b`, also `zx`, `node` or a plain path before. */
export function commandLinesIn(text: string): string[] {
  const joined = text.replace(/\\\n\s*/g, '')
  return [...joined.matchAll(/scripts\/(?!prestage\.mjs)(?:recipes\/)?[a-z-]+\.mjs[^\n`|>;&)\]]*/g)].map(([line]) =>
    line.replace(/\s+#.*$/, '').trim(),
  )
}

/** What is wrong with a command line; undefined when a script would take it. Values are read as the script would read them. */
export async function faultIn(line: string): Promise<string | undefined> {
  const [script = '', ...args] = wordsOf(line)
  if (script.startsWith('scripts/recipes/')) return await faultOfRecipe(script, args)
  const name = script.replace(/^scripts\/|\.mjs$/g, '')
  if (!scriptNames.includes(name)) return `${line}: no script ${name}`
  const { options } = await commandOf(name)
  try {
    for (const [key, value] of Object.entries(parseArguments(args, options)))
      for (const text of [value].flat()) if (!isPlaceholder(text)) options[key]?.parse(text)
    return undefined
  } catch (error) {
    return `${line}: ${(error as Error).message}`
  }
}

/** A recipe reads its options by itself: each that is typed must be one that it names, or one of the command to which it refers. */
async function faultOfRecipe(script: string, args: readonly string[]): Promise<string | undefined> {
  if (!existsSync(`${ROOT}${script}`)) return `there is no ${script}`
  const text = readFileSync(`${ROOT}${script}`, 'utf8')
  const commands = [...text.matchAll(/scripts\/([a-z]+)\.mjs --help/g)].map(([, name = '']) => commandOf(name))
  const known = (await Promise.all(commands)).flatMap(({ options }) => Object.keys(options).map(kebab))
  const isKnown = (option: string) => known.includes(option.slice(2)) || text.includes(`${option} `)
  const unknown = args.find((arg) => arg.startsWith('--') && !isKnown(arg.replace(/=.*/, '')))
  return unknown === undefined ? undefined : `${script} has no ${unknown}`
}

/** `ID`, `<run>`, `…`: stands for something. */
const isPlaceholder = (text: string): boolean => /^(<.*>|[A-Z][A-Z-]*|.*…)$/.test(text)

/** Words as a shell would see them, quotes gone. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)].map(([word]) => word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'))
