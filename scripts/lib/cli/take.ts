import type { Command, CommandResult, Context } from './command.ts'
import { duration } from './format.ts'
import type { OptionSpecs, Values } from './options.ts'

/** Runs a step with those of the given values that it has options for, and its defaults of the others. */
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
