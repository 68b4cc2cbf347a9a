import { readdirSync } from 'node:fs'
import type { Command } from '../../scripts/lib/cli/command.ts'
import { ROOT } from './run-script.ts'

/** In the order in which a user meets them. */
export const ORDER = [
  'pipeline',
  'nightly',
  'stage',
  'extract',
  'train',
  'deploy',
  'score',
  'evaluate',
  'report',
  'clean',
  'inventory',
  'query',
  'simulate',
  'setup',
]

/** Names of all entries. */
export const scriptNames: readonly string[] = readdirSync(`${ROOT}scripts`)
  .filter((file) => file.endsWith('.mjs'))
  .map((file) => file.slice(0, -'.mjs'.length))
  .filter((name) => name !== 'prestage')
  .sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b))

/** The face of a script. */
export async function commandOf(name: string): Promise<Command> {
  const { command } = (await import(`../../scripts/${name}/command.ts`)) as { command: Command }
  return command
}
