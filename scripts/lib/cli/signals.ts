import { setMaxListeners } from 'node:events'

/** The first Ctrl-C stops cleanly, the second quits. */

/** A wrapper may pass on the signal that the terminal sent already: that is still one press. */
const SAME_PRESS_MS = 100

const CODES = { SIGINT: 130, SIGTERM: 143 } as const
type Name = keyof typeof CODES

export interface SignalGuard {
  readonly signal: AbortSignal
  /** Exit code of the signal that came, if one came. */
  code(): number | undefined
  release(): void
}

/** Listens for SIGINT and SIGTERM; `onFirst` says at once what happens now. */
export function guardSignals(onFirst: (name: Name) => void): SignalGuard {
  const controller = new AbortController()
  // Every request in flight listens; ten are no leak.
  setMaxListeners(0, controller.signal)
  let code: number | undefined
  let since = 0
  const handlers = (Object.keys(CODES) as Name[]).map((name) => {
    const handler = () => {
      if (code !== undefined && Date.now() - since < SAME_PRESS_MS) return
      if (code !== undefined) process.exit(CODES[name])
      code = CODES[name]
      since = Date.now()
      onFirst(name)
      controller.abort(new Interrupted(name))
    }
    process.on(name, handler)
    return { name, handler }
  })
  return {
    signal: controller.signal,
    code: () => code,
    release: () => {
      for (const { name, handler } of handlers) process.off(name, handler)
    },
  }
}

/** The reason of an abort by signal. */
export class Interrupted extends Error {
  constructor(name: string) {
    super(`interrupted by ${name}`)
    this.name = 'AbortError'
  }
}
