import type { Context } from '../lib/cli/command.ts'
import { UsageError } from '../lib/cli/errors.ts'
import { plural } from '../lib/cli/format.ts'
import type { StagePlan } from '../lib/runs/checkpoints.ts'
import { paths } from '../lib/runs/paths.ts'
import type { KmsUse } from '../lib/runs/read-cost.ts'
import type { Run } from '../lib/runs/run.ts'
import { LINKS } from '../lib/runs/unmoved.ts'
import { keysDefinition } from '../lib/sources/own/definition.ts'
import type { Source } from '../lib/sources/source.ts'
import { checkFileName } from '../lib/stores/folder-names.ts'
import { linkWarnings } from '../lib/stores/open.ts'
import { matched, type ObjectInfo, type Store, united } from '../lib/stores/store.ts'
import type { Failure } from './copy/copier.ts'
import { emptyWindow, findKeys } from './keys/find.ts'
import { prove, type Suspects } from './proof.ts'
import type { Task } from './request.ts'
import { draftSelection, type Selection, savedSelection } from './selection.ts'
import { isInPlace, outdatedInPlace, rowsInPlace } from './unmoved.ts'

/** A selection, new or from an earlier attempt, ready to be copied. */
export interface Planned {
  readonly selection: Selection
  readonly record: StagePlan
  /** False when the run's folder already holds it. */
  readonly isNew: boolean
  /** It takes the place of a plan that cannot be carried out any more: what only that one had staged is removed. */
  readonly replaces: boolean
  dispose(): Promise<void>
}

export interface PlanOptions {
  readonly concurrency: number
  readonly overwrite: boolean
  readonly verify: 'size' | 'full'
  readonly workspace: string
  readonly workgroup: string
  readonly queryTimeout: number
}

/** What is planned, and how. */
export interface PlanStep {
  readonly task: Task
  readonly options: PlanOptions
  readonly context: Context
}

/** `done` when an earlier stage stands: nothing is listed then. */
export async function planStage(step: PlanStep, run: Run | undefined): Promise<Planned | 'done'> {
  const { options, context, task } = step
  const saved = run === undefined || options.overwrite ? undefined : await savedPlan(run)
  if (run === undefined || saved === undefined) return select(step)
  refuseOtherKeys(run, task.scope.source)
  const { selection, plan: record } = saved
  const { dispose } = selection
  const goOn = (plan: StagePlan): Planned => ({ selection, record: plan, isNew: false, replaces: false, dispose })
  const inPlace = isInPlace(task, options.workspace)
  const absent = inPlace && run.isDone('stage') ? await outdatedInPlace(task, selection) : []
  const isStaged = run.isDone('stage') && absent.length === 0 && (await isWhole(run, selection, inPlace))
  const { mismatched = [], outdated: noted = [] } = run.ledger.steps.stage?.checkpoint ?? {}
  const outdated = [...noted, ...absent]
  const hasFailed = run.ledger.steps.stage?.state === 'failed'
  const isOutdated = absent.length > 0 || (hasFailed && outdated.length + (record?.lost.length ?? 0) > 0)
  if (record !== undefined && !isStaged && !isOutdated) {
    context.talk.info(`going on with the plan of ${record.selectedAt}`)
    return goOn(record)
  }
  // Content is proven as often as that is asked for.
  if (record?.final && isStaged && options.verify === 'full') return goOn(record)
  try {
    if (record?.final && isStaged) return 'done'
    if (isOutdated) {
      context.talk.info('the logs no longer hold all that was planned: looking for what they hold now')
      const rows = () => (inPlace ? rowsInPlace(task, selection) : trustedRows(run, selection, new Set(mismatched)))
      return await select(step, { rows, outdated, isReplaced: true })
    }
    context.talk.info('files may have come late since the last time: looking for new ones')
    return await select(step, { rows: () => selection.rows(), outdated: [], isReplaced: false })
  } finally {
    await dispose()
  }
}

/** @throws UsageError where the keys of a source of the configuration file are no longer those of the plan */
function refuseOtherKeys(run: Run, source: Source): void {
  const { definition } = run.ledger.steps.stage?.checkpoint ?? {}
  if (definition === undefined || definition === keysDefinition(source)) return
  throw new UsageError(
    `run ${run.id} was planned with other keys of ${source.id} in the configuration file: keys, zone, before, after or late`,
    'take the change back, or add --overwrite to plan anew and copy everything',
  )
}

/** What an earlier attempt, finished or not, has left of its plan. Undefined when there is nothing to go on with. */
async function savedPlan(run: Run) {
  const plan = run.ledger.steps.stage?.checkpoint.plan
  if (plan === undefined || (await run.store.head(paths.selection)) === undefined) return undefined
  const { objects, bytes, digest, cold, kms } = plan
  const totals = { objects, bytes, digest, ...(cold && { cold }), ...(kms && { kms }) }
  const { selection, isWhole: isThisPlan } = await savedSelection(run.store, totals)
  // Without a plan the selection is of another one, which nobody has noted.
  return { selection, plan: isThisPlan ? plan : undefined }
}

/** Whether every row of the manifest is still there; somebody may have removed copies since. */
async function isWhole(run: Run, selection: Selection, inPlace: boolean): Promise<boolean> {
  if (inPlace) return run.result('stage').inPlace === true && (await run.store.head(LINKS)) !== undefined
  const nothing = { missing: () => {}, extra: () => {} }
  const { missing, extra } = await prove(selection, run.store.within(paths.staged), nothing)
  return missing === 0 && extra === 0
}

