import type { Command, CommandResult } from '../lib/cli/command.ts'
import type { Context } from '../lib/cli/context.ts'
import { duration } from '../lib/cli/format.ts'
import type { OptionSpecs, Values } from '../lib/cli/options.ts'

/** Takes a step with the pipeline's own values where the step has the same option, and the step's defaults elsewhere. */
export async function take<S extends OptionSpecs>(
  command: Command<S>,
  context: Context,
  given: Readonly<Record<string, unknown>>,
): Promise<CommandResult> {
  context.signal.throwIfAborted()
  const started = context.now().getTime()
  const values = Object.fromEntries(
    Object.entries(command.options).map(([key, spec]) => [key, given[key] ?? spec.fallback]),
  )
  const result = await command.run(context, values as Values<S>)
  const repeated = result.json.repeated === true ? ', was done before' : ''
  context.talk.info(`${command.name}: done in ${duration(context.now().getTime() - started)}${repeated}`)
  return result
}
