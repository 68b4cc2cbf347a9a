import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { UserError } from '../cli/errors.ts'
import { count } from '../cli/format.ts'
import { readPairs } from '../insights/pairs.ts'
import { nextCommand } from '../runs/next.ts'
import { paths } from '../runs/paths.ts'
import type { Run } from '../runs/run.ts'
import type { LogFile } from './spool.ts'

/** What extraction writes, as keys of the run. */
export const outputs = {
  train: `${paths.train}part-00000.csv`,
  holdout: `${paths.holdout}part-00000.csv`,
  entities: paths.entities,
} as const

/** The staged objects, in key order. @throws UserError when they are not all there */
export async function stagedFiles(run: Run): Promise<LogFile[]> {
  const staged = run.store.within(paths.staged)
  const files: LogFile[] = []
  for await (const { key, size } of staged.list()) {
    const path = staged.localPath?.(key)
    if (path === undefined)
      throw new UserError(`${run.uri} is not on this machine`, { hint: 'extracting in AWS is not there yet' })
    files.push({ key, path, size })
  }
  const { objects } = run.result('stage')
  if (files.length !== objects)
    throw new UserError(
      `run ${run.id}: ${count(Number(objects))} objects were staged, ${count(files.length)} are there`,
      { hint: nextCommand('stage', run) },
    )
  if (files.length === 0)
    throw new UserError(`run ${run.id}: nothing was staged, so there is nothing to extract`, {
      hint: 'stage another window; npx zx scripts/inventory.mjs shows which days there are',
    })
  return files
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

/** Names the bytes of all that was written. */
export async function digestOfOutputs(run: Run): Promise<string> {
  const all = createHash('sha256')
  for (const key of Object.values(outputs)) {
    const one = createHash('sha256')
    await pipeline(createReadStream(run.path(key)), one)
    all.update(one.digest())
  }
  return all.digest('hex')
}
