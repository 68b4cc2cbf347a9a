import { readFileSync } from 'node:fs'
import { argumentsOf, parseArguments, type RawValues } from './arguments.ts'
import type { Command } from './command.ts'
import { confirm } from './confirm.ts'
import type { Context, Talk } from './context.ts'
import { type ExitCode, exitCodeOf, hintOf, messageOf } from './errors.ts'
import { printable, printableJson } from './format.ts'
import { helpText } from './help.ts'
import type { Values } from './options.ts'
import { barProgress, lineProgress, noProgress } from './progress.ts'
import { resolveValues } from './settings.ts'
import type { awsOptions, commonOptions, guardOptions } from './shared-options.ts'
import { guardSignals, Interrupted, type SignalGuard } from './signals.ts'
import { say, screen, watchStreams } from './terminal.ts'

type Common = Values<typeof commonOptions> & Partial<Values<typeof guardOptions> & Values<typeof awsOptions>>

/** Runs a command from the arguments of this process, and sets its exit code. Never throws. */
export async function main(entry: string, load: () => Promise<{ command: Command }>): Promise<void> {
  let shown = 'prestage'
  watchStreams()
  try {
    const { command } = await load()
    shown = command.name
    const args = argumentsOf(entry, process.argv)
    // Help helps with mistakes too, so it comes before the strict reading.
    if (args.includes('--help') || args.includes('-h')) return finish(helpText(command))
    const typed = parseArguments(args, command.options)
    if (typed.help === 'true') return finish(helpText(command))
    if (typed.version === 'true') return finish(`prestage ${version()}\n`)
    await execute(command, typed)
  } catch (error) {
    process.exitCode = report(shown, error)
  }
}

async function execute(command: Command, typed: RawValues): Promise<void> {
  const values = await resolveValues(command.options, typed, process.env, (text) => say(`warning: ${text}`))
  const common = values as unknown as Common
  const guard = guardSignals((name) =>
    say(`${command.name}: ${name}: stopping; the same command resumes where it stopped. Again to quit at once.`),
  )
  try {
    const outcome = await command.run(contextOf(common, guard), values)
    const result =
      common.output === 'json' ? `${printableJson(outcome.json)}\n` : `${printable(outcome.text.trimEnd())}\n`
    finish(result, guard.code() ?? outcome.exitCode)
    if (outcome.next !== undefined && common.output === 'text' && !common.quiet) say(`next: ${outcome.next}`)
  } catch (error) {
    if (guard.code() === undefined) throw error
    // What fails because of the stop is the stop.
    if (common.verbose && !(error instanceof Interrupted)) say(`${command.name}: ${messageOf(error)}`)
    process.exitCode = guard.code()
  } finally {
    guard.release()
  }
}

function contextOf(common: Common, guard: SignalGuard): Context {
  const { quiet, verbose, output } = common
  const talk: Talk = {
    info: (text) => (quiet ? undefined : say(text)),
    warn: (text) => say(`warning: ${text}`),
    detail: (text) => (verbose ? say(text) : undefined),
  }
  const drawn = screen.redraws && output === 'text'
  return {
    talk,
    signal: guard.signal,
    env: process.env,
    now: () => new Date(),
    progress: (label, total, unit) => {
      if (quiet) return noProgress
      return drawn ? barProgress(screen, label, total, unit) : lineProgress(screen, label, unit)
    },
    approve: async (approval) => {
      // Quiet may hide a plan that is approved already, never one that is asked about.
      for (const line of approval.plan) if (!(quiet && common.yes)) say(line)
      const settings = { yes: common.yes ?? false, maxCost: common.maxCost, interactive: output === 'text' }
      await confirm(approval, settings, { input: process.stdin, output: process.stderr }, guard.signal)
    },
  }
}

function finish(text: string, code = 0): void {
  process.stdout.write(text)
  process.exitCode = code
}

/** Prints a failure to standard error and returns its exit code. */
function report(name: string, error: unknown): ExitCode {
  const expected = exitCodeOf(error)
  if (expected !== undefined) {
    say(`${name}: ${messageOf(error)}`)
    const hint = hintOf(error)
    if (hint !== undefined) say(`  ${hint}`)
    return expected
  }
  say(`${name}: this is a bug in prestage ${version()} (Node ${process.version}, ${process.platform} ${process.arch}):`)
  say(error instanceof Error ? (error.stack ?? error.message) : String(error))
  return 1
}

function version(): string {
  const file = new URL('../../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
