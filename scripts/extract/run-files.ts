import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { readPairs } from '../insights/pairs.ts'
import { paths } from '../runs/paths.ts'
import type { Run } from '../runs/run.ts'
import type { Extracted, Written } from './counts.ts'

/** What extraction writes, as keys of the run. */
export const outputs = {
  train: `${paths.train}part-00000.csv`,
  holdout: `${paths.holdout}part-00000.csv`,
  entities: paths.entities,
} as const

/** Reads what was written as the next step will. @throws Error when it is not what should be there */
export async function checkRows(
  run: Run,
  expected: { readonly trainPairs: number; readonly holdoutPairs: number },
  signal: AbortSignal,
): Promise<void> {
  for (const [key, rows] of [
    [outputs.train, expected.trainPairs],
    [outputs.holdout, expected.holdoutPairs],
  ] as const) {
    const { ip } = await readPairs([run.path(key)], signal)
    if (ip.length !== rows) throw new Error(`${key} has ${ip.length} rows, ${rows} were written`)
  }
}

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
