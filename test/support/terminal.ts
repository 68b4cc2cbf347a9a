import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { plainEnvironment } from './run-script.ts'

const SPAWN = 'import os,pty,sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))'

/** Whether a terminal can be had here; `missing` is what a test's `skip` takes. */
export const TERMINAL: { readonly missing: string | false } = {
  missing: spawnSync('python3', ['-c', 'import pty']).status === 0 ? false : 'no python3 with pty here',
}

interface Options {
  readonly env?: Record<string, string>
  /** Called with everything that was said so far; `type` presses keys. */
  readonly onSaid?: (soFar: string, type: (keys: string) => void) => void
}

/** Runs a program on a pseudo-terminal. What it says on either stream comes as one text. */
export async function onTerminal(command: readonly string[], options: Options = {}) {
  const child = spawn('python3', ['-c', SPAWN, ...command], {
    env: { ...plainEnvironment(), NO_COLOR: '', ...options.env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
    options.onSaid?.(said, (keys) => child.stdin.write(keys))
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { said, code: code ?? undefined }
}
