import { contentOf, type Unzstd } from './content.ts'
import { type Part, PartWriter } from './parts.ts'
import type { Readers } from './readers.ts'

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
  readonly readers: Readers
  readonly unzstd: Unzstd
  readonly signal: AbortSignal
  /** Called with each part as soon as it is whole. */
  onPart(part: Part): void
}

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
  const { prefix, members, failFast, readers, signal } = settings
  await readers.read({ files: wanted, prefix, members, failFast }, signal, (told) => {
    if ('part' in told) keep(told.part)
    else if ('reason' in told) found.push(told)
    else zstd.push(told.place)
  })
  if (zstd.length > 0 && !(failFast && found.length > 0)) {
    const writer = new PartWriter(`${prefix}-zstd`, members, keep)
    for (const place of zstd) {
      signal.throwIfAborted()
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
    bad: [...settings.bad, ...(failFast ? bad.slice(0, 1) : bad)],
  }
}
