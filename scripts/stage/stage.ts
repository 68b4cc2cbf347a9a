import type { CommandResult } from '../lib/cli/command.ts'
import type { Approval } from '../lib/cli/confirm.ts'
import { plural, quoted } from '../lib/cli/format.ts'
import { nextCommand } from '../lib/runs/next.ts'
import { paths } from '../lib/runs/paths.ts'
import { copiesOf, type Load, storageClassWarning, withObject } from '../lib/runs/read-cost.ts'
import { type Request, runIdOf } from '../lib/runs/request.ts'
import type { Run } from '../lib/runs/run.ts'
import { createRun } from '../lib/runs/workspace.ts'
import { keysDefinition } from '../lib/sources/own/definition.ts'
import { type Choice, type CopyOptions, type CopyStep, copierOf, downloadCosts } from './copy/choose.ts'
import { copyAndProve, removeExtra } from './execute.ts'
import { completeAfter, type PlanOptions } from './plan.ts'
import { outstanding, type Suspects } from './proof.ts'
import { estimatedUsd, listCost, planText, renderStaged, renderStagePlan, type StagePreview } from './render.ts'
import { type Selection, saveSelection } from './selection.ts'
import { isInPlace, noteInPlace } from './unmoved.ts'

export interface StageOptions extends PlanOptions, CopyOptions {
  readonly dryRun: boolean
}

type StageStep = CopyStep & { readonly options: StageOptions }

/** Shows or asks for what is planned, copies it, and proves the whole. */
export async function stage(step: StageStep): Promise<CommandResult> {
  const { context, options, task, planned, existing, aws } = step
  const { isNew, record, selection } = planned
  const id = runIdOf(task.request)
  const suspects: Suspects = new Set(existing?.ledger.steps.stage?.checkpoint.mismatched)
  const goesOn = options.overwrite ? undefined : existing
  const inPlace = isInPlace(task, options.workspace)
  const left = goesOn === undefined || inPlace ? selection.totals : await outstandingTotals(selection, goesOn, suspects)
  const copier = await copierOf({ ...step, existing: goesOn }, left)
  const finding = task.logs.store.localPath === undefined ? [listCost(record.listRequests), ...record.costs] : []
  const isInS3 = options.workspace.startsWith('s3://')
  const copies = copiesOf(selection.totals, options.storageClass, options.kmsKey)
  const reading = options.verify === 'full' && isInS3 ? downloadCosts(copies) : []
  const isUnderWay = goesOn !== undefined && !isNew && (await copier.isUnderWay?.(goesOn)) === true
  const isPaid = left.objects === 0 || isUnderWay
  const plan: StagePreview = {
    window: task.scope.window,
    totals: selection.totals,
    listRequests: record.listRequests,
    // What an earlier attempt has paid is not asked for again.
    costs: [...(isPaid ? [] : [...(isNew ? finding : []), ...copier.costs(left)]), ...reading],
    copier: copier.about,
    completeAfter: completeAfter(task),
    final: record.final,
    again: againText(task.request, options),
    keys: task.request.keys,
  }
  const warning = isInS3 && !isPaid ? storageClassWarning(options.storageClass) : undefined
  if (warning !== undefined) context.talk.warn(warning)
  if (options.dryRun) return renderStagePlan(id, plan)
  if (estimatedUsd(plan) > 0) await context.approve(stageApproval(plan, { left, inPlace }, id))
  const run = await createRun(options.workspace, task.request, aws)
  const whole = { ...plan, costs: [...finding, ...copier.costs(selection.totals), ...reading] }
  return carryOut(step, run, { copier, plan: whole, suspects })
}

/** The same on another day, when `--last` would mean another window. */
function againText(request: Request, options: StageOptions): string {
  const id = runIdOf(request)
  const command = nextCommand('stage', { id, uri: `${options.workspace}/runs/${id}`, request })
  return [command, ...typedOptions(options).map(quoted)].join(' ')
}

