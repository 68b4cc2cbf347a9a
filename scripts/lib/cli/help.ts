import type { Command } from './command.ts'
import { kebab, type Option, type OptionSpecs } from './options.ts'
import { commonOptions } from './shared-options.ts'

/** Width that help is written for. */
const COLUMNS = 110

const SETTINGS = 'Settings come from flags, then PRESTAGE_… and AWS_… variables, then prestage.yaml.'

const EXIT_CODES =
  'Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 declined or confirmation needed, 4 credentials or permission, 130/143 signal.'

/** The help of one command: what it is, examples first, then options. */
export const helpText = (command: Command): string => `${ownHelp(command)}\n${sharedHelp()}`

/** The help of this command alone; docs/options.md has the same text. */
export function ownHelp(command: Command): string {
  const own = Object.entries(command.options).filter(([key]) => !(key in commonOptions))
  return joined([
    `${command.name}: ${command.summary}`,
    ...(command.description === undefined ? [] : [wrap(command.description, '')]),
    ['Examples', ...command.examples.map((example) => `  ${example.run}\n      ${example.does}`)].join('\n'),
    `Options\n${optionLines(Object.fromEntries(own))}`,
  ])
}

/** The end of the help of every command; docs/options.md has it once. */
export const sharedHelp = (): string =>
  joined([
    `Options of every script\n${optionLines(commonOptions)}`,
    [EXIT_CODES, SETTINGS].map((text) => wrap(text, '')).join('\n'),
  ])

const joined = (parts: readonly string[]): string => `${parts.join('\n\n')}\n`

function optionLines(options: OptionSpecs): string {
  const heads = Object.entries(options).map(([key, spec]) => [head(key, spec), aboutOf(spec)] as const)
  const width = Math.min(34, Math.max(...heads.map(([left]) => left.length)))
  return heads.map(([left, about]) => row(left, about, width)).join('\n')
}

function head(key: string, spec: Option<unknown>): string {
  if (spec.argument) return `  ${spec.value ?? 'WORD'}`
  const short = spec.short === undefined ? '    ' : `-${spec.short}, `
  return `  ${short}--${kebab(key)}${spec.kind === 'flag' ? '' : ` ${spec.value ?? 'TEXT'}`}`
}

function aboutOf(spec: Option<unknown>): string {
  const notes = [
    spec.required ? 'required' : '',
    spec.kind === 'list' ? 'repeatable' : '',
    spec.defaultText === undefined ? '' : `default:${GLUE}${spec.defaultText}`,
  ].filter(Boolean)
  return notes.length === 0 ? spec.about : `${spec.about} (${notes.join('; ')})`
}

function row(left: string, about: string, width: number): string {
  const indent = ' '.repeat(width + 2)
  const text = wrap(about, indent)
  return left.length > width ? `${left}\n${indent}${text}` : `${left.padEnd(width)}  ${text}`
}

/** A blank at which no line ends. */
const GLUE = '\u00a0'

function wrap(text: string, indent: string): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/[ \n]+/)) {
    if (line !== '' && indent.length + line.length + 1 + word.length > COLUMNS) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join(`\n${indent}`).replaceAll(GLUE, ' ')
}
