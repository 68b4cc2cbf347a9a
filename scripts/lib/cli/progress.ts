import { count, counted, duration, printable } from './format.ts'

/** Progress of one activity. `state` is for changes worth a line of their own, such as a job's states. */
export interface Progress {
  advance(by?: number): void
  set(done: number): void
  state(text: string): void
  end(text?: string): void
}

export const noProgress: Progress = { advance() {}, set() {}, state() {}, end() {} }

/** Where progress is drawn. */
export interface Screen {
  write(text: string): void
  readonly columns: number
}

const DRAW_MS = 100

/** What progress is shown of. */
export interface Activity {
  readonly label: string
  readonly total?: number | undefined
  /** What is counted, such as `objects`. */
  readonly unit?: string | undefined
}

/** A bar that redraws itself on a terminal; it draws at most ten times a second, so it may be advanced per object. */
export function barProgress(screen: Screen, activity: Activity, clock = Date.now): Progress {
  const started = clock()
  let done = 0
  let note = ''
  let drawn = Number.NEGATIVE_INFINITY
  const draw = (force = false) => {
    const now = clock()
    if (!force && now - drawn < DRAW_MS) return
    drawn = now
    const shown = printable(bar(activity, done, now - started, note))
    screen.write(`\r\u001b[K${shown.slice(0, screen.columns - 1)}`)
  }
  draw(true)
  return {
    advance(by = 1) {
      done += by
      draw()
    },
    set(value) {
      done = value
      draw()
    },
    state(text) {
      note = text
      draw(true)
    },
    end(text) {
      screen.write(`\r\u001b[K${summary(activity, done, clock() - started, text)}\n`)
    },
  }
}

/** One line when it starts to matter: per change of state and at the end. No animation. */
export function lineProgress(screen: Pick<Screen, 'write'>, activity: Activity, clock = Date.now): Progress {
  const started = clock()
  let done = 0
  let last = ''
  return {
    advance(by = 1) {
      done += by
    },
    set(value) {
      done = value
    },
    state(text) {
      if (text !== last) screen.write(`${printable(`${activity.label}: ${text}`)}\n`)
      last = text
    },
    end(text) {
      screen.write(`${summary(activity, done, clock() - started, text)}\n`)
    },
  }
}

const summary = ({ label, unit = '' }: Activity, done: number, ms: number, text?: string): string =>
  printable(`${label}: ${text ?? told(done, unit)} in ${duration(ms)}`)

const told = (n: number, unit: string): string => (unit === '' ? count(n) : counted(n, unit))

const BAR = 24

function bar({ label, total, unit = '' }: Activity, done: number, ms: number, note: string): string {
  const noted = (text: string): string => [text, note && `· ${note}`].filter(Boolean).join(' ')
  if (total === undefined || total <= 0) return `${label}: ${noted(done > 0 ? told(done, unit) : unit)}`
  const share = Math.min(1, done / total)
  const filled = Math.round(share * BAR)
  const left = share > 0 && share < 1 ? ` · ${duration((ms / share) * (1 - share))} left` : ''
  return `${label} ${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${noted(`${count(done)}/${told(total, unit)}`)}${left}`
}
