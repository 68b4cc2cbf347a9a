import type { Approval } from './confirm.ts'
import type { Host } from './host.ts'
import { noProgress, type Progress } from './progress.ts'

/** Talk goes to standard error: notes, warnings, and details that only `--verbose` shows. */
export interface Talk {
  info(text: string): void
  warn(text: string): void
  detail(text: string): void
}

/** What a command gets of its host; the streams are behind `talk`, `progress` and `approve`. */
export interface Context extends Pick<Host, 'env' | 'signal' | 'owner' | 'now' | 'sleep'> {
  readonly talk: Talk
  progress(label: string, total?: number, unit?: string): Progress
  /** Shows the plan and returns when it may be carried out; throws Declined otherwise. */
  approve(approval: Approval): Promise<void>
}

/** A context that says nothing, approves nothing and never stops: for tests, and a base for other hosts. */
export function silentContext(overrides: Partial<Context> = {}): Context {
  return {
    talk: { info: () => {}, warn: () => {}, detail: () => {} },
    signal: new AbortController().signal,
    env: {},
    owner: { host: 'nowhere', pid: 0, isAlive: () => false },
    progress: () => noProgress,
    approve: () => Promise.reject(new Error('nobody can be asked')),
    now: () => new Date(),
    sleep: () => Promise.resolve(),
    ...overrides,
  }
}
