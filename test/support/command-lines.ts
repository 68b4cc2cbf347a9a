import { parseArguments } from '../../scripts/lib/cli/arguments.ts'
import { commandOf, scriptNames } from './commands.ts'

/** Command lines of the scripts in a text: `npx zx scripts/x.mjs --a b`, also `zx`, `node` or a plain path before. */
export function commandLinesIn(text: string): string[] {
  const joined = text.replace(/\\\n\s*/g, '')
  return [...joined.matchAll(/scripts\/[a-z-]+\.mjs[^\n`|>;&)]*/g)].map(([line]) => line.replace(/\s+#.*$/, '').trim())
}

/** What is wrong with a command line; undefined when a script would take it. Values are read as the script would read them. */
export async function faultIn(line: string): Promise<string | undefined> {
  const [script = '', ...args] = wordsOf(line)
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

/** `ID`, `<run>`, `…`: stands for something. */
const isPlaceholder = (text: string): boolean => /^(<.*>|[A-Z][A-Z-]*|.*…)$/.test(text)

/** Words as a shell would see them, quotes gone. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)].map(([word]) => word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'))
