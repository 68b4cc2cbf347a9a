import type { Command } from '../../scripts/lib/cli/command.ts'
import { ownHelp, sharedHelp } from '../../scripts/lib/cli/help.ts'

const open = (name: string): string => `<!-- options:${name} -->`
const close = (name: string): string => `<!-- /options:${name} -->`

/** The generated section of a script, markers included. */
export const sectionOf = (command: Command): string => section(command.name, ownHelp(command))

/** The section of what all scripts have alike. */
export const SHARED = 'every-script'
export const sharedSection = (): string => section(SHARED, sharedHelp())

const section = (name: string, text: string): string => `${open(name)}\n\`\`\`\n${text}\`\`\`\n${close(name)}`

/** Replaces the generated sections of a README. A script without one is an error: only a person knows where it belongs. */
export function withOptions(readme: string, commands: readonly Command[]): string {
  const sections = [
    ...commands.map((command) => [command.name, sectionOf(command)] as const),
    [SHARED, sharedSection()] as const,
  ]
  return sections.reduce((text, [name, fresh]) => {
    const old = sectionIn(text, name)
    if (old === undefined) throw new Error(`README.md has no section ${open(name)} … ${close(name)}`)
    return text.replace(old, () => fresh)
  }, readme)
}

/** The section of a script as it stands in a README, markers included. */
export function sectionIn(readme: string, name: string): string | undefined {
  const [start, end] = [readme.indexOf(open(name)), readme.indexOf(close(name))]
  return start === -1 || end < start ? undefined : readme.slice(start, end + close(name).length)
}
