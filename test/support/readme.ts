import type { Command } from '../../scripts/cli/command.ts'
import { helpText } from '../../scripts/cli/help.ts'

const open = (name: string): string => `<!-- options:${name} -->`
const close = (name: string): string => `<!-- /options:${name} -->`

/** The generated section of a script, markers included. */
export const sectionOf = (command: Command): string =>
  `${open(command.name)}\n\`\`\`\n${helpText(command)}\`\`\`\n${close(command.name)}`

/** Replaces the generated sections of a README. A script without one is an error: only a person knows where it belongs. */
export function withOptions(readme: string, commands: readonly Command[]): string {
  return commands.reduce((text, command) => {
    const old = sectionIn(text, command.name)
    if (old === undefined) throw new Error(`README.md has no section ${open(command.name)} … ${close(command.name)}`)
    return text.replace(old, () => sectionOf(command))
  }, readme)
}

/** The section of a script as it stands in a README, markers included. */
export function sectionIn(readme: string, name: string): string | undefined {
  const [start, end] = [readme.indexOf(open(name)), readme.indexOf(close(name))]
  return start === -1 || end < start ? undefined : readme.slice(start, end + close(name).length)
}
