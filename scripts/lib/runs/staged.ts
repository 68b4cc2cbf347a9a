import { UserError } from '../cli/errors.ts'
import { count, plural } from '../cli/format.ts'
import { type CostItem, PRICES } from './cost.ts'
import { nextCommand } from './next.ts'
import { paths } from './paths.ts'
import { type Load, readCosts, withObject } from './read-cost.ts'
import type { Run } from './run.ts'
import { LINKS } from './unmoved.ts'

interface StagedFile {
  readonly key: string
  readonly path: string
  /** Bytes. */
  readonly size: number
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

/** Number and size of the staged objects, on this machine or in S3, and what else their price depends on. @throws UserError when some are missing */
export async function stagedTotals(run: Run): Promise<Load> {
  if (run.result('stage').inPlace) return totalsInPlace(run)
  let [load, last]: [Load, string] = [{ objects: 0, bytes: 0 }, '']
  for await (const object of run.store.list({ prefix: paths.staged })) {
    load = withObject(load, object)
    last = object.key
  }
  checkStaged(run, load.objects)
  // It only makes the estimate better.
  const kms = (await run.store.head(last).catch(() => undefined))?.kms
  return { ...load, ...(kms && { kms }) }
}

async function totalsInPlace(run: Run): Promise<Load> {
  const plan = run.ledger.steps.stage?.checkpoint.plan
  const isThere = plan !== undefined && (await run.store.head(LINKS)) !== undefined
  checkStaged(run, isThere ? plan.objects : 0)
  const { objects = 0, bytes = 0, cold, kms } = plan ?? {}
  return { objects, bytes, ...(cold && { cold }), ...(kms && { kms }) }
}

/** What Athena charges for a scan of staged objects, and S3 and KMS for the reading. @param scans how often they are scanned */
export const scanCosts = (load: Load, scans = 1): CostItem[] =>
  [{ what: 'bytes scanned', count: load.bytes, each: PRICES.athenaByte }, ...readCosts(load)].map((item) => ({
    ...item,
    count: item.count * scans,
  }))

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
