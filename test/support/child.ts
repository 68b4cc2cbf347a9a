import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { after } from 'node:test'
import { ROOT } from './run-script.ts'

/** TypeScript as this very process reads it. */
const LOADER: readonly string[] = Reflect.get(process.features, 'typescript') ? [] : ['--import', 'tsx']

/** Starts a TypeScript program of the tests; it is killed at the latest when the tests of this file are over. */
export function startFixture(path: string, args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [...LOADER, `${ROOT}test/${path}`, ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  after(() => child.kill('SIGKILL'))
  return child
}

/** The first line that a program says. */
export async function firstLine(child: ChildProcess): Promise<string> {
  let said = ''
  for await (const chunk of child.stdout ?? []) {
    said += String(chunk)
    if (said.includes('\n')) break
  }
  return said.split('\n')[0] ?? ''
}

/** Ends a program the hard way. */
export async function killHard(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}
