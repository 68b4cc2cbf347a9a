import { UserError } from '../cli/errors.ts'
import { count, plural } from '../cli/format.ts'
import { sizeOf } from '../stores/store.ts'
import { nextCommand } from './next.ts'
import { paths } from './paths.ts'
import type { Run } from './run.ts'

interface StagedFile {
  readonly key: string
  readonly path: string
  /** Bytes. */
  readonly size: number
}

interface Totals {
  readonly objects: number
  readonly bytes: number
}

/** The staged objects on this machine, in key order. @throws UserError when some are missing */
export async function stagedFiles(run: Run): Promise<StagedFile[]> {
  const staged = run.store.within(paths.staged)
  const files: StagedFile[] = []
  for await (const { key, size } of staged.list()) {
    const path = staged.localPath?.(key)
    if (path === undefined) throw new Error(`${run.uri} is not on this machine`)
    files.push({ key, path, size })
  }
  checkStaged(run, files.length)
  return files
}

/** How many objects were staged. */
export const stagedObjects = (run: Run): number => run.result('stage').objects

/** Number and size of the staged objects, on this machine or in S3. @throws UserError when some are missing */
export async function stagedTotals(run: Run): Promise<Totals> {
  const totals = await sizeOf(run.store.list({ prefix: paths.staged }))
  checkStaged(run, totals.objects)
  return totals
}

function checkStaged(run: Run, found: number): void {
  const objects = stagedObjects(run)
  if (found !== objects)
    throw new UserError(
      `run ${run.id}: ${plural(objects, 'object was', 'objects were')} staged, ${count(found)} ${found === 1 ? 'is' : 'are'} there`,
      {
        hint: nextCommand('stage', run),
      },
    )
  if (found === 0)
    throw new UserError(`run ${run.id}: nothing was staged, so there is nothing to extract`, {
      hint: 'stage another window; npx zx scripts/inventory.mjs shows which days there are',
    })
}
