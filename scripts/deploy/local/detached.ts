import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { UserError } from '../../lib/cli/errors.ts'
import { type EndpointRecord, endpointOf, stateOf, stopEndpoint } from '../../lib/runs/endpoint.ts'
import { paths } from '../../lib/runs/paths.ts'
import type { Run } from '../../lib/runs/run.ts'

/** Tells a process that it is the one that was left running, and how it may be stopped. Not a setting of users. */
export const TOKEN_VARIABLE = 'ENDPOINT_OF_PRESTAGE'

export interface DetachedSettings {
  readonly host: string
  readonly port: number
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
}

/** The endpoint that this run left running, if it still is. */
export async function runningEndpoint(run: Run): Promise<EndpointRecord | undefined> {
  const record = await endpointOf(run)
  return record !== undefined && (await stateOf(record)) === 'ours' ? record : undefined
}

/**
 * Starts the same script as a process of its own, which outlives this one, and waits until it answers. One that is running
 * already, with another model or at another place, is stopped first.
 * @throws UserError with the end of its log when it does not start
 */
export async function startDetached(run: Run, settings: DetachedSettings): Promise<EndpointRecord> {
  const before = await endpointOf(run)
  if (before !== undefined) await stopEndpoint(before)
  await run.store.remove(paths.endpoint)
  await mkdir(run.path('endpoint'), { recursive: true })
  const token = randomBytes(24).toString('hex')
  const child = await launch(run, token, settings)
  try {
    return await answering(run, token, child, settings.signal)
  } catch (error) {
    child.kill('SIGKILL')
    await run.store.remove(paths.endpoint)
    throw error
  }
}

async function launch(run: Run, token: string, { host, port, env }: DetachedSettings): Promise<ChildProcess> {
  const log = await open(run.path(paths.endpointLog), 'w')
  try {
    const script = fileURLToPath(new URL('../../deploy.mjs', import.meta.url))
    const workspace = run.uri.replace(/\/runs\/[^/]+$/, '')
    const args = [script, '--workspace', workspace, '--run', run.id, '--host', host, '--port', String(port)]
    const child = spawn(process.execPath, args, {
      cwd: run.path('endpoint'),
      detached: true,
      env: { ...withoutSettings(env), [TOKEN_VARIABLE]: token },
      stdio: ['ignore', log.fd, log.fd],
    })
    child.unref()
    return child
  } finally {
    await log.close()
  }
}

/** All that the process needs is among its arguments. */
const withoutSettings = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('PRESTAGE_')))

const START_MS = 60_000
const POLL_MS = 50

async function answering(run: Run, token: string, child: ChildProcess, signal: AbortSignal): Promise<EndpointRecord> {
  let failed: Error | undefined
  child.once('error', (error) => {
    failed = error
  })
  for (const until = Date.now() + START_MS; Date.now() < until; await sleep(POLL_MS, undefined, { signal })) {
    const record = await endpointOf(run)
    if (record?.token === token && (await stateOf(record)) === 'ours') return record
    if (failed !== undefined || child.exitCode !== null || child.signalCode !== null)
      throw new UserError(`the endpoint did not start: ${failed?.message ?? (await lastWords(run))}`)
  }
  throw new UserError(`the endpoint did not answer within ${START_MS / 1000} s`, {
    hint: `its log is ${run.path(paths.endpointLog)}`,
  })
}

/** The first failure that the log names. */
async function lastWords(run: Run): Promise<string> {
  const log = await readFile(run.path(paths.endpointLog), 'utf8')
  return log.trim().split('\n').slice(0, 3).join('; ') || 'it ended without a word'
}

/** Noted by the endpoint itself once it listens, readable by its user alone: who knows the token may stop it. */
export async function noteEndpoint(run: Run, record: EndpointRecord): Promise<void> {
  const path = run.path(paths.endpoint)
  await writeFile(`${path}.draft`, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 })
  await rename(`${path}.draft`, path)
}

/** Unless another endpoint has taken its place. */
export async function forgetEndpoint(run: Run, { token }: EndpointRecord): Promise<void> {
  if ((await endpointOf(run))?.token === token) await run.store.remove(paths.endpoint)
}
