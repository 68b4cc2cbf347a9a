import { setFlagsFromString } from 'node:v8'
import { awsOf } from '../lib/aws/settings.ts'
import { stackOutputs } from '../lib/aws/stack-outputs.ts'
import { defineCommand, type Outcome } from '../lib/cli/command.ts'
import type { Approval } from '../lib/cli/confirm.ts'
import type { Context } from '../lib/cli/context.ts'
import { UsageError } from '../lib/cli/errors.ts'
import { bytes, count, facts, plural } from '../lib/cli/format.ts'
import { choice, flag, number, text, type Values } from '../lib/cli/options.ts'
import { awsOptions, guardOptions, scopeOptions, windowOptions, workspaceOption } from '../lib/cli/shared-options.ts'
import { athenaOptions } from '../lib/engines/athena/athena.ts'
import { nextCommand } from '../lib/runs/next.ts'
import { paths } from '../lib/runs/paths.ts'
import { runIdOf } from '../lib/runs/request.ts'
import type { Results } from '../lib/runs/results.ts'
import type { Run } from '../lib/runs/run.ts'
import { createRun, findRun, touchRun } from '../lib/runs/workspace.ts'
import { sourceIds } from '../lib/sources/registry.ts'
import { type Choice, copierOf, type Load, readCosts } from './copy/choose.ts'
import { estimatedUsd, listCost, planText, type StagePlan } from './plan.ts'
import { completeAfter, type Planned, planStage } from './planned.ts'
import { outstanding } from './proof.ts'
import { type Task, taskOf } from './request.ts'
import { type Selection, saveSelection } from './selection.ts'
import { copyAndProve, removeExtra } from './stage.ts'

const options = {
  source: choice(sourceIds, { about: 'kind of log' }),
  ...scopeOptions,
  ...windowOptions,
  ...workspaceOption,
  keys: choice(['list', 'digest', 'inventory', 'metadata'], {
    about: 'how keys are found: by listing, in CloudTrail digests, in an S3 Inventory report, in S3 Metadata tables',
    default: 'list',
  }),
  inventory: text({ about: 'manifest.json of the inventory report', value: 'URI' }),
  keysFile: text({
    about: 'take these keys instead: one a line, or a manifest in a file that ends in .csv',
    value: 'FILE',
  }),
  workgroup: athenaOptions.workgroup,
  queryTimeout: athenaOptions.queryTimeout,
  verify: choice(['size', 'full'], {
    about: 'how copies are proven: by size, or also by the SHA-256 that digests name',
    default: 'size',
  }),
  concurrency: number({ about: 'requests in flight at once', default: 16, min: 1, max: 256, integer: true }),
  copy: choice(['auto', 'batch', 'direct'], {
    about:
      'within S3: by a job of S3 Batch Operations or by CopyObject; auto takes a job from 10,000 objects on, if it has a role',
    default: 'auto',
  }),
  batchRole: text({ about: 'role of the batch job, in the account of the workspace', value: 'ARN' }),
  poll: number({ about: 'seconds between two looks at a running job', default: 30, min: 0.05, max: 3600 }),
  storageClass: text({ about: 'storage class of the copies in S3 (default: STANDARD)', value: 'CLASS' }),
  kmsKey: text({ about: 'encrypt the copies in S3 with this key (default: as their bucket does)', value: 'ARN' }),
  copyTags: flag({ about: 'copy the tags of objects too; needs s3:GetObjectTagging and s3:PutObjectTagging' }),
  requesterPays: flag({ about: 'pay for reading logs in a bucket of that kind' }),
  logsOwner: text({ about: 'account that must own the bucket of the logs', value: 'ID' }),
  ...guardOptions,
  ...awsOptions,
}

export const command = defineCommand({
  name: 'stage',
  summary: 'copy the log objects of a time window into a run',
  description:
    'Finds the keys that may hold events of the window without listing everything else, writes them as a manifest, copies the objects under their own keys, and proves that every row of the manifest has arrived. The same request is the same run: what is there is not copied again.',
  examples: [
    {
      run: 'npx zx scripts/stage.mjs --source cloudtrail --logs ./logs --from 2026-03-02 --to 2026-03-12 --dry-run',
      does: 'shows what ten days come to; copies nothing',
    },
    {
      run: 'npx zx scripts/stage.mjs --source waf --logs ./logs --from 2026-03-02T13:00 --to 2026-03-02T14:00',
      does: 'one hour of WAF logs',
    },
    {
      run: 'npx zx scripts/stage.mjs --source cloudtrail --logs s3://org-logs --last 24h --max-cost 1',
      does: 'downloads the last day to this machine, and nothing else',
    },
    {
      run: 'npx zx scripts/stage.mjs --source cloudtrail --logs s3://org-logs --last 24h --workspace s3://org-staging/prestage --batch-role arn:aws:iam::111122223333:role/prestage-batch',
      does: 'copies it within S3, by a batch job where that is worth it',
    },
    {
      run: 'npx zx scripts/stage.mjs --source cloudtrail --logs ./logs --last 24h --account 012345678901 --region us-east-1',
      does: 'the last day of one account in one region',
    },
  ],
  stackOutputs,
  options,
  async run(context, values) {
    // Millions of rows pass and none stays: V8 would let the heap grow to several times of what lives before it collects.
    setFlagsFromString('--heap-growing-percent=40')
    if (values.verify === 'full' && values.keys !== 'digest')
      throw new UsageError('--verify full needs the hashes that only digests name', 'add --keys digest')
    const { requesterPays, logsOwner: expectedBucketOwner } = values
    const reading = { ...awsOf(values, context), requesterPays, expectedBucketOwner }
    const task = await taskOf(values, context.now(), reading)
    const existing = await findRun(values.workspace, task.request, awsOf(values, context))
    const planned = await planStage(task, existing, context, values)
    if (planned === 'done' && existing !== undefined) {
      if (!values.dryRun) await touchRun(existing, awsOf(values, context))
      return outcomeOf(existing, existing.result('stage'), true)
    }
    if (planned === 'done') throw new Error('a run that does not exist cannot be done')
    try {
      return await carryOut(context, values, task, planned, existing)
    } finally {
      await planned.dispose()
    }
  },
})

