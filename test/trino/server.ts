import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { tempFolder } from '../support/temp.ts'
import { type Trino, VERSION } from './install.ts'

const SOURCE = fileURLToPath(new URL('Server.java', import.meta.url))
const START_MS = 240_000

export interface Server {
  readonly url: string
  stop(): Promise<void>
}

/** Starts Trino, which ends at the latest with this process, on a free port of this machine alone, with one catalog, `memory`. @throws Error with the end of its log */
export async function startTrino({ classes, plugins }: Trino): Promise<Server> {
  const folder = tempFolder()
  const url = `http://127.0.0.1:${await freePort()}`
  writeConfiguration(folder, url, plugins)
  const log = join(folder, 'server.log')
  const child = spawn('java', [...optionsOf(folder), '-cp', classes, SOURCE, VERSION], {
    cwd: folder,
    stdio: 'pipe',
  })
  for (const stream of [child.stdout, child.stderr]) stream?.pipe(createWriteStream(log, { flags: 'a' }))
  try {
    await started(child, url)
  } catch (error) {
    await end(child)
    throw new Error(`Trino does not start\n${readFileSync(log, 'utf8').split('\n').slice(-40).join('\n')}`, {
      cause: error,
    })
  }
  return { url, stop: () => end(child) }
}

function writeConfiguration(folder: string, url: string, plugins: string): void {
  mkdirSync(join(folder, 'etc', 'catalog'), { recursive: true })
  writeFileSync(
    join(folder, 'etc', 'config.properties'),
    [
      'coordinator=true',
      'node-scheduler.include-coordinator=true',
      `http-server.http.port=${new URL(url).port}`,
      `discovery.uri=${url}`,
      `plugin.dir=${plugins}`,
      'query.max-memory=1GB',
      'query.max-memory-per-node=1GB',
      // Records come as literals.
      'query.max-length=20000000',
    ].join('\n'),
  )
  const catalog = ['connector.name=memory', 'memory.max-data-per-node=512MB']
  writeFileSync(join(folder, 'etc', 'catalog', 'memory.properties'), catalog.join('\n'))
  writeFileSync(join(folder, 'etc', 'log.properties'), '=WARN\n')
}

const optionsOf = (folder: string): string[] => [
  '-Xmx2G',
  '-Djdk.attach.allowAttachSelf=true',
  '-Dconfig=etc/config.properties',
  '-Dlog.levels-file=etc/log.properties',
  '-Dnode.environment=test',
  '-Dnode.id=test',
  `-Dnode.data-dir=${join(folder, 'data')}`,
  '-Dnode.bind-ip=127.0.0.1',
  '-Dnode.internal-address=127.0.0.1',
]

async function started(child: ChildProcess, url: string): Promise<void> {
  const deadline = Date.now() + START_MS
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`)
    const answer = await fetch(`${url}/v1/info`).catch(() => undefined)
    const info = answer?.ok ? ((await answer.json()) as { starting?: boolean }) : undefined
    if (info?.starting === false) return
    await delay(500)
  }
  throw new Error('it takes too long')
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
