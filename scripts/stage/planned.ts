import type { Context } from '../lib/cli/context.ts'
import { plural } from '../lib/cli/format.ts'
import type { StagePlan } from '../lib/runs/checkpoints.ts'
import type { Run } from '../lib/runs/run.ts'
import { united } from '../lib/stores/merge.ts'
import type { Failure } from './copy/copier.ts'
import type { Task } from './request.ts'
import { emptyWindow, keySourceOf } from './select.ts'
import { draftSelection, type Selection } from './selection.ts'
import { savedPlan, stillStaged } from './state.ts'

/** A selection, new or saved, ready to be copied. */
export interface Planned {
  readonly selection: Selection
  readonly record: StagePlan
  /** False when the run's folder already holds it. */
  readonly isNew: boolean
  dispose(): Promise<void>
}

export interface PlanSettings {
  readonly concurrency: number
  readonly overwrite: boolean
  readonly verify: 'size' | 'full'
  readonly workspace: string
  readonly workgroup: string
  readonly queryTimeout: number
}

/** `done` when an earlier stage stands: nothing is listed then. */
export async function planStage(
  task: Task,
  run: Run | undefined,
  context: Context,
  settings: PlanSettings,
): Promise<Planned | 'done'> {
  const saved = run === undefined || settings.overwrite ? undefined : await savedPlan(run)
  if (run === undefined || saved === undefined) return select(task, undefined, context, settings)
  const { selection, plan: record } = saved
  const { dispose } = selection
  const goOn = (plan: StagePlan): Planned => ({ selection, record: plan, isNew: false, dispose })
  const isStaged = run.isDone('stage') && (await stillStaged(run, selection))
  if (record !== undefined && !isStaged) {
    context.talk.info(`going on with the plan of ${record.selectedAt}`)
    return goOn(record)
  }
  // Content is proven as often as that is asked for.
  if (record?.final && settings.verify === 'full') return goOn(record)
  try {
    if (record?.final) return 'done'
    context.talk.info('files may have come late since the last time: looking for new ones')
    return await select(task, selection, context, settings)
  } finally {
    await dispose()
  }
}

/** Lists the window's keys; what an earlier plan had stays in, even where the logs have lost it since. */
async function select(
  task: Task,
  earlier: Selection | undefined,
  context: Context,
  settings: PlanSettings,
): Promise<Planned> {
  const { store } = task.logs
  const selectedAt = context.now()
  const before = store.listRequests
  const progress = context.progress('selecting', undefined, 'objects')
  const keys = await keySourceOf(task, {
    ...settings,
    signal: context.signal,
    warn: (text) => context.talk.warn(text),
    onState: (text) => progress.state(text),
  })
  const objects = earlier === undefined ? keys.objects : united(keys.objects, earlier.rows())
  let newest: Date | undefined
  const draft = await draftSelection(objects, ({ modified }) => {
    if (modified !== undefined && (newest === undefined || modified > newest)) newest = modified
    progress.advance()
  })
  const listRequests = store.listRequests - before
  progress.end(`${plural(draft.totals.objects, 'object')} with ${plural(listRequests, 'LIST request')}`)
  for (const warning of keys.findings.warnings) context.talk.warn(warning)
  for (const line of keys.findings.looked) context.talk.detail(line)
  if (draft.totals.objects === 0) {
    await draft.dispose()
    throw await emptyWindow(task, keys)
  }
  const record = {
    ...draft.totals,
    listRequests,
    selectedAt: selectedAt.toISOString(),
    final: selectedAt >= completeAfter(task),
    lost: earlier === undefined ? keys.findings.lost : await withoutRowsOf(earlier, keys.findings.lost),
    newest: (newest as Date | undefined)?.toISOString() ?? null,
    costs: [...(keys.findings.costs ?? [])],
  }
  return { selection: draft, record, isNew: true, dispose: draft.dispose }
}

/** What is lost and was selected before may be staged: the proof tells. */
async function withoutRowsOf(earlier: Selection, lost: readonly Failure[]): Promise<Failure[]> {
  const unknown = new Set(lost.map(({ key }) => key))
  if (unknown.size > 0) for await (const { key } of earlier.rows()) unknown.delete(key)
  return lost.filter(({ key }) => unknown.has(key))
}

/** When even files that come late should have come. */
export function completeAfter({ scope }: Task): Date {
  const hours = Math.max(...scope.source.layouts.map(({ padding }) => padding.lateHours))
  return new Date(scope.window.to.getTime() + hours * 3_600_000)
}
