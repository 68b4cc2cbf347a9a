import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { paths } from '../lib/runs/paths.ts'
import type { Run } from '../lib/runs/run.ts'
import type { Extracted, Written } from './counts.ts'

/** What extraction writes, as keys of the run. */
export const outputs = {
  train: `${paths.train}part-00000.csv`,
  holdout: `${paths.holdout}part-00000.csv`,
  entities: paths.entities,
} as const

/** What DuckDB wrote, with the digest of its bytes. */
export async function writtenFiles(run: Run, { trainPairs, holdoutPairs, entities }: Extracted): Promise<Written> {
  const rows = { train: trainPairs, holdout: holdoutPairs, entities }
  const all = createHash('sha256')
  const files = []
  for (const [name, path] of Object.entries(outputs)) {
    const one = createHash('sha256')
    await pipeline(createReadStream(run.path(path)), one)
    all.update(one.digest())
    const bytes = (await run.store.head(path))?.size ?? 0
    files.push({ path, rows: rows[name as keyof typeof rows], bytes })
  }
  return { files, digest: all.digest('hex') }
}
