// The one file that touches `process`: it makes TypeScript loadable, makes a host of this process, and sets the exit code.
// It is JavaScript because Node 20 needs tsx to load TypeScript; Node 22.18 and later strip types by themselves.

import { setMaxListeners } from 'node:events'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const OLDEST_NODE = [20, 18]
/** A wrapper may pass on the signal that the terminal sent already: that is still one press. */
const SAME_PRESS_MS = 100

/**
 * Runs one script.
 * @param {string} entry `import.meta.url` of the entry
 * @param {() => Promise<{ command: import('./command.ts').Command }>} load imports the script's command.ts
 */
export async function run(entry, load) {
  // A top-level await that never settles ends with code 0 under zx: only a finished command may set it to 0.
  process.exitCode = 1
  await withTypeScript(async () => {
    watchStreams()
    const guard = await guardSignals()
    try {
      const [{ runCommand }, { argumentsOf }] = await Promise.all([import('./run.ts'), import('./arguments.ts')])
      const { command } = await load()
      const exitCode = await runCommand(command, argumentsOf(entry, process.argv), hostOf(guard.signal))
      if (!streamFailed) process.exitCode = exitCode
    } finally {
      guard.release()
    }
  })
}

/**
 * Makes TypeScript loadable and does something with it. Says what to do where Node is too old or packages are missing.
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T | undefined>}
 */
export async function withTypeScript(work) {
  if (isTooOld(process.versions.node)) {
    complain(`Node ${OLDEST_NODE.join('.')} or newer is needed; this is ${process.version}`)
    return undefined
  }
  // Else the AWS SDK talks about future versions of Node on every run.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
  try {
    if (!Reflect.get(process.features, 'typescript')) (await import('tsx/esm/api')).register()
    return await work()
  } catch (error) {
    if (!isMissingPackage(error)) throw error
    complain(`${error.message}: run "npm ci" in ${fileURLToPath(new URL('../../..', import.meta.url))} first`)
    return undefined
  }
}

/**
 * This process as a host.
 * @param {AbortSignal} signal stops what runs on it
 * @returns {import('./host.ts').Host}
 */
export const hostOf = (signal) => ({
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signal,
  owner: { host: hostname(), pid: process.pid, isAlive },
  now: () => new Date(),
  sleep: async (ms) => {
    signal.throwIfAborted()
    await sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted())
  },
})

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return Reflect.get(Object(error), 'code') === 'EPERM'
  }
}

/** The first Ctrl-C or SIGTERM stops what runs on the signal cleanly, the second ends the process at once. */
export async function guardSignals() {
  const { Interrupted } = await import('./errors.ts')
  const controller = new AbortController()
  // Every request in flight listens; ten are no leak.
  setMaxListeners(0, controller.signal)
  let since = Number.NEGATIVE_INFINITY
  const handlers = /** @type {const} */ (['SIGINT', 'SIGTERM']).map((signal) => {
    const reason = new Interrupted(signal)
    const handler = () => {
      if (controller.signal.aborted) {
        if (Date.now() - since >= SAME_PRESS_MS) process.exit(reason.exitCode)
        return
      }
      since = Date.now()
      controller.abort(reason)
    }
    process.on(signal, handler)
    return { signal, handler }
  })
  return {
    signal: controller.signal,
    release: () => {
      for (const { signal, handler } of handlers) process.off(signal, handler)
    },
  }
}

let streamFailed = false

/** A reader that has seen enough is no failure; a full disk under the result is. Talk that nobody can hear ends no work. */
function watchStreams() {
  process.stderr.on('error', () => {})
  process.stdout.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
    if (error.code === 'EPIPE') return
    complain(`standard output: ${error.message}`)
    streamFailed = true
    process.exitCode = 1
  })
}

/** @param {string} version */
function isTooOld(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor)
}

/** @param {unknown} error @returns {error is Error} */
const isMissingPackage = (error) =>
  error instanceof Error && Reflect.get(error, 'code') === 'ERR_MODULE_NOT_FOUND' && error.message.includes('package')

/** @param {string} text */
const complain = (text) => void process.stderr.write(`${text}\n`)
