import { UserError } from '../lib/cli/errors.ts'
import { count, plural, spelledOut } from '../lib/cli/format.ts'
import type { Progress } from '../lib/cli/progress.ts'
import type { Checkpoint, Saved } from '../lib/runs/checkpoints.ts'
import { paths } from '../lib/runs/paths.ts'
import type { Run } from '../lib/runs/run.ts'
import { encodeKey } from '../lib/runs/selected.ts'
import { matched, type Store } from '../lib/stores/store.ts'
import type { Copier, Failure } from './copy/copier.ts'
import { outstanding, prove, proveContent, type Suspects } from './proof.ts'
import type { Selection } from './selection.ts'

export type Copied = {
  readonly copied: number
  readonly skipped: number
  readonly failed: number
  /** Copies whose content is proven, where that was asked for. */
  readonly verified?: number
  /** Nothing is copied: the objects are read where they lie. */
  readonly inPlace?: true
}

export interface Execution {
  readonly selection: Selection
  /** What an index names and the logs do not have. */
  readonly lost: readonly Failure[]
  readonly suspects: Suspects
  readonly copier: Copier
  /** Copy everything, whatever is there. */
  readonly overwrite: boolean
  /** `full` reads every copy and checks its SHA-256 where an index names one. Suspects are always read. */
  readonly verify: 'size' | 'full'
  readonly progress: Progress
  readonly signal: AbortSignal
  readonly checkpoint: Checkpoint<Saved<'stage'>>
}

/**
 * Copies what is outstanding of a selection and proves the whole. @throws UserError naming what is missing; run again, only that
 * is copied.
 */
export async function copyAndProve(run: Run, execution: Execution): Promise<Copied> {
  const { selection, suspects, progress, verify } = execution
  const staged = run.store.within(paths.staged)
  const failures = new FailureList(execution.lost)
  const counts = await copyOutstanding(staged, execution, failures)
  const proof = await prove(selection, staged, { missing: failures.missing, extra: failures.foreign })
  const doubted = doubtedRows(selection, suspects, verify)
  let verified: number
  try {
    verified = await proveContent(doubted, staged, failures.missing, execution.signal)
  } catch (error) {
    await execution.checkpoint.save({ mismatched: [...suspects, ...failures.ofKind('content')] })
    throw error
  }
  progress.end(`${count(proof.present)} of ${plural(selection.totals.objects, 'object is', 'objects are')} staged`)
  await failures.save(run.store)
  const notes = { mismatched: failures.ofKind('content'), outdated: failures.ofKind('outdated') }
  if (suspects.size + notes.mismatched.length + notes.outdated.length > 0) await execution.checkpoint.save(notes)
  if (failures.size + failures.extra > 0) throw incomplete(run, failures)
  return { ...counts, failed: 0, ...(verify === 'full' && { verified }) }
}

async function copyOutstanding(
  staged: Store,
  { selection, suspects, copier, overwrite, progress }: Execution,
  failures: FailureList,
): Promise<{ copied: number; skipped: number }> {
  const counts = { copied: 0, skipped: 0 }
  const rows = overwrite
    ? selection.rows()
    : outstanding(selection, staged, suspects, () => {
        counts.skipped += 1
        progress.advance()
      })
  await copier.copy(rows, {
    copied: (objects) => {
      counts.copied += objects
      progress.advance(objects)
    },
    failed: failures.missing,
    state: (text) => progress.state(text),
  })
  return counts
}

/** The objects whose content is to be proven. */
async function* doubtedRows(selection: Selection, suspects: Suspects, verify: 'size' | 'full') {
  for await (const object of selection.rows())
    if (suspects.has(object.key) || (verify === 'full' && object.sha256 !== undefined)) yield object
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
  const next = [
    'the same command copies only what is missing',
    failures.ofKind('content').length > 0 ? 'and what has the wrong content, which it then checks again' : '',
    failures.ofKind('outdated').length > 0 ? 'after another look at what the logs hold' : '',
  ]
  return new UserError(`run ${run.id}: ${parts.filter(Boolean).join('; ')}${failures.named}`, {
    hint: `all of them: ${run.uriOf(paths.failures)}; ${next.filter(Boolean).join(', ')}; --overwrite plans anew and copies everything`,
  })
}

/** How many failures are named in a message; all of them are in the run's stage-failures.csv. */
const NAMED = 5

/** Failures by key, the first reason given for each kept: the copier knows more than the proof. */
export class FailureList {
  readonly #reasons = new Map<string, string>()
  readonly #kinds = { outdated: new Set<string>(), content: new Set<string>() }
  #extra = 0

  constructor(failures: readonly Failure[]) {
    for (const failure of failures) this.missing(failure)
  }

  get extra(): number {
    return this.#extra
  }

  get size(): number {
    return this.#reasons.size - this.#extra
  }

  /** Lines for a message that name the first of them. */
  get named(): string {
    const first = [...this.#reasons].slice(0, NAMED)
    return first.map(([key, reason]) => `\n    ${JSON.stringify(key)}: ${reason}`).join('')
  }

  ofKind(kind: NonNullable<Failure['kind']>): string[] {
    return [...this.#kinds[kind]]
  }

  readonly missing = ({ key, reason, kind }: Failure): void => {
    if (!this.#reasons.has(key)) this.#reasons.set(key, reason)
    if (kind !== undefined) this.#kinds[kind].add(key)
  }

  readonly foreign = (key: string): void => {
    this.#extra += 1
    this.missing({ key, reason: 'not in the manifest' })
  }

  async save(store: Store): Promise<void> {
    if (this.#reasons.size === 0) return store.remove(paths.failures)
    const rows = [...this.#reasons].map(
      ([key, reason]) => `${encodeKey(key)},"${spelledOut(reason).replaceAll('"', '""')}"\n`,
    )
    await store.write(paths.failures, rows.join(''))
  }
}