const isS3 = ({ logs }: Task): boolean => logs.store.localPath === undefined

type Options = Values<typeof options>

async function carryOut(
  context: Context,
  values: Options,
  task: Task,
  planned: Planned,
  existing: Run | undefined,
): Promise<Outcome> {
  const aws = awsOf(values, context)
  const { isNew, record, selection } = planned
  const goesOn = values.overwrite ? undefined : existing
  const left = goesOn === undefined ? selection.totals : await outstandingTotals(selection, goesOn)
  const copier = await copierOf(task, planned, left, goesOn, values, aws, context)
  const finding = isS3(task) ? [listCost(record.listRequests), ...record.costs] : []
  const reading = values.verify === 'full' && values.workspace.startsWith('s3://') ? readCosts(selection.totals) : []
  const isUnderWay = goesOn !== undefined && !isNew && (await copier.isUnderWay?.(goesOn)) === true
  const isPaid = left.objects === 0 || isUnderWay
  const plan: StagePlan = {
    window: task.scope.window,
    totals: selection.totals,
    listRequests: record.listRequests,
    // What an earlier attempt has paid is not asked for again.
    costs: [...(isPaid ? [] : [...(isNew ? finding : []), ...copier.costs(left)]), ...reading],
    copier: copier.about,
    completeAfter: completeAfter(task),
    final: record.final,
  }
  const id = runIdOf(task.request)
  if (values.dryRun) return previewOf(id, plan)
  if (estimatedUsd(plan) > 0) await context.approve(approvalOf(plan, left, id))
  const run = await createRun(values.workspace, task.request, aws)
  const whole = { ...plan, costs: [...finding, ...copier.costs(selection.totals), ...reading] }
  return copyInto(run, context, values, task, planned, copier, whole)
}

/** Of a selection, what no earlier attempt has copied. */
async function outstandingTotals(selection: Selection, run: Run): Promise<Load> {
  const left = { objects: 0, bytes: 0 }
  for await (const { size } of outstanding(selection, run.store.within(paths.staged))) {
    left.objects += 1
    left.bytes += size
  }
  return left
}

function approvalOf(plan: StagePlan, left: Load, id: string): Approval {
  const isCopy = left.objects > 0
  const shown = isCopy ? { ...plan, totals: { ...plan.totals, ...left } } : plan
  return {
    action: isCopy ? `copy ${plural(left.objects, 'object')}` : `read ${plural(plan.totals.objects, 'copy', 'copies')}`,
    plan: planText(shown, id).split('\n'),
    kind: 'spend',
    usd: estimatedUsd(plan),
  }
}

async function copyInto(
  run: Run,
  context: Context,
  values: Options,
  task: Task,
  planned: Planned,
  copier: Choice,
  plan: StagePlan,
): Promise<Outcome> {
  const { record, selection } = planned
  // An open plan that was gone through before is looked at again: late files may have come.
  const step = { settings: {}, inputs: [], overwrite: values.overwrite, redoIf: async () => true }
  const { repeated, ...result } = await run.step('stage', step, async (checkpoint) => {
    if (planned.isNew) {
      await saveSelection(run.store, task.logs.bucket, selection)
      await checkpoint.save({ plan: record })
    }
    if (values.overwrite) await removeExtra(run, selection)
    const copied = await copyAndProve(run, selection, await copier.open(run, checkpoint), {
      again: values.overwrite,
      lost: record.lost,
      verify: values.verify,
      progress: context.progress('staging', plan.totals.objects, 'objects'),
      signal: context.signal,
    })
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
  return outcomeOf(run, result, repeated)
}

function previewOf(id: string, plan: StagePlan): Outcome {
  return {
    json: {
      run: id,
      dryRun: true,
      objects: plan.totals.objects,
      bytes: plan.totals.bytes,
      listRequests: plan.listRequests,
      estimatedUsd: estimatedUsd(plan),
      copier: plan.copier,
      final: plan.final,
      completeAfter: plan.completeAfter.toISOString(),
    },
    text: planText(plan, id),
  }
}

function outcomeOf(run: Run, result: Results['stage'], repeated: boolean): Outcome {
  const { objects, copied, skipped, verified, final, completeAfter, staged } = result
  const done = repeated
    ? 'nothing to do, all was staged before'
    : `${count(copied)} copied, ${count(skipped)} were there`
  return {
    json: { run: run.id, ...result, repeated },
    text: facts([
      ['run', run.id],
      ['objects', `${count(objects)} (${bytes(result.bytes)}): ${done}`],
      ['staged', staged],
      verified === undefined ? undefined : ['verified', `${count(verified)} by the SHA-256 of their content`],
      final ? undefined : ['late files', `may come until ${completeAfter.slice(0, 16)}Z; stage again then`],
    ]),
    next: nextCommand('extract', run),
  }
}
