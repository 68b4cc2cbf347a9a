import { Readable } from 'node:stream'
import type { Store } from '../../lib/stores/store.ts'
import { asffOf, type Hub, MOST_IN_BATCH } from './asff.ts'
import { csvRows } from './csv.ts'
import type { About, Finding } from './finding.ts'
import { ocsfOf } from './ocsf.ts'

export const formats = ['asff', 'ocsf', 'csv'] as const
export type Format = (typeof formats)[number]

/** Writes a format and removes what an earlier run left of it beyond that. Returns the keys, in order. */
export async function writeFindings(
  store: Store,
  format: Format,
  findings: readonly Finding[],
  about: About,
  hub: Hub | undefined,
): Promise<string[]> {
  const written: string[] = []
  for (const [key, lines] of contents(format, findings, about, hub)) {
    await store.write(key, Readable.from(lines, { objectMode: false }))
    written.push(key)
  }
  for await (const { key } of store.list({ prefix: `${format}-` })) if (!written.includes(key)) await store.remove(key)
  return written
}

function* contents(
  format: Format,
  findings: readonly Finding[],
  about: About,
  hub: Hub | undefined,
): Generator<[key: string, lines: Iterable<string>]> {
  if (format === 'csv') yield ['findings.csv', csvRows(findings, about)]
  else if (format === 'ocsf') yield ['ocsf.ndjson', ndjson(findings.map((finding) => ocsfOf(finding, about)))]
  else if (hub === undefined) throw new Error('ASFF needs an account and a region')
  else
    for (let at = 0; at < findings.length; at += MOST_IN_BATCH) {
      const batch = findings.slice(at, at + MOST_IN_BATCH).map((finding) => asffOf(finding, about, hub))
      // One finding a line: people look into these files too.
      const lines = `[\n${batch.map((finding) => JSON.stringify(finding)).join(',\n')}\n]\n`
      yield [`asff-${String(at / MOST_IN_BATCH + 1).padStart(4, '0')}.json`, [lines]]
    }
}

function* ndjson(values: Iterable<unknown>): Generator<string> {
  for (const value of values) yield `${JSON.stringify(value)}\n`
}
