import './rights-of-scripts.ts'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { APP } from '../sandbox/access.ts'
import { canEnter, runInProcess, type Surroundings } from './in-process.ts'
import { isThorough } from './thorough.ts'

/** The project's root, with a trailing slash. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Path of an entry: one of scripts/, or any other by its path from the root. */
export const scriptPath = (name: string): string => `${ROOT}${name.endsWith('.mjs') ? name : `scripts/${name}.mjs`}`

/** The entry with which the tests of the kit play. */
export const TOY = 'test/lib/cli/fixture/toy.mjs'

export interface Ended {
  readonly stdout: string
  readonly stderr: string
  /** Exit code; undefined when a signal ended the process. */
  readonly code: number | undefined
  readonly signal: NodeJS.Signals | undefined
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Standard input; closed at once when absent. */
  readonly input?: string
  /** Called with everything that was said so far, to react to it with a signal. */
  readonly onStderr?: (soFar: string, kill: (signal: NodeJS.Signals) => void) => void
  /** Asked all the time; kills without a warning when true. */
  readonly killWhen?: () => boolean
}

/** Runs an entry with node, as a process of its own, without the settings of whoever runs the tests. */
export const runProcess = (name: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Ended> =>
  runProgram(process.execPath, [scriptPath(name), ...args], options)

/** Runs a script's command in this process where that is the same to it, and as a process of its own elsewhere. */
export function runScript(name: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Ended> {
  const surroundings = { env: { ...plainEnvironment(), ...options.env }, cwd: options.cwd ?? ROOT }
  if (needsProcess(name, surroundings, options)) return runProcess(name, args, options)
  return runInProcess(() => import(`../../scripts/${name}/command.ts`), args, surroundings, options)
}

/** With all tests, one of so many deaths is that of a real process. */
const REAL_DEATH = 5
let deaths = 0
const isRealDeath = (): boolean => isThorough && ++deaths % REAL_DEATH === 0

/** A process has one folder that it works in and one environment; and one that is killed must not go on with its files. */
function needsProcess(name: string, surroundings: Surroundings, { killWhen }: RunOptions): boolean {
  const { env } = surroundings
  const isEntryOfTests = name.endsWith('.mjs')
  const diesHere = killWhen !== undefined && env.AWS_ENDPOINT_URL === undefined
  if (killWhen !== undefined && isRealDeath()) return true
  return isEntryOfTests || env.NODE_OPTIONS !== undefined || diesHere || !canEnter(surroundings)
}

/** Runs any program to its end. */
export async function runProgram(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { cwd = ROOT, env = {}, input = '', onStderr, killWhen } = options
  const child = spawn(program, args, { cwd, env: { ...plainEnvironment(), ...env }, stdio: 'pipe' })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    onStderr?.(stderr, (signal) => child.kill(signal))
  })
  const watch = killWhen && setInterval(() => killWhen() && child.kill('SIGKILL'), 2)
  // A program that does not read its input may be gone before it is written.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  clearInterval(watch)
  return { stdout, stderr, code: code ?? undefined, signal: signal ?? undefined }
}

/** Without AWS, prestage and test-runner variables, and without colours. */
export function plainEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(AWS_|PRESTAGE_|ZX_|NODE_TEST|NODE_OPTIONS|NODE_V8_COVERAGE|FORCE_COLOR|CI$)/.test(name),
  )
  return {
    ...(Object.fromEntries(kept) as Record<string, string>),
    NO_COLOR: '1',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_SDK_UA_APP_ID: APP,
  }
}
