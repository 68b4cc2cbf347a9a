import { createReadStream } from 'node:fs'
import { messageOf } from '../../cli/errors.ts'
import { linesOf } from '../../stores/lines.ts'
import type { Part } from './parts.ts'
import type { BadFile } from './spool.ts'

/**
 * The files that have records which are no JSON after all. DuckDB only says that there are unreadable records, and those of other
 * types than expected are among them; this parses every line again, and is for when there are some.
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
