import type { Command } from '../../scripts/lib/cli/command.ts'
import { ownHelp, sharedHelp } from '../../scripts/lib/cli/help.ts'

const HEAD = `# Options

<!-- Written by \`npm run docs\` from the help of each command; do not edit by hand. -->

\`npx zx scripts/NAME.mjs --help\` prints the same text.
`

/** The text of docs/options.md: the help of every command, and once what they all share. */
export const optionsPage = (commands: readonly Command[]): string =>
  [
    HEAD,
    ...commands.map((command) => section(command.name, ownHelp(command))),
    section('Every command', sharedHelp()),
  ].join('\n')

const section = (title: string, help: string): string => `## ${title}\n\n\`\`\`\n${help}\`\`\`\n`
