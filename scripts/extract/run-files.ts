import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { UserError } from '../cli/errors.ts'
import { count } from '../cli/format.ts'
import { readPairs } from '../insights/pairs.ts'
import { nextCommand } from '../runs/next.ts'
import { paths } from '../runs/paths.ts'
import type { Run } from '../runs/run.ts'
import type { Extracted, Written } from './counts.ts'
import type { LogFile } from './spool.ts'

/** What extraction writes, as keys of the run. */
export const outputs = {
  train: `${paths.train}part-00000.csv`,
  holdout: `${paths.holdout}part-00000.csv`,
  entities: paths.entities,
} as const

interface Totals {
  readonly objects: number
  readonly bytes: number
}

/** The staged objects on this machine, in key order. @throws UserError when they are not all there */
export async function stagedFiles(run: Run): Promise<LogFile[]> {
  const staged = run.store.within(paths.staged)
  const files: LogFile[] = []
  for await (const { key, size } of staged.list()) {
    const path = staged.localPath?.(key)
    if (path === undefined) throw new Error(`${run.uri} is not on this machine`)
    files.push({ key, path, size })
  }
  checkStaged(run, files.length)
  return files
}

/** How much is staged, wherever that is. @throws UserError when it is not all there */
export async function stagedTotals(run: Run): Promise<Totals> {
  let [objects, bytes] = [0, 0]
  for await (const { size } of run.store.list({ prefix: paths.staged })) {
    objects += 1
    bytes += size
  }
  checkStaged(run, objects)
  return { objects, bytes }
}

function checkStaged(run: Run, found: number): void {
  const { objects } = run.result('stage')
  if (found !== objects)
    throw new UserError(`run ${run.id}: ${count(Number(objects))} objects were staged, ${count(found)} are there`, {
      hint: nextCommand('stage', run),
    })
  if (found === 0)
    throw new UserError(`run ${run.id}: nothing was staged, so there is nothing to extract`, {
      hint: 'stage another window; npx zx scripts/inventory.mjs shows which days there are',
    })
}

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
