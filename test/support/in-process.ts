import { setMaxListeners } from 'node:events'
import { hostname } from 'node:os'
import { PassThrough } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import type { Command } from '../../scripts/lib/cli/command.ts'
import { Interrupted } from '../../scripts/lib/cli/errors.ts'
import type { Host } from '../../scripts/lib/cli/host.ts'
import { runCommand } from '../../scripts/lib/cli/run.ts'
import { type Door, openDoor } from './door.ts'
import type { Ended, RunOptions } from './run-script.ts'
import { thisProcess } from './waiting.ts'

/** What a process has once, and every command in it with it. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
}

/** Numbers of the processes that commands in this process pretend to be; no real process has so large a number. */
const living = new Set<number>()
let lastPid = 10_000_000

const isAlive = (pid: number): boolean => (pid > 10_000_000 ? living.has(pid) : thisProcess.owner.isAlive(pid))

/** Short pauses are shortened: what is waited for is in this process, or near. What takes minutes is meant to be broken off. */
const shortened = (ms: number): number => (ms < 60_000 ? ms / 10 : ms)

/**
 * Runs a command in this process, as a process of its own would. With `killWhen` it can die: then it has done its last request, says
 * nothing any more, and its locks are those of a dead process. What it does besides requests goes on: only runs in S3 can die so.
 */
export async function runInProcess(
  load: () => Promise<{ command: Command }>,
  args: readonly string[],
  { env, cwd }: Surroundings,
  { input = '', onStderr, killWhen }: RunOptions,
): Promise<Ended> {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  const pid = ++lastPid
  living.add(pid)
  let died: (ended: Ended) => void = () => {}
  const death = new Promise<Ended>((resolve) => {
    died = resolve
  })
  const said = { stdout: '', stderr: '' }
  let isDead = false
  let door: Door | undefined
  const die = () => {
    isDead = true
    living.delete(pid)
    door?.close()
    died({ ...said, code: undefined, signal: 'SIGKILL' })
  }
  const kill = (signal: NodeJS.Signals) => {
    if (signal !== 'SIGINT' && signal !== 'SIGTERM') die()
    else controller.abort(new Interrupted(signal))
  }
  const output = (name: keyof typeof said) =>
    new PassThrough().setEncoding('utf8').on('data', (text: string) => {
      if (isDead) return
      said[name] += text
      if (name === 'stderr') onStderr?.(said.stderr, kill)
    })
  if (env.AWS_ENDPOINT_URL !== undefined && (killWhen ?? onStderr) !== undefined)
    door = await openDoor(env.AWS_ENDPOINT_URL)
  const hostEnv = { ...env, ...(door !== undefined && { AWS_ENDPOINT_URL: door.url }) }
  const host: Host = {
    env: hostEnv,
    stdin: new PassThrough().end(input) as PassThrough,
    stdout: output('stdout'),
    stderr: output('stderr'),
    signal: controller.signal,
    owner: { host: hostname(), pid, isAlive },
    now: () => new Date(),
    sleep: async (ms) => {
      controller.signal.throwIfAborted()
      await setTimeout(shortened(ms), undefined, { signal: controller.signal }).catch(() =>
        controller.signal.throwIfAborted(),
      )
      // The dead do not wake up.
      if (isDead) await new Promise(() => {})
    },
  }
  const leave = enter({ env: hostEnv, cwd })
  const watch = killWhen && setInterval(() => !isDead && killWhen() && die(), 2)
  try {
    const { command } = await load()
    const ended = runCommand(command, args, host).then(async (code): Promise<Ended> => {
      // What was written last is still on its way.
      await setTimeout(0)
      return { ...said, code, signal: undefined }
    })
    return await Promise.race([ended, death])
  } finally {
    clearInterval(watch)
    living.delete(pid)
    if (!isDead) door?.close()
    leave()
  }
}

/** The SDK reads the environment of the process, and files are opened from its folder: all commands in it have the same at a time. */
let inside:
  | { readonly key: string; readonly before: NodeJS.ProcessEnv; readonly folder: string; users: number }
  | undefined

/** Whether commands with this environment can run in the process now. */
export const canEnter = (surroundings: Surroundings): boolean =>
  inside === undefined || inside.key === JSON.stringify(surroundings)

function enter(surroundings: Surroundings): () => void {
  const { env, cwd } = surroundings
  const key = JSON.stringify(surroundings)
  if (inside === undefined) {
    inside = { key, before: { ...process.env }, folder: process.cwd(), users: 0 }
    replace(env)
    process.chdir(cwd)
  }
  if (inside.key !== key)
    throw new Error('commands with different environments at the same time need processes of their own')
  const mine = inside
  mine.users += 1
  return () => {
    mine.users -= 1
    if (mine.users > 0) return
    inside = undefined
    replace(mine.before)
    process.chdir(mine.folder)
  }
}

function replace(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) if (env[name] === undefined) delete process.env[name]
  Object.assign(process.env, env)
}
