import { readFileSync } from 'node:fs'
import { argumentsOfOptions, parseArguments, type RawValues } from './arguments.ts'
import type { Command, CommandResult, Context, Talk } from './command.ts'
import { confirm } from './confirm.ts'
import { type ExitCode, exitCodeOf, hintOf, Interrupted, messageOf } from './errors.ts'
import { printable, printableJson, quoted } from './format.ts'
import { helpText } from './help.ts'
import type { Host } from './host.ts'
import { kebab, type Values } from './options.ts'
import { barProgress, lineProgress, noProgress, type Screen } from './progress.ts'
import { resolveValues, sourcesSection } from './settings.ts'
import type { awsOptions, commonOptions, guardOptions } from './shared-options.ts'

type Common = Values<typeof commonOptions> & Partial<Values<typeof guardOptions> & Values<typeof awsOptions>>

/**
 * Runs a command as its script does: parses the arguments, does the work, prints the result to `stdout` and talk to `stderr`.
 * Never throws.
 * @returns the exit code: 0 done, 1 failed, 2 usage, 3 declined, 4 credentials or permission, 5 something to look at, 130 or 143 stopped by a signal
 */
export async function runCommand(command: Command, argv: readonly string[], host: Host): Promise<number> {
  let terminal = terminalOf(host)
  try {
    // Help helps with mistakes too, so it comes before the strict reading.
    if (argv.includes('--help') || argv.includes('-h')) return print(host, helpText(command))
    const typed = parseArguments(argv, command.options)
    terminal = repeating(terminal, typed)
    if (typed.help === 'true') return print(host, helpText(command))
    if (typed.version === 'true') return print(host, `prestage ${version()}\n`)
    const { common, exitCode = 0, json, text, next } = await execute(command, typed, host)
    const shown = common.output === 'json' ? jsonOf(json, typed) : printable(withTyped(text.trimEnd(), typed))
    print(host, `${shown}\n`)
    if (next !== undefined && common.output === 'text' && !common.quiet) terminal.say(`next: ${next}`)
    return stopCode(host.signal) ?? exitCode
  } catch (error) {
    return stopCode(host.signal) ?? report(command.name, error, terminal)
  }
}

/**
 * Runs a command for other code. Talk goes to `stderr`, as from the shell; nothing is printed to `stdout`.
 * @param options by their names in camel case: `{ source: 'cloudtrail', last: '24h' }`
 * @returns the result that the script prints for `--output json`
 * @throws UserError with `exitCode` and `hint` for an expected failure; the reason of `host.signal` after a stop
 */
export async function callCommand(
  command: Command,
  options: Readonly<Record<string, unknown>>,
  host: Host,
): Promise<Record<string, unknown>> {
  const typed = parseArguments(argumentsOfOptions(options, command.options), command.options)
  const { json } = await execute(command, typed, host)
  host.signal.throwIfAborted()
  return json
}

type Executed = CommandResult & { readonly common: Common }

async function execute(command: Command, typed: RawValues, host: Host): Promise<Executed> {
  const work = () => executeWithin(command, typed, host)
  return command.ownSources === undefined ? work() : command.ownSources(await sourcesSection(typed, host.env), work)
}

async function executeWithin(command: Command, typed: RawValues, host: Host): Promise<Executed> {
  const terminal = repeating(terminalOf(host), typed)
  const { say } = terminal
  const values = await resolveValues(command, typed, host.env, (text) => say(`warning: ${text}`))
  const common = values as unknown as Common
  const stopping = () =>
    say(
      `${command.name}: ${interruptionOf(host.signal).signal}: stopping; the same command resumes where it stopped. Again to quit at once.`,
    )
  if (host.signal.aborted) stopping()
  host.signal.addEventListener('abort', stopping)
  try {
    host.signal.throwIfAborted()
    return { ...(await command.run(contextOf(common, host, terminal), values)), common }
  } catch (error) {
    // What fails because of the stop is the stop.
    const { aborted, reason } = host.signal
    if (aborted && common.verbose && error !== reason) say(`${command.name}: ${messageOf(error)}`)
    throw aborted ? reason : error
  } finally {
    host.signal.removeEventListener('abort', stopping)
  }
}

/** Which signal stopped the host, and the exit code that says so. */
const interruptionOf = ({ reason }: AbortSignal) => (reason instanceof Interrupted ? reason : new Interrupted('SIGINT'))

/** The exit code of the signal that stopped the host, if one did. */
const stopCode = (signal: AbortSignal): number | undefined =>
  signal.aborted ? interruptionOf(signal).exitCode : undefined

function contextOf(common: Common, host: Host, { screen, redraws, say, completed }: Terminal): Context {
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
    completed,
    progress: (label, total, unit) => {
      if (quiet) return noProgress
      const bar = redraws && output === 'text'
      return bar ? barProgress(screen, { label, total, unit }, clock) : lineProgress(screen, { label, unit }, clock)
    },
    approve: async (approval) => {
      // Quiet may hide a plan that is approved already, never one that is asked about.
      for (const line of approval.plan) if (!(quiet && (common.yes || approval.unasked))) say(line)
      const settings = { yes: common.yes ?? false, maxCost: common.maxCost, interactive: output === 'text' }
      await confirm(approval, settings, { input: stdin, output: host.stderr }, signal)
    },
  }
}

interface Terminal {
  readonly screen: Screen
  /** Whether a bar can be drawn over. */
  readonly redraws: boolean
  /** Writes a line. A progress bar is erased first, and drawn again below. */
  say(text: string): void
  /** Completes the commands in a text. */
  completed(text: string): string
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
  const say = (text: string) => screen.write(`${redraws ? '\r\u001b[K' : ''}${printable(text)}\n`)
  return { screen, redraws, say, completed: (text) => text }
}

/** Every printed command repeats the typed options that say where runs are and how AWS is reached. */
const repeating = (terminal: Terminal, typed: RawValues): Terminal => ({
  ...terminal,
  say: (text) => terminal.say(withTyped(text, typed)),
  completed: (text) => withTyped(text, typed),
})

/** A result as JSON. Its hints are for people: their commands are completed, too. */
const jsonOf = (json: object, typed: RawValues): string =>
  printableJson(json, (name, value) => (name === 'hint' && typeof value === 'string' ? withTyped(value, typed) : value))

function print({ stdout }: Host, text: string): 0 {
  stdout.write(text)
  return 0
}

/** Prints a failure to standard error and returns its exit code. */
function report(name: string, error: unknown, { say }: Terminal): ExitCode {
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

/** Options that say where runs are and how AWS is reached: without them, the next command would work on something else. */
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
