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

/** Full disk, no right to a file, no such folder: the system's own words are clear enough. */
const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'syscall' in error && typeof (error as NodeJS.ErrnoException).code === 'string'

/** With which code a script ends that fails so; undefined for what nobody expected: a bug. */
export function exitCodeOf(error: unknown): ExitCode | undefined {
  if (error instanceof UserError) return error.exitCode
  if (!isSystemError(error)) return undefined
  return error.code === 'EACCES' || error.code === 'EPERM' ? 4 : 1
}

/** The message of anything that was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
