import { daysOf, type Window } from '../lib/runs/window.ts'

/** What a simulation is made from; equal settings give equal bytes. */
export interface Settings {
  readonly seed: number
  /** Principals in CloudTrail; WAF logs have a fifth as many user agents. */
  readonly users: number
  readonly accounts: number
  readonly window: Window
  readonly sources: readonly string[]
  /** Events of each source in all; absent: as many as the users' own habits make. */
  readonly events?: number | undefined
  /** Uncompressed bytes of each source's logs, about; instead of `events`. */
  readonly size?: number | undefined
}

/** The same settings as one text, always in the same order. */
export const settingsText = ({ seed, users, accounts, window, sources, events, size }: Settings): string =>
  JSON.stringify({ seed, users, accounts, ...window, sources, events, size })

/** A day before the window and one after it are simulated too: a selection has something to leave out. */
export const spanOf = ({ from, to }: Window): Window => ({
  from: new Date(from.getTime() - DAY),
  to: new Date(to.getTime() + DAY),
})

const DAY = 86_400_000

/** The full hour with which deliveries begin, in seconds since 1970: slots are at full minutes whatever the window. */
export const firstHourOf = (window: Window): number => Math.floor(spanOf(window).from.getTime() / HOUR) * (HOUR / 1000)

const HOUR = 3_600_000

/** How much longer the span is than the window. */
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
 * Travelling as a share of the tutorial's. There one event in thirty comes from anywhere, which no model can tell from an attack
 * from anywhere: with so many, an alert budget is spent on them.
 */
export const TRAVEL = 0.1
