import { inspect } from 'node:util'
import type { BaseIssue } from 'valibot'

/** Exit codes of every script: 0 done, 1 failed, 2 usage or configuration, 3 declined or confirmation needed, 4 credentials or permission. */
export type ExitCode = 0 | 1 | 2 | 3 | 4

/** An expected failure: its message says what was tried, on what and why; the hint says what to do next. Shown without a stack. */
export class UserError extends Error {
  readonly hint: string | undefined
  readonly exitCode: ExitCode

  constructor(message: string, options: { hint?: string; exitCode?: ExitCode; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'UserError'
    this.hint = options.hint
    this.exitCode = options.exitCode ?? 1
  }

  /** How `console` and zx show it where nobody catches it: without a stack. */
  [inspect.custom](): string {
    return this.hint === undefined ? this.message : `${this.message}\n  ${this.hint}`
  }
}

/** Wrong flags, arguments, environment or configuration file. */
export class UsageError extends UserError {
  constructor(message: string, hint?: string) {
    super(message, { exitCode: 2, ...(hint !== undefined && { hint }) })
    this.name = 'UsageError'
  }
}

/** The user said no, or could not be asked. */
export class Declined extends UserError {
  constructor(message: string, hint?: string) {
    super(message, { exitCode: 3, ...(hint !== undefined && { hint }) })
    this.name = 'Declined'
  }
}

const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143 } as const
export type StopSignal = keyof typeof SIGNAL_CODES

/** Why a host stops a command: the reason of its aborted signal. */
export class Interrupted extends Error {
  readonly signal: StopSignal
  readonly exitCode: 130 | 143

  constructor(signal: StopSignal) {
    super(`interrupted by ${signal}`)
    this.name = 'AbortError'
    this.signal = signal
    this.exitCode = SIGNAL_CODES[signal]
  }
}

/** Full disk, no right to a file, no such folder: the system's own words are clear enough. */
const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'syscall' in error && typeof (error as NodeJS.ErrnoException).code === 'string'

/** The exit code of a script that fails with this error; undefined for an unexpected error, which is a bug. */
export function exitCodeOf(error: unknown): ExitCode | undefined {
  if (error instanceof UserError) return error.exitCode
  if (!isSystemError(error)) return undefined
  return error.code === 'EACCES' || error.code === 'EPERM' ? 4 : 1
}

/** What to do about system errors whose messages do not say. */
const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: 'make room on the disk of the workspace and in the folder for temporary files; then the same command goes on',
  EDQUOT: 'the quota of this user is used up: make room; then the same command goes on',
  EMFILE: 'raise the number of files that may be open: ulimit -n',
}

/** What to do next; undefined where the message is enough. */
export function hintOf(error: unknown): string | undefined {
  if (error instanceof UserError) return error.hint
  return isSystemError(error) ? REMEDIES[error.code ?? ''] : undefined
}

/** The message of anything that was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** A list of thousands may be wrong throughout. */
const MOST_MISFITS = 5

/** What does not fit a form, and where: `steps.stage.state: expected "done", found "x"; request.from: is missing` */
export function misfits(issues: readonly BaseIssue<unknown>[]): string {
  const places = new Map<string, string>()
  // The first mistake at a place says more than its consequences.
  for (const [place, what] of issues.map(misfit)) if (!places.has(place)) places.set(place, what)
  const texts = [...places].map(([place, what]) => (place === '' ? what : `${place}: ${what}`))
  const more = texts.length - MOST_MISFITS
  return [...texts.slice(0, MOST_MISFITS), ...(more > 0 ? [`and ${more} more`] : [])].join('; ')
}

function misfit(issue: BaseIssue<unknown>): [place: string, what: string] {
  const keys = issue.path?.map(({ key }) => key) ?? []
  const last = issue.path?.at(-1)
  if (last?.type !== 'object' || last.origin !== 'key')
    return [placeOf(keys), `expected ${expectedIn(issue)}, found ${found(issue.input)}`]
  // Members are asked of a list too.
  if (Array.isArray(last.input)) return [placeOf(keys.slice(0, -1)), 'expected object, found array']
  if (issue.expected !== 'never') return [placeOf(keys), 'is missing']
  return [placeOf(keys.slice(0, -1)), `unknown member ${found(last.key)}`]
}

/** `files[3].key`; a name that is no word is quoted. */
function placeOf(keys: readonly unknown[]): string {
  const parts = keys.map((key) => (typeof key === 'string' && /^\w+$/.test(key) ? `.${key}` : `[${found(key)}]`))
  return parts.join('').replace(/^\./, '')
}

const EXPECTED: Readonly<Record<string, string>> = {
  Array: 'array',
  Object: 'object',
  finite: 'finite number',
  safe_integer: 'whole number',
}

function expectedIn({ type, expected, message }: Pick<BaseIssue<unknown>, 'type' | 'expected' | 'message'>): string {
  // The library's own messages begin so.
  if (!message.startsWith('Invalid ')) return message
  const names = (expected ?? type).replace(/^\((.*)\)$/, '$1').split(' | ')
  return names.map((name) => EXPECTED[name] ?? name).join(' or ')
}

const LONGEST_FOUND = 40

/** The value as it may be shown: short, and in one line. */
function found(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'array' : 'object'
  if (typeof value !== 'string') return value === undefined ? 'nothing' : String(value)
  return JSON.stringify(value.length > LONGEST_FOUND ? `${value.slice(0, LONGEST_FOUND)}…` : value)
}
