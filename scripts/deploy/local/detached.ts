import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, readFile, rename, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { UserError } from '../../lib/cli/errors.ts'
import type { Waiting } from '../../lib/cli/host.ts'
import { type EndpointRecord, endpointOf, stateOf } from '../../lib/runs/endpoint.ts'
import { paths } from '../../lib/runs/paths.ts'
import type { Run } from '../../lib/runs/run.ts'

/** Tells a process that it is the detached one, and with which token it may be stopped. Not a setting for users. */
export const TOKEN_VARIABLE = 'ENDPOINT_OF_PRESTAGE'

export interface DetachedSettings extends Waiting {
  readonly host: string
  readonly port: number
  readonly env: NodeJS.ProcessEnv
}

/** The endpoint that this run left running, if it still is. */
export async function runningEndpoint(run: Run): Promise<EndpointRecord | undefined> {
  const record = await endpointOf(run)
  return record !== undefined && (await stateOf(record)) === 'ours' ? record : undefined
}

/**
 * Starts the same script as a process of its own, which outlives this one, and waits until it answers. That process also stops the
 * endpoint that it replaces.
 * @throws UserError with the beginning of its log when it does not start; what ran before then still runs
 */
export async function startDetached(run: Run, settings: DetachedSettings): Promise<EndpointRecord> {
  await mkdir(run.path('endpoint'), { recursive: true })
  const token = randomBytes(24).toString('hex')
  // An endpoint that still runs goes on writing to the log.
  const isRunning = (await runningEndpoint(run)) !== undefined
  const log = await open(run.path(paths.endpointLog), isRunning ? 'a' : 'w')
  const logStart = (await log.stat()).size
  const child = await launch(run, token, log, settings)
  try {
    return await answering(run, { token, child, logStart, sleep: settings.sleep })
  } catch (error) {
    child.kill('SIGKILL')
    await forgetEndpoint(run, { token })
    throw error
  }
}

async function launch(
  run: Run,
  token: string,
  log: FileHandle,
  { host, port, env }: DetachedSettings,
): Promise<ChildProcess> {
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

interface Starting {
  readonly token: string
  readonly child: ChildProcess
  /** Where its part of the log begins. */
  readonly logStart: number
  readonly sleep: Waiting['sleep']
}

async function answering(run: Run, { token, child, logStart, sleep }: Starting): Promise<EndpointRecord> {
  let failed: Error | undefined
  child.once('error', (error) => {
    failed = error
  })
  for (const until = Date.now() + START_MS; Date.now() < until; await sleep(POLL_MS)) {
    const record = await endpointOf(run)
    if (record?.token === token && (await stateOf(record)) === 'ours') return record
    if (failed !== undefined || child.exitCode !== null || child.signalCode !== null)
      throw new UserError(`the endpoint did not start: ${failed?.message ?? (await reasonIn(run, logStart))}`)
  }
  throw new UserError(`the endpoint did not answer within ${START_MS / 1000} s`, {
    hint: `its log is ${run.path(paths.endpointLog)}`,
  })
}

/** The first lines that it wrote to the log. */
async function reasonIn(run: Run, logStart: number): Promise<string> {
  const log = (await readFile(run.path(paths.endpointLog))).subarray(logStart).toString('utf8')
  // Its lines name the command, which the error does as well.
  const lines = log.trim().split('\n').slice(0, 3)
  return lines.map((line) => line.replace(/^deploy: /, '')).join('; ') || 'it ended without a message'
}

/** Noted by the endpoint itself once it listens, readable by its user alone: who knows the token may stop it. */
export async function noteEndpoint(run: Run, record: EndpointRecord): Promise<void> {
  const path = run.path(paths.endpoint)
  await writeFile(`${path}.draft`, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 })
  await rename(`${path}.draft`, path)
}

/** Removes the note, unless another endpoint has taken its place. */
export async function forgetEndpoint(run: Run, { token }: Pick<EndpointRecord, 'token'>): Promise<void> {
  if ((await endpointOf(run))?.token === token) await run.store.remove(paths.endpoint)
}