/** Of a selection, what no earlier attempt has copied. */
async function outstandingTotals(selection: Selection, run: Run, suspects: Suspects): Promise<Load> {
  const { kms } = selection.totals
  let left: Load = { objects: 0, bytes: 0, ...(kms && { kms }) }
  for await (const object of outstanding(selection, run.store.within(paths.staged), suspects))
    left = withObject(left, object)
  return left
}

function stageApproval(plan: StagePreview, { left, inPlace }: { left: Load; inPlace: boolean }, id: string): Approval {
  const isCopy = left.objects > 0 && !inPlace
  const read = inPlace ? plural(plan.totals.objects, 'object') : plural(plan.totals.objects, 'copy', 'copies')
  const shown = isCopy ? { ...plan, totals: { ...plan.totals, ...left } } : plan
  return {
    action: isCopy ? `copy ${plural(left.objects, 'object')}` : `read ${read}`,
    plan: planText(shown, id).split('\n'),
    kind: 'spend',
    usd: estimatedUsd(plan),
  }
}

interface Approved {
  readonly copier: Choice
  readonly plan: StagePreview
  readonly suspects: Suspects
}

async function carryOut(step: StageStep, run: Run, { copier, plan, suspects }: Approved): Promise<CommandResult> {
  const { context, options, task, planned } = step
  const { record, selection } = planned
  // An open plan that was gone through before is looked at again: late files may have come.
  const definition = keysDefinition(task.scope.source)
  const stepPlan = { settings: {}, inputs: [], overwrite: options.overwrite, redoIf: async () => true }
  const { repeated, ...result } = await run.step('stage', stepPlan, async (checkpoint) => {
    if (planned.isNew) await saveSelection(run.store, task.logs.bucket, selection)
    await checkpoint.save({
      ...(planned.isNew && { plan: record, outdated: [], ...(definition && { definition }) }),
      // Also where an --overwrite forgets the rest.
      mismatched: [...suspects],
      options: typedOptions(options),
    })
    const { open } = copier
    if (open !== undefined && (options.overwrite || planned.replaces)) await removeExtra(run, selection)
    const execution = {
      selection,
      lost: record.lost,
      suspects,
      overwrite: options.overwrite,
      verify: options.verify,
      progress: context.progress('staging', plan.totals.objects, 'objects'),
      signal: context.signal,
      checkpoint,
    }
    const copied =
      open === undefined
        ? await noteInPlace(run, task, execution)
        : await copyAndProve(run, { ...execution, copier: await open(run, checkpoint) })
    return {
      objects: plan.totals.objects,
      bytes: plan.totals.bytes,
      ...copied,
      listRequests: plan.listRequests,
      estimatedUsd: estimatedUsd(plan),
      staged: run.uriOf(paths.staged),
      manifest: run.uriOf(paths.manifest),
      selectedAt: record.selectedAt,
      final: plan.final,
      completeAfter: plan.completeAfter.toISOString(),
      digest: plan.totals.digest,
    }
  })
  return renderStaged(run, result, repeated)
}

/** The options that a later step must repeat when it says how to stage again. */
function typedOptions(options: StageOptions): string[] {
  const { verify, copy, batchRole, storageClass, kmsKey, copyTags, requesterPays, logsOwner } = options
  return [
    ...(verify === 'full' ? ['--verify', verify] : []),
    ...(copy === 'auto' ? [] : ['--copy', copy]),
    ...(copy === 'batch' && batchRole !== undefined ? ['--batch-role', batchRole] : []),
    ...(storageClass === undefined ? [] : ['--storage-class', storageClass]),
    ...(kmsKey === undefined ? [] : ['--kms-key', kmsKey]),
    ...(copyTags ? ['--copy-tags'] : []),
    ...(requesterPays ? ['--requester-pays'] : []),
    ...(logsOwner === undefined ? [] : ['--logs-owner', logsOwner]),
  ]
}
