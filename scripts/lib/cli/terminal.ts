import { printable } from './format.ts'
import type { Screen } from './progress.ts'

/** Standard error: where talk and progress go. */
export const screen: Screen & { readonly redraws: boolean } = {
  write: (text) => void process.stderr.write(text),
  /** Of now: windows change their size. Some terminals claim to have no columns. */
  get columns() {
    return process.stderr.columns || 80
  },
  get redraws() {
    return process.stderr.isTTY === true && process.env.TERM !== 'dumb'
  },
}

/** One line to standard error; a bar that stands there gives way and is drawn again below. */
export const say = (text: string): void => screen.write(`${screen.redraws ? '\r\u001b[K' : ''}${printable(text)}\n`)

/** A reader that has seen enough is no failure; a full disk is, under the result. Talk that nobody can hear ends no work. */
export function watchStreams(): void {
  process.stderr.on('error', () => {})
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return
    say(`standard output: ${error.message}`)
    process.exitCode = 1
  })
}