/** The rows whose copies are there and not known to be wrong. */
async function* trustedRows(run: Run, selection: Selection, wrong: Suspects): AsyncGenerator<ObjectInfo> {
  for await (const { left, right } of matched(selection.rows(), run.store.within(paths.staged).list()))
    if (left !== undefined && left.size === right?.size && !wrong.has(left.key)) yield left
}

/** What stays of an earlier plan, even where the logs have lost it since. */
interface Earlier {
  rows(): AsyncIterable<ObjectInfo>
  /** Keys that the logs did not hold as planned. An index may still name them. */
  readonly outdated: readonly string[]
  readonly isReplaced: boolean
}

/** An earlier plan without the objects for which others stand now. */
function withoutReplaced(earlier: Earlier, replaced: readonly string[] = []): Earlier {
  if (replaced.length === 0) return earlier
  async function* rows() {
    for await (const object of earlier.rows())
      if (!replaced.some((prefix) => object.key.startsWith(prefix))) yield object
  }
  return { ...earlier, rows, isReplaced: true }
}

/** Finds the window's keys. */
async function select({ task, context, options }: PlanStep, before?: Earlier): Promise<Planned> {
  const { store } = task.logs
  const selectedAt = context.now()
  const listed = store.listRequests
  const progress = context.progress('selecting', undefined, 'objects')
  const found = await findKeys(task, {
    ...options,
    signal: context.signal,
    warn: (text) => context.talk.warn(text),
    onState: (text) => progress.state(text),
  })
  const earlier = before && withoutReplaced(before, found.findings.replaced)
  const absent = new Set(earlier?.outdated)
  const there = absent.size === 0 ? found.objects : asTheyAre(found.objects, store, new Set(absent))
  const objects = earlier === undefined ? there : united(there, earlier.rows())
  const isFolder = !options.workspace.startsWith('s3://')
  let newest: Date | undefined
  let first: ObjectInfo | undefined
  const draft = await draftSelection(objects, (object) => {
    const { key, modified } = object
    first ??= object
    if (isFolder) checkFileName(key)
    if (modified !== undefined && (newest === undefined || modified > newest)) newest = modified
    absent.delete(key)
    progress.advance()
  })
  const listRequests = store.listRequests - listed
  const how =
    store.localPath === undefined
      ? `with ${plural(listRequests, 'LIST request')}`
      : `in ${plural(listRequests, 'folder')}`
  progress.end(`${plural(draft.totals.objects, 'object')} ${how}`)
  const { warnings, looked, lost, costs, asOf = selectedAt } = found.findings
  for (const warning of [...warnings, ...leftOut(absent, lost), ...linkWarnings(task.logs)]) context.talk.warn(warning)
  for (const line of looked) context.talk.detail(line)
  if (draft.totals.objects === 0) {
    await draft.dispose()
    throw await emptyWindow(task, found)
  }
  const kms = await kmsOf(task, first)
  const totals = { ...draft.totals, ...(kms && { kms }) }
  const record = {
    ...totals,
    listRequests,
    selectedAt: selectedAt.toISOString(),
    final: asOf >= completeAfter(task),
    lost: earlier === undefined ? lost : await withoutRowsOf(earlier, lost),
    newest: (newest as Date | undefined)?.toISOString() ?? null,
    costs: [...(costs ?? [])],
  }
  const replaces = earlier?.isReplaced ?? false
  return { selection: { ...draft, totals }, record, isNew: true, replaces, dispose: draft.dispose }
}

/** How the logs are encrypted with KMS, by one of them: it only makes the estimate better, so that who may not look goes without. */
async function kmsOf({ logs, keysFile }: Task, first: ObjectInfo | undefined): Promise<KmsUse | undefined> {
  if (first === undefined || logs.store.localPath !== undefined) return undefined
  // Keys of a file were looked at, each alone.
  return keysFile === undefined ? (await logs.store.head(first.key).catch(() => undefined))?.kms : first.kms
}

/** Looks at each object that was outdated: a report names what was there when it was made. */
async function* asTheyAre(objects: AsyncIterable<ObjectInfo>, store: Store, outdated: ReadonlySet<string>) {
  for await (const object of objects) {
    const now = outdated.has(object.key) ? await store.head(object.key) : object
    if (now !== undefined) yield { ...object, ...now }
  }
}

const SHOWN = 5

function leftOut(absent: ReadonlySet<string>, lost: readonly Failure[]): string[] {
  const gone = new Set(absent)
  for (const { key } of lost) gone.delete(key)
  if (gone.size === 0) return []
  const named = [...gone].slice(0, SHOWN).map((key) => `\n    ${JSON.stringify(key)}`)
  return [`gone from the logs before they were copied, and left out: ${plural(gone.size, 'object')}${named.join('')}`]
}

/** What is lost and was selected before may be staged: the proof tells. */
async function withoutRowsOf(earlier: Earlier, lost: readonly Failure[]): Promise<Failure[]> {
  const unknown = new Set(lost.map(({ key }) => key))
  if (unknown.size > 0) for await (const { key } of earlier.rows()) unknown.delete(key)
  return lost.filter(({ key }) => unknown.has(key))
}

/** "After backfilling is completed, updates to your objects are reflected in the inventory table within one hour": S3 API reference. */
const METADATA_LAG_HOURS = 1

/** When even files that come late should have come, and the source of the keys should know of them. */
export function completeAfter({ scope, request }: Task): Date {
  const late = Math.max(...scope.source.layouts.map(({ padding }) => padding.lateHours))
  const hours = request.keys === 'metadata' ? late + METADATA_LAG_HOURS : late
  return new Date(scope.window.to.getTime() + hours * 3_600_000)
}
