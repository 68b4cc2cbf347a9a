import { Readable } from 'node:stream'
import { UserError } from '../lib/cli/errors.ts'
import { count, plural } from '../lib/cli/format.ts'
import { paths } from '../lib/runs/paths.ts'
import type { Run } from '../lib/runs/run.ts'
import { batched } from '../lib/runs/selected.ts'
import { LINKS, lookedAt } from '../lib/runs/unmoved.ts'
import type { ObjectInfo, Store } from '../lib/stores/store.ts'
import { type Copied, type Execution, FailureList } from './execute.ts'
import type { Task } from './request.ts'
import type { Selection } from './selection.ts'

/** Whether a run holds no copies: its workspace is in S3, and Athena reads the source where it lies. */
export const isInPlace = ({ scope }: Pick<Task, 'scope'>, workspace: string): boolean =>
  scope.source.inPlace === true && workspace.startsWith('s3://')

type Noted = Pick<Execution, 'selection' | 'lost' | 'progress' | 'signal' | 'checkpoint'>

/**
 * Looks at every selected object where it lies, and notes the URIs of all. @throws UserError naming what is not there as it was selected
 */
export async function noteInPlace(run: Run, { logs }: Pick<Task, 'logs'>, noted: Noted): Promise<Copied> {
  const { selection, lost, progress, signal, checkpoint } = noted
  const failures = new FailureList(lost)
  for await (const { object, problem } of lookedAt(selection.rows(), logs.store)) {
    signal.throwIfAborted()
    if (problem !== undefined) failures.missing({ key: object.key, ...problem })
    progress.advance()
  }
  const { objects } = selection.totals
  progress.end(
    `${count(objects - failures.size)} of ${plural(objects, 'object lies', 'objects lie')} there as selected`,
  )
  await failures.save(run.store)
  const outdated = failures.ofKind('outdated')
  if (outdated.length > 0) await checkpoint.save({ outdated })
  if (failures.size > 0)
    throw new UserError(
      `run ${run.id}: ${plural(failures.size, 'object')} of the manifest cannot be read where they lie${failures.named}`,
      { hint: `all of them: ${run.uriOf(paths.failures)}; the same command looks again at what the logs hold` },
    )
  // What an earlier version copied would be read as URIs.
  for await (const { key } of run.store.list({ prefix: paths.staged })) if (key !== LINKS) await run.store.remove(key)
  await run.store.write(LINKS, linksOf(selection, logs.store))
  return { copied: 0, skipped: objects, failed: 0, inPlace: true }
}

const linksOf = (selection: Selection, logs: Pick<Store, 'uriOf'>): Readable =>
  Readable.from(
    batched(
      (async function* () {
        for await (const { key } of selection.rows()) yield `${lineOf(key, logs)}\n`
      })(),
    ),
    { objectMode: false },
  )

function lineOf(key: string, logs: Pick<Store, 'uriOf'>): string {
  if (/[\r\n]/.test(key)) throw new Error(`${JSON.stringify(key)} has a line break, which no list of URIs can hold`)
  return logs.uriOf(key)
}

/** Keys of selected objects that no longer lie there as they were selected. */
export async function outdatedInPlace({ logs }: Pick<Task, 'logs'>, selection: Selection): Promise<string[]> {
  const keys: string[] = []
  for await (const { object, problem } of lookedAt(selection.rows(), logs.store))
    if (problem?.kind === 'outdated') keys.push(object.key)
  return keys
}

/** The selected objects that lie there as they were selected. */
export async function* rowsInPlace({ logs }: Pick<Task, 'logs'>, selection: Selection): AsyncGenerator<ObjectInfo> {
  for await (const { object, problem } of lookedAt(selection.rows(), logs.store))
    if (problem === undefined) yield object
}
