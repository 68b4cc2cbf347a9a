import type { RawValues } from './arguments.ts'
import { quoted } from './format.ts'
import { kebab } from './options.ts'

/** Options that say where runs are and who is asked: left out of the next command, it would work on something else. */
const REPEATED = ['config', 'profile', 'awsRegion', 'endpointUrl', 'stack', 'workspace'] as const

/** The commands that do not have all of them, and the ones that they have. */
const FEWER: Readonly<Record<string, readonly (typeof REPEATED)[number][]>> = {
  simulate: ['config'],
  inventory: ['config', 'profile', 'awsRegion', 'endpointUrl', 'stack'],
  setup: ['config', 'profile', 'awsRegion', 'endpointUrl', 'stack'],
}

/** Completes every command line in a text with what was typed of these options, unless the line has them already. */
export function withTyped(text: string, typed: RawValues): string {
  return text.replace(/npx zx scripts\/([a-z]+)\.mjs/g, (command, name: string, at: number) => {
    const [rest = ''] = text.slice(at + command.length).split(/\n|npx zx /, 1)
    const words = (FEWER[name] ?? REPEATED).flatMap((key) => {
      const [flag, value] = [`--${kebab(key)}`, typed[key]]
      return typeof value !== 'string' || rest.split(/[\s=]/).includes(flag) ? [] : [flag, quoted(value)]
    })
    return [command, ...words].join(' ')
  })
}
