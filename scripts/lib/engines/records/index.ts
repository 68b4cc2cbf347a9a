// The records of log files, found and cut down before DuckDB reads them. A log file passes through these parts, in this order:
//  1. index.ts    hands the files to threads, which take one after the other, and collects what they report.
//  2. threads.ts  starts and stops the threads; thread.ts is what runs in each of them.
//  3. content.ts  opens a file and unpacks it: plain, gzip, Zstandard or Parquet. A damaged or cut-off file is an error.
//  4. reader.ts   finds the records in JSON and keeps the requested members of each, as a line of JSON; text.ts does it for lines of fields.
//  5. json.ts     steps over strings and values for it, byte by byte, without parsing them.
//  6. parts.ts    writes the lines into part files: all records of a log file, or none.
//  7. index.ts    then reads the Zstandard and Parquet files in this thread, because only DuckDB can.
// Meanwhile ../duckdb/duckdb.ts loads each part as soon as it is complete. When DuckDB finds records that are not JSON after all,
// `malformedFiles` finds the files that they came from.
import { createReadStream } from 'node:fs'
import { messageOf } from '../../cli/errors.ts'
import { linesOf } from '../../stores/lines.ts'
import type { LogFile, Unpack } from './content.ts'
import { type Part, PartWriter, type Wanted } from './parts.ts'
import type { Readers } from './threads.ts'

export type { LogFile } from './content.ts'

/** A file that cannot be read to its end, or is not a log file. */
export type BadFile = { readonly key: string; readonly reason: string }

/** The records of log files. */
export interface Records {
  readonly parts: readonly Part[]
  readonly records: number
  readonly bad: readonly BadFile[]
}

export interface ReadSettings extends Wanted {
  /** How the paths of the parts begin. */
  readonly prefix: string
  /** Files that are known to be bad. */
  readonly bad: readonly BadFile[]
  /** Whether the first bad file ends the reading. */
  readonly failFast: boolean
  readonly readers: Readers
  readonly unpack: Unpack
  readonly signal: AbortSignal
  /** Called with the number of files that have been read since the last call. */
  onFiles(more: number): void
  /** Called with each part as soon as it is complete. */
  onPart(part: Part): void
}

/** Collects the records of log files: all of a file or none. Only which part a file ends up in depends on the pace of the threads. */
export async function readRecords(files: readonly LogFile[], settings: ReadSettings): Promise<Records> {
  const { prefix, members, text, failFast, readers, unpack, signal } = settings
  const known = new Set(settings.bad.map(({ key }) => key))
  const wanted = files.filter(({ key }) => !known.has(key))
  const parts: Part[] = []
  const zstd: number[] = []
  const found: { place: number; reason: string }[] = []
  const keep = (part: Part) => {
    parts.push(part)
    settings.onPart(part)
  }
  await readers.read({ files: wanted, prefix, members, text, failFast }, signal, (report) => {
    if ('more' in report) settings.onFiles(report.more)
    else if ('part' in report) keep(report.part)
    else if ('reason' in report) found.push(report)
    else zstd.push(report.place)
  })
  if (zstd.length > 0 && !(failFast && found.length > 0)) {
    const writer = new PartWriter(`${prefix}-zstd`, { members, text }, keep)
    for (const place of zstd) {
      signal.throwIfAborted()
      const reason = await writer.append(wanted[place] as LogFile, unpack)
      settings.onFiles(1)
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

/**
 * Finds the files with records that are not JSON after all. DuckDB only reports that some records are unreadable, and among these are
 * valid ones with members of another type. So this parses every line again, and is only for that case.
 */
export async function malformedFiles(parts: readonly Part[], signal: AbortSignal): Promise<BadFile[]> {
  const bad: BadFile[] = []
  for (const part of parts) bad.push(...(await malformedIn(part, signal)))
  return bad.sort((a, b) => (a.key < b.key ? -1 : 1))
}

async function malformedIn(part: Part, signal: AbortSignal): Promise<BadFile[]> {
  const bad: BadFile[] = []
  const files = part.files[Symbol.iterator]()
  let [key, left] = ['', 0]
  for await (const line of linesOf(createReadStream(part.path))) {
    signal.throwIfAborted()
    while (left === 0) {
      const next = files.next()
      if (next.done) throw new Error(`${part.path} has more lines than records`)
      key = next.value.key
      left = next.value.records
    }
    left -= 1
    if (bad.at(-1)?.key === key) continue
    try {
      JSON.parse(line)
    } catch (error) {
      bad.push({ key, reason: messageOf(error) })
    }
  }
  return bad
}
