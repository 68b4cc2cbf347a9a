import { DAY_MS, daysOf, type Window } from '../lib/runs/window.ts'

/** The settings of a simulation; the same settings give the same bytes. */
export interface Settings {
  readonly seed: number
  /** Principals in CloudTrail; WAF logs have a fifth as many user agents. */
  readonly users: number
  readonly accounts: number
  readonly window: Window
  readonly sources: readonly string[]
  /** Total events of each source; absent: as many as the users' habits make. */
  readonly events?: number | undefined
  /** Approximate uncompressed bytes of each source's logs, in place of `events`. */
  readonly size?: number | undefined
}

/** The settings as text, always in the same order. */
export const settingsText = ({ seed, users, accounts, window, sources, events, size }: Settings): string =>
  JSON.stringify({ seed, users, accounts, ...window, sources, events, size })

/** The days before and after the window are simulated as well, so that staging has something to leave out. */
export const spanOf = ({ from, to }: Window): Window => ({
  from: new Date(from.getTime() - DAY_MS),
  to: new Date(to.getTime() + DAY_MS),
})

/** The full hour with which deliveries begin, in seconds since 1970: slots are at full minutes whatever the window. */
export const firstHourOf = (window: Window): number => Math.floor(spanOf(window).from.getTime() / HOUR) * (HOUR / 1000)

const HOUR = 3_600_000

/** Length of the span, as a multiple of the window's. */
export const stretchOf = (window: Window): number => daysOf(spanOf(window)) / daysOf(window)

/** Attacks fall into the last fifth of the window, which is what training holds out by default. */
export const attackSpanOf = ({ from, to }: Window): Window => ({
  from: new Date(to.getTime() - (to.getTime() - from.getTime()) / 5),
  to,
})

const UNITS = { KB: 1e3, MB: 1e6, GB: 1e9 } as const

/** `2.5GB` → 2500000000. @throws Error that says what is valid */
export function bytesOf(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(KB|MB|GB)$/i.exec(text)
  const size = match === null ? 0 : Number(match[1]) * UNITS[match[2]?.toUpperCase() as keyof typeof UNITS]
  if (size < 1) throw new Error('must be a size such as 400MB or 2.5GB')
  return Math.round(size)
}

/**
 * How much users travel, compared with the tutorial. There one event in thirty comes from anywhere, and no model can tell it from an
 * attack from anywhere. So many of them would use up the alert budget.
 */
export const TRAVEL = 0.1
