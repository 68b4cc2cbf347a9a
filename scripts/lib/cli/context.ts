import type { Approval } from './confirm.ts'
import { noProgress, type Progress } from './progress.ts'

/** Talk goes to standard error: notes, warnings, and details that only `--verbose` shows. */
export interface Talk {
  info(text: string): void
  warn(text: string): void
  detail(text: string): void
}

/** All that a command may know of the world around it; steps never touch `process` or the terminal themselves. */
export interface Context {
  readonly talk: Talk
  readonly signal: AbortSignal
  readonly env: NodeJS.ProcessEnv
  progress(label: string, total?: number, unit?: string): Progress
  /** Shows the plan and returns when it may be carried out; throws Declined otherwise. */
  approve(approval: Approval): Promise<void>
  now(): Date
}

/** A context that says nothing, approves nothing and never stops: for tests, and a base for other hosts. */
export function silentContext(overrides: Partial<Context> = {}): Context {
  return {
    talk: { info: () => {}, warn: () => {}, detail: () => {} },
    signal: new AbortController().signal,
    env: {},
    progress: () => noProgress,
    approve: () => Promise.reject(new Error('nobody can be asked')),
    now: () => new Date(),
    ...overrides,
  }
}
