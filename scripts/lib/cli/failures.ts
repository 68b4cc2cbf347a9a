import { type ExitCode, exitCodeOf, messageOf, UserError } from './errors.ts'

/** Why a source failed. */
export interface Failure {
  readonly source: string
  readonly message: string
  readonly hint: string | undefined
  readonly exitCode: ExitCode
  /** Nobody expected it: a bug, to be shown with its stack. */
  readonly bug: unknown
}

export function sourceFailure(source: string, error: unknown): Failure {
  const expected = exitCodeOf(error)
  const message = messageOf(error)
  const prefix = `${source}: `
  return {
    source,
    // What a source asked to be approved names it already.
    message: message.startsWith(prefix) ? message.slice(prefix.length) : message,
    hint: error instanceof UserError ? error.hint : undefined,
    exitCode: expected ?? 1,
    bug: expected === undefined ? error : undefined,
  }
}

/** The exit code of all failures where they agree, otherwise 1. */
export const exitCodeOfAll = (failures: readonly Failure[]): ExitCode => {
  const codes = new Set(failures.map(({ exitCode }) => exitCode))
  return codes.size === 1 ? (failures[0]?.exitCode ?? 1) : 1
}

/** The error when all sources failed. A reason that several share is told once. */
export function failedAltogether(failures: readonly Failure[]): UserError {
  const reasons = new Map<string, Failure[]>()
  for (const failure of failures) reasons.set(failure.message, [...(reasons.get(failure.message) ?? []), failure])
  const told = [...reasons].map(([message, of]) => `${of.map(({ source }) => source).join(' and ')}: ${message}`)
  const hints = [...new Set(failures.flatMap(({ hint }) => (hint === undefined ? [] : [hint])))]
  return new UserError(told.join('\n'), {
    exitCode: exitCodeOfAll(failures),
    ...(hints.length > 0 && { hint: hints.join('\n  ') }),
  })
}
