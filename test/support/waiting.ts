import { hostname } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import type { RunHost } from '../../scripts/lib/aws/settings.ts'
import type { Waiting } from '../../scripts/lib/cli/host.ts'

/** Pauses really, until the signal ends them. */
export const waiting = (signal = new AbortController().signal): Waiting => ({
  signal,
  sleep: (ms) => setTimeout(ms, undefined, { signal }),
})

/** This process, as a real script would be. */
export const thisProcess: RunHost = {
  owner: {
    host: hostname(),
    pid: process.pid,
    isAlive: (pid) => {
      try {
        return process.kill(pid, 0)
      } catch {
        return false
      }
    },
  },
  now: () => new Date(),
  sleep: waiting().sleep,
}
