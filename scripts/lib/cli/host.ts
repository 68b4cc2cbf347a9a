import type { Readable, Writable } from 'node:stream'

/** Where a command writes. Of a terminal the width may change while it runs. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number }

/** One process on one machine, as locks know it. */
export interface Owner {
  /** Name of the machine. */
  readonly host: string
  readonly pid: number
  /** Whether a process with this number lives on this machine. */
  isAlive(pid: number): boolean
}

/** What code that waits needs of the host. */
export type Waiting = Pick<Host, 'signal' | 'sleep'>

/**
 * Everything that a command touches of the process in which it runs. `boot.mjs` makes one of the real process; tests and
 * recipes bring their own.
 */
export interface Host {
  readonly env: NodeJS.ProcessEnv
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Output
  readonly stderr: Output
  /** Stops the command; the reason's `exitCode`, if it has one, becomes the command's. */
  readonly signal: AbortSignal
  readonly owner: Owner
  now(): Date
  /** Every pause of the code. @throws the reason of `signal` when it is aborted meanwhile */
  sleep(ms: number): Promise<void>
}
