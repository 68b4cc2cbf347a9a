import type { Context } from './context.ts'
import type { OptionSpecs, Values } from './options.ts'
import { commonOptions } from './shared-options.ts'

/** What a command hands back: `json` for `--output json`, `text` for people; `next` is the command that usually follows. */
export interface Outcome {
  readonly json: Record<string, unknown>
  readonly text: string
  readonly next?: string
  readonly exitCode?: number
}

/** One script's face: all that its help says and all that it does. */
export interface Command<S extends OptionSpecs = OptionSpecs> {
  readonly name: string
  readonly summary: string
  readonly description?: string
  readonly examples: readonly { readonly run: string; readonly does: string }[]
  readonly options: S
  run(context: Context, options: Values<S>): Promise<Outcome>
}

/** Declares a command; adds the options that every command has. */
export function defineCommand<const S extends OptionSpecs>(command: Command<S>): Command<S & typeof commonOptions> {
  return { ...command, options: { ...command.options, ...commonOptions } }
}
