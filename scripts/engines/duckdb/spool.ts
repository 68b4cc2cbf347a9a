import type { Worker } from 'node:worker_threads'
import { type StartThread, threadsOf } from '../../cli/thread.ts'
import { contentOf, type Unzstd } from './content.ts'
import { type Part, PartWriter } from './parts.ts'
import type { Assignment, Told } from './spool-thread.ts'

/** A log file. */
export interface LogFile {
  readonly key: string
  readonly path: string
  /** Bytes. */
  readonly size: number
}

/** A file that cannot be read to its end, or is no log file. */
export type BadFile = { readonly key: string; readonly reason: string }

/** The records of log files. */
export interface Spool {
  readonly parts: readonly Part[]
  readonly records: number
  readonly bad: readonly BadFile[]
}

export interface SpoolSettings {
  /** Of the paths of its parts. */
  readonly prefix: string
  /** Members of a record that are kept. */
  readonly members: readonly string[]
  /** Files that are known to be bad already. */
  readonly bad: readonly BadFile[]
  /** Whether the first bad file ends it. */
  readonly failFast: boolean
  readonly threads: number
  readonly startThread: StartThread
  readonly unzstd: Unzstd
  readonly signal: AbortSignal
  /** Called with each part as soon as it is whole. */
  onPart(part: Part): void
}

/** More would wait for the disk, and each takes some 40 MB. */
const MOST_THREADS = 4

/** The threads that `spool` needs, which take a moment to prepare. */
export const readers = (): Promise<StartThread> => threadsOf(new URL('spool-thread.ts', import.meta.url))

/** Gathers the records of log files, all of a file or none. Which part a file comes to depends on the threads' pace; the rest does not. */
export async function spool(files: readonly LogFile[], settings: SpoolSettings): Promise<Spool> {
  const known = new Set(settings.bad.map(({ key }) => key))
  const wanted = files.filter(({ key }) => !known.has(key))
  const parts: Part[] = []
  const zstd: number[] = []
  const found: { place: number; reason: string }[] = []
  const keep = (part: Part) => {
    parts.push(part)
    settings.onPart(part)
  }
  await inThreads(wanted, settings, (told) => {
    if ('part' in told) keep(told.part)
    else if ('reason' in told) found.push(told)
    else zstd.push(told.place)
  })
  if (zstd.length > 0 && !(settings.failFast && found.length > 0)) {
    const writer = new PartWriter(`${settings.prefix}-zstd`, settings.members, keep)
    for (const place of zstd) {
      settings.signal.throwIfAborted()
      const { key, path, size } = wanted[place] as LogFile
      const reason = await writer.append(key, () => contentOf(path, size, settings.unzstd))
      if (reason !== undefined) found.push({ place, reason })
    }
    writer.close()
  }
  found.sort((a, b) => a.place - b.place)
  const bad = found.map(({ place, reason }) => ({ key: (wanted[place] as LogFile).key, reason }))
  return {
    parts,
    records: parts.flatMap((part) => part.files).reduce((sum, { records }) => sum + records, 0),
    bad: [...settings.bad, ...(settings.failFast ? bad.slice(0, 1) : bad)],
  }
}

/** Reads files on several threads; ends when all of them have, also when one fails. */
async function inThreads(files: readonly LogFile[], settings: SpoolSettings, listen: (told: Told) => void) {
  const { members, prefix, failFast, signal, startThread } = settings
  signal.throwIfAborted()
  const next = new Int32Array(new SharedArrayBuffer(4))
  const count = Math.max(1, Math.min(settings.threads, MOST_THREADS, files.length))
  const threads = Array.from({ length: count }, (_, i) => {
    const assignment: Assignment = { files, next, members, prefix: `${prefix}-${i}`, failFast }
    return ended(startThread(assignment), listen, signal).catch((error: unknown) => {
      Atomics.store(next, 0, files.length)
      throw error
    })
  })
  for (const result of await Promise.allSettled(threads)) if (result.status === 'rejected') throw result.reason
}

/** Listens to a thread until it ends. */
async function ended(thread: Worker, listen: (told: Told) => void, signal: AbortSignal): Promise<void> {
  const stop = () => void thread.terminate()
  signal.addEventListener('abort', stop)
  try {
    await new Promise<void>((resolve, reject) => {
      thread.on('message', listen)
      thread.on('error', reject)
      thread.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a reading thread ended with ${code}`))))
    })
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
