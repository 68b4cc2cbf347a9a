import { parentPort } from 'node:worker_threads'
import { contentOf } from './content.ts'
import { type Part, PartWriter } from './parts.ts'
import type { LogFile } from './spool.ts'

/** What a thread that reads log files is given. */
export interface Assignment {
  readonly files: readonly LogFile[]
  /** Place of the next file, which all threads count up together: each file has one reader, and whoever sets it to the end stops all. */
  readonly next: Int32Array
  readonly members: readonly string[]
  /** Of the paths of its parts. */
  readonly prefix: string
  /** Whether the first bad file ends it. */
  readonly failFast: boolean
}

/** What it tells: a part; of a file by its place, that it is bad and why, or that only DuckDB can unpack it. */
export type Told =
  | { readonly part: Part }
  | { readonly place: number; readonly reason: string }
  | { readonly place: number }

class Zstandard extends Error {}

const elsewhere = () => {
  throw new Zstandard()
}

async function readFiles({ files, next, members, prefix, failFast }: Assignment): Promise<void> {
  const tell = (told: Told) => parentPort?.postMessage(told)
  const writer = new PartWriter(prefix, members, (part) => tell({ part }))
  for (;;) {
    const place = Atomics.add(next, 0, 1)
    const file = files[place]
    if (file === undefined) break
    try {
      const reason = await writer.append(file.key, () => contentOf(file.path, file.size, elsewhere))
      if (reason === undefined) continue
      tell({ place, reason })
      // Files before this one have their readers already, so that the first bad one of all will be known.
      if (failFast) Atomics.store(next, 0, files.length)
    } catch (error) {
      if (!(error instanceof Zstandard)) throw named(error, file.key)
      tell({ place })
    }
  }
  writer.close()
}

/** The system does not say which file it failed to read. */
function named(error: unknown, key: string): unknown {
  if (error instanceof Error) error.message = `${JSON.stringify(key)}: ${error.message}`
  return error
}

// It ends with its one assignment; a failure ends it, too, with its error.
parentPort?.once('message', (assignment: Assignment) => void readFiles(assignment))
