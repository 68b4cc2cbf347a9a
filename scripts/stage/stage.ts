import { UserError } from '../lib/cli/errors.ts'
import { count, plural } from '../lib/cli/format.ts'
import type { Progress } from '../lib/cli/progress.ts'
import { paths } from '../lib/runs/paths.ts'
import type { Run } from '../lib/runs/run.ts'
import { matched } from '../lib/stores/merge.ts'
import type { Store } from '../lib/stores/store.ts'
import type { Copier, Failure } from './copy/copier.ts'
import { outstanding, prove } from './proof.ts'
import { encodeKey, type Selection } from './selection.ts'
import { verifyContent } from './verify.ts'

export type Copied = {
  readonly copied: number
  readonly skipped: number
  readonly failed: number
  /** Copies whose content is proven, where that was asked for. */
  readonly verified?: number
}

export interface CopySettings {
  /** Copy all, whatever is there. */
  readonly again: boolean
  /** What an index names and the logs do not have. */
  readonly lost: readonly Failure[]
  /** `full` reads every copy and checks its SHA-256 where an index names one. */
  readonly verify: 'size' | 'full'
  readonly progress: Progress
  readonly signal: AbortSignal
}

/** How many failures are named in a message; all of them are in the run's stage-failures.csv. */
const NAMED = 5

/**
 * Copies what is outstanding of a selection and proves the whole. @throws UserError naming what is missing; run again, only that
 * is copied.
 */
export async function copyAndProve(
  run: Run,
  selection: Selection,
  copier: Copier,
  { again, lost, verify, progress, signal }: CopySettings,
): Promise<Copied> {
  const staged = run.store.within(paths.staged)
  const failures = new FailureList()
  for (const failure of lost) failures.add(failure)
  let [copied, skipped] = [0, 0]
  const rows = again
    ? selection.rows()
    : outstanding(selection, staged, () => {
        skipped += 1
        progress.advance()
      })
  await copier.copy(rows, {
    copied: (objects) => {
      copied += objects
      progress.advance(objects)
    },
    failed: (failure) => failures.add(failure),
    state: (text) => progress.state(text),
  })
  const proof = await prove(selection, staged, {
    missing: (failure) => failures.add(failure),
    extra: (key) => failures.addExtra(key),
  })
  const verified =
    verify === 'full' ? await verifyContent(selection, staged, (failure) => failures.add(failure), signal) : undefined
  progress.end(`${count(proof.present)} of ${plural(selection.totals.objects, 'object is', 'objects are')} staged`)
  await failures.save(run.store)
  if (failures.size + failures.extra > 0) throw incomplete(run, failures)
  return { copied, skipped, failed: 0, ...(verified !== undefined && { verified }) }
}

/** Removes staged objects that the selection does not have, as left by an earlier plan. */
export async function removeExtra(run: Run, selection: Selection): Promise<void> {
  const staged = run.store.within(paths.staged)
  for await (const { left, right } of matched(selection.rows(), staged.list()))
    if (left === undefined && right !== undefined) await staged.remove(right.key)
}

function incomplete(run: Run, failures: FailureList): UserError {
  const parts = [
    failures.size > 0 ? `${plural(failures.size, 'object')} of the manifest could not be staged` : '',
    failures.extra > 0
      ? `${plural(failures.extra, 'object lies', 'objects lie')} in ${paths.staged} that the manifest does not name`
      : '',
  ]
  const named = failures.first.map(({ key, reason }) => `\n    ${JSON.stringify(key)}: ${reason}`).join('')
  return new UserError(`run ${run.id}: ${parts.filter(Boolean).join('; ')}${named}`, {
    hint: `all of them: ${run.uriOf(paths.failures)}; the same command copies only what is missing, --overwrite plans anew`,
  })
}

/** Failures by key, the first reason given for each kept: the copier knows more than the proof. */
class FailureList {
  readonly #reasons = new Map<string, string>()
  extra = 0

  get size(): number {
    return this.#reasons.size - this.extra
  }

  get first(): Failure[] {
    return [...this.#reasons].slice(0, NAMED).map(([key, reason]) => ({ key, reason }))
  }

  add({ key, reason }: Failure): void {
    if (!this.#reasons.has(key)) this.#reasons.set(key, reason)
  }

  addExtra(key: string): void {
    this.extra += 1
    this.add({ key, reason: 'not in the manifest' })
  }

  async save(store: Store): Promise<void> {
    if (this.#reasons.size === 0) return store.remove(paths.failures)
    const rows = [...this.#reasons].map(([key, reason]) => `${encodeKey(key)},"${reason.replaceAll('"', '""')}"\n`)
    await store.write(paths.failures, rows.join(''))
  }
}
