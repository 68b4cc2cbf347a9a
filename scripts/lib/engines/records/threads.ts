import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Assignment, Report } from './thread.ts'

/** More threads would wait for the disk, and each takes some 40 MB. */
const MOST_THREADS = 4

/** Threads that read log files. They start before the files are known, to be ready when these have been listed. */
export class Readers {
  readonly #start: () => Reader[]
  readonly #all: Reader[] = []
  #ready: readonly Reader[]

  private constructor(start: () => Reader[]) {
    this.#start = () => {
      const started = start()
      this.#all.push(...started)
      return started
    }
    this.#ready = this.#start()
  }

  static async start(threads: number): Promise<Readers> {
    const startThread = await threadStarter()
    const count = Math.max(1, Math.min(threads, MOST_THREADS))
    return new Readers(() => Array.from({ length: count }, () => new Reader(startThread())))
  }

  /** Has files read, each by one thread. Settles when all threads have ended, also after a failure or an abort. */
  async read(
    { prefix, ...assignment }: Omit<Assignment, 'next'>,
    signal: AbortSignal,
    listen: (report: Report) => void,
  ): Promise<void> {
    signal.throwIfAborted()
    const { files } = assignment
    const next = new Int32Array(new SharedArrayBuffer(4))
    // A thread ends with its assignment.
    const ready = this.#ready.length > 0 ? this.#ready : this.#start()
    this.#ready = []
    const stop = () => void this.stop()
    signal.addEventListener('abort', stop)
    const reading = ready.slice(0, Math.max(1, files.length)).map((reader, i) =>
      reader.read({ ...assignment, next, prefix: `${prefix}-${i}` }, listen).catch((error: unknown) => {
        Atomics.store(next, 0, files.length)
        throw error
      }),
    )
    const results = await Promise.allSettled(reading)
    signal.removeEventListener('abort', stop)
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  /** Ends threads that have not ended. */
  async stop(): Promise<void> {
    await Promise.all(this.#all.map((reader) => reader.stop()))
  }
}

class Reader {
  private readonly thread: Worker
  private readonly ended: Promise<void>

  constructor(thread: Worker) {
    this.thread = thread
    this.ended = new Promise((resolve, reject) => {
      thread.on('error', reject)
      thread.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a reading thread ended with ${code}`))))
    })
    // A failure is reported to whoever calls `read`.
    this.ended.catch(() => {})
  }

  /** Gives the thread its assignment and listens until it ends. */
  async read(assignment: Assignment, listen: (report: Report) => void): Promise<void> {
    this.thread.on('message', listen)
    this.thread.postMessage(assignment)
    await this.ended
  }

  async stop(): Promise<void> {
    await this.thread.terminate()
  }
}

/** Makes `thread.ts` ready to run in threads, and returns what starts one. It may not await at its top, nor import anything late. */
async function threadStarter(): Promise<() => Worker> {
  const module = new URL('thread.ts', import.meta.url)
  if (Reflect.get(process.features, 'typescript')) return () => new Worker(module)
  code ??= bundleOf(fileURLToPath(module))
  const script = await code
  return () => new Worker(script, { eval: true })
}

let code: Promise<string> | undefined

/** One script of a module and all that it imports: tsx would start in each thread anew, which takes longer. */
async function bundleOf(path: string): Promise<string> {
  const { build } = await import('esbuild')
  const settings = { bundle: true, platform: 'node', format: 'cjs', write: false, logLevel: 'silent' } as const
  const { outputFiles } = await build({ ...settings, entryPoints: [path] })
  return outputFiles[0]?.text ?? ''
}
