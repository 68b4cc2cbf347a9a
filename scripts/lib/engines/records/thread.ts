import { parentPort } from 'node:worker_threads'
import type { LogFile } from './content.ts'
import { type Part, PartWriter, type Wanted } from './parts.ts'

/** What a thread is to read. */
export interface Assignment extends Wanted {
  readonly files: readonly LogFile[]
  /** Place of the next file. All threads count it up, so that each file has one reader; set to the end, it stops them all. */
  readonly next: Int32Array
  /** How the paths of its parts begin. */
  readonly prefix: string
  /** Whether the first bad file stops all threads. */
  readonly failFast: boolean
}

/** What a thread reports: how many files more are read; a part; that a file is bad, and why; or that only DuckDB can unpack it. */
export type Report =
  | { readonly more: number }
  | { readonly part: Part }
  | { readonly place: number; readonly reason: string }
  | { readonly place: number }

/** More reports of progress than this cannot be seen; the first file is reported at once. */
const REPORT_MS = 100

class ForDuckdb extends Error {}

const elsewhere = () => {
  throw new ForDuckdb()
}

async function readFiles({ files, next, prefix, failFast, ...wanted }: Assignment): Promise<void> {
  const send = (report: Report) => parentPort?.postMessage(report)
  const writer = new PartWriter(prefix, wanted, (part) => send({ part }))
  let reported = 0
  let more = 0
  const progress = () => {
    send({ more })
    more = 0
    reported = Date.now()
  }
  for (;;) {
    const place = Atomics.add(next, 0, 1)
    const file = files[place]
    if (file === undefined) break
    try {
      const reason = await writer.append(file, elsewhere)
      more += 1
      if (Date.now() - reported >= REPORT_MS) progress()
      if (reason === undefined) continue
      send({ place, reason })
      // Earlier files have their readers already, so the first bad file of all will be known.
      if (failFast) Atomics.store(next, 0, files.length)
    } catch (error) {
      if (!(error instanceof ForDuckdb)) throw named(error, file.key)
      send({ place })
    }
  }
  progress()
  writer.close()
}

/** Adds the file's key to the system's error, which does not have it. */
function named(error: unknown, key: string): unknown {
  if (error instanceof Error) error.message = `${JSON.stringify(key)}: ${error.message}`
  return error
}

// The thread ends with its one assignment, or with the error that stops it.
parentPort?.once('message', (assignment: Assignment) => void readFiles(assignment))
