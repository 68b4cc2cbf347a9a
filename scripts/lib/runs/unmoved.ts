import { pMapIterable } from 'p-map'
import { UserError } from '../cli/errors.ts'
import { count, plural } from '../cli/format.ts'
import { type AwsSettings, openLogs } from '../stores/open.ts'
import type { ObjectInfo, Store } from '../stores/store.ts'
import { nextCommand } from './next.ts'
import { paths } from './paths.ts'
import { isArchived } from './read-cost.ts'
import type { Run } from './run.ts'
import { CHANGED, GONE, parseRows } from './selected.ts'

/**
 * What a run in S3 holds in place of copies: the URIs of the objects that Athena reads where they lie, one a line. Hive's SymlinkTextInputFormat
 * reads it; S3 Inventory leaves such a file, of this name, for Athena.
 */
export const LINKS = `${paths.staged}symlink.txt`

/** A selected object, and why it cannot be read as it was selected, if so. */
interface Looked {
  readonly object: ObjectInfo
  readonly problem?: { readonly reason: string; readonly kind?: 'outdated' }
}

/** HEAD requests in flight. */
const AT_ONCE = 32

/** Looks at selected objects where they lie, in their order. */
export const lookedAt = (rows: AsyncIterable<ObjectInfo>, logs: Pick<Store, 'head'>): AsyncIterable<Looked> =>
  pMapIterable(
    rows,
    async (object): Promise<Looked> => {
      const problem = problemOf(object, await logs.head(object.key))
      return { object, ...(problem && { problem }) }
    },
    { concurrency: AT_ONCE },
  )

function problemOf(object: ObjectInfo, now: ObjectInfo | undefined): Looked['problem'] {
  if (now === undefined) return GONE
  if (now.size !== object.size || (object.etag !== undefined && now.etag !== object.etag)) return CHANGED
  // Athena leaves such an object out and says nothing.
  if (isArchived(now) && now.restored !== 'yes') return { reason: `archived (${now.storageClass}): restore it first` }
  return undefined
}

/** Objects that an error names. */
const NAMED = 5

/**
 * Checks that all objects that a run reads in place lie there as they were selected, by size and ETag; a run with copies passes.
 * @throws UserError naming what does not
 */
export async function proveInPlace(run: Run, aws: AwsSettings, onState = (_: string) => {}): Promise<void> {
  if (run.result('stage').inPlace !== true) return
  onState('looking at the objects where they lie')
  const { store } = await openLogs(run.request.logs, aws)
  const named: string[] = []
  let [all, wrong] = [0, 0]
  for await (const { object, problem } of lookedAt(parseRows(await run.store.read(paths.selection)), store)) {
    aws.signal?.throwIfAborted()
    all += 1
    if (problem === undefined) continue
    wrong += 1
    if (named.length < NAMED) named.push(`\n    ${JSON.stringify(object.key)}: ${problem.reason}`)
  }
  if (wrong === 0) return
  throw new UserError(
    `run ${run.id} reads ${plural(all, 'object')} where they lie, and ${count(wrong)} of them cannot be read as selected${named.join('')}`,
    { hint: `${nextCommand('stage', run)} looks at what the logs hold now; then extract with --overwrite` },
  )
}
