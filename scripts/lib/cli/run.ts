import { readFileSync } from 'node:fs'

export { argumentsOf } from './arguments.ts'

import { parseArguments, type RawValues } from './arguments.ts'
import type { Command } from './command.ts'
import { confirm } from './confirm.ts'
import type { Context, Talk } from './context.ts'
import { exitCodeOf, hintOf, messageOf } from './errors.ts'
import { printable, printableJson } from './format.ts'
import { helpText } from './help.ts'
import type { Host } from './host.ts'
import type { Values } from './options.ts'
import { barProgress, lineProgress, noProgress, type Screen } from './progress.ts'
import { withTyped } from './repeated.ts'
import { resolveValues } from './settings.ts'
import type { awsOptions, commonOptions, guardOptions } from './shared-options.ts'

type Common = Values<typeof commonOptions> & Partial<Values<typeof guardOptions> & Values<typeof awsOptions>>

/** How a command ended: with its JSON result, or with what it threw. */
export interface Ended {
  /** 0 done, 1 failed, 2 usage, 3 declined, 4 credentials or permission, 130 or 143 stopped by a signal. */
  readonly exitCode: number
  readonly json?: Record<string, unknown>
  readonly error?: unknown
}

/**
 * Runs a command as its script does: parses the arguments, does the work, prints the result to `stdout` and talk to `stderr`.
 * Never throws.
 */
export async function runCommand(command: Command, argv: readonly string[], host: Host): Promise<Ended> {
  let terminal = terminalOf(host)
  try {
    // Help helps with mistakes too, so it comes before the strict reading.
    if (argv.includes('--help') || argv.includes('-h')) return print(host, helpText(command))
    const typed = parseArguments(argv, command.options)
    terminal = repeating(terminal, typed)
    if (typed.help === 'true') return print(host, helpText(command))
    if (typed.version === 'true') return print(host, `prestage ${version()}\n`)
    return await execute(command, typed, host, terminal)
  } catch (error) {
    return report(command.name, error, terminal)
  }
}

async function execute(command: Command, typed: RawValues, host: Host, terminal: Terminal): Promise<Ended> {
  const { say } = terminal
  const values = await resolveValues(command, typed, host.env, (text) => say(`warning: ${text}`))
  const common = values as unknown as Common
  try {
    host.signal.throwIfAborted()
    const { json, text, next, exitCode } = await command.run(contextOf(common, host, terminal), values)
    const result =
      common.output === 'json' ? `${printableJson(json)}\n` : `${printable(withTyped(text.trimEnd(), typed))}\n`
    print(host, result)
    if (next !== undefined && common.output === 'text' && !common.quiet) say(`next: ${next}`)
    return { exitCode: stopCode(host.signal) ?? exitCode ?? 0, json }
  } catch (error) {
    const exitCode = stopCode(host.signal)
    if (exitCode === undefined) throw error
    // What fails because of the stop is the stop.
    if (common.verbose && error !== host.signal.reason) say(`${command.name}: ${messageOf(error)}`)
    return { exitCode, error }
  }
}

/** The exit code of the signal that stopped the host, if one did. */
const stopCode = ({ aborted, reason }: AbortSignal): number | undefined =>
  aborted ? ((reason as { exitCode?: number } | undefined)?.exitCode ?? 130) : undefined

function contextOf(common: Common, host: Host, { screen, redraws, say }: Terminal): Context {
  const { quiet, verbose, output } = common
  const { env, signal, owner, stdin } = host
  const talk: Talk = {
    info: (text) => (quiet ? undefined : say(text)),
    warn: (text) => say(`warning: ${text}`),
    detail: (text) => (verbose ? say(text) : undefined),
  }
  const clock = () => host.now().getTime()
  return {
    talk,
    env,
    signal,
    owner,
    now: () => host.now(),
    sleep: (ms) => host.sleep(ms),
    progress: (label, total, unit) => {
      if (quiet) return noProgress
      const bar = redraws && output === 'text'
      return bar ? barProgress(screen, label, total, unit, clock) : lineProgress(screen, label, unit, clock)
    },
    approve: async (approval) => {
      // Quiet may hide a plan that is approved already, never one that is asked about.
      for (const line of approval.plan) if (!(quiet && common.yes)) say(line)
      const settings = { yes: common.yes ?? false, maxCost: common.maxCost, interactive: output === 'text' }
      await confirm(approval, settings, { input: stdin, output: host.stderr }, signal)
    },
  }
}

interface Terminal {
  readonly screen: Screen
  /** Whether a bar can be drawn over. */
  readonly redraws: boolean
  /** Writes a line; a bar that stands there gives way and is drawn again below. */
  say(text: string): void
}

function terminalOf({ stderr, env }: Host): Terminal {
  const redraws = stderr.isTTY === true && env.TERM !== 'dumb'
  const screen: Screen = {
    write: (text) => void stderr.write(text),
    // Of now: windows change their size. Some terminals claim to have no columns.
    get columns() {
      return stderr.columns || 80
    },
  }
  return { screen, redraws, say: (text) => screen.write(`${redraws ? '\r\u001b[K' : ''}${printable(text)}\n`) }
}

/** Every command that is printed repeats what was typed about where runs are and who is asked. */
const repeating = (terminal: Terminal, typed: RawValues): Terminal => ({
  ...terminal,
  say: (text) => terminal.say(withTyped(text, typed)),
})

function print({ stdout }: Host, text: string): Ended {
  stdout.write(text)
  return { exitCode: 0 }
}

/** Prints a failure to standard error. */
function report(name: string, error: unknown, { say }: Terminal): Ended {
  const expected = exitCodeOf(error)
  if (expected !== undefined) {
    say(`${name}: ${messageOf(error)}`)
    const hint = hintOf(error)
    if (hint !== undefined) say(`  ${hint}`)
    return { exitCode: expected, error }
  }
  say(`${name}: this is a bug in prestage ${version()} (Node ${process.version}, ${process.platform} ${process.arch}):`)
  say(error instanceof Error ? (error.stack ?? error.message) : String(error))
  return { exitCode: 1, error }
}

function version(): string {
  const file = new URL('../../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
