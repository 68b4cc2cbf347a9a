import { awsOf, stackOutputs } from '../lib/aws/settings.ts'
import { type CommandResult, defineCommand } from '../lib/cli/command.ts'
import { withBudget } from '../lib/cli/contexts.ts'
import { UsageError } from '../lib/cli/errors.ts'
import { exitCodeOfAll, type Failure, failedAltogether, sourceFailure } from '../lib/cli/failures.ts'
import { facts } from '../lib/cli/format.ts'
import { modelNote } from '../lib/runs/models.ts'
import { markTold, nightName, nightsOf } from '../lib/runs/nights.ts'
import { openProviders } from '../lib/runs/providers/providers.ts'
import { ownSources } from '../lib/sources/own/own.ts'
import { distinctSources, knownIds, sourceOf } from '../lib/sources/registry.ts'
import { openStore } from '../lib/stores/open.ts'
import { wantedFindings } from '../score/findings/options.ts'
import { dueWindows } from './days.ts'
import { type NightlyOptions, nightlyOptions } from './options.ts'
import { type End, noticeOf, renderNights } from './render.ts'
import { nightsOfSource } from './source.ts'
import { rollBackModel, trainReason } from './training.ts'
import type { Work } from './work.ts'

export const command = defineCommand({
  name: 'nightly',
  summary: 'judge yesterday with the model in service, and train a new one when it is due',
  description:
    'For a timer. Stages, extracts and judges the last whole day, and before it days that were missed, with the model in service, which models/<source>.json in the workspace names. Trains a new one when there is none, when the last training is old, or when what was judged has not fitted for two nights; it takes over unless it is worse on the same holdout and the same made-up attacks. Prints a line for each day and its new alerts. Killed anywhere and started again, it ends in the same; of two at once the second stops. With a workspace in S3 deploy replaces the model at a serverless endpoint, which costs nothing while idle; --max-cost limits the sum of a night.',
  examples: [
    {
      run: 'npx zx scripts/nightly.mjs --source cloudtrail --logs ./org-logs',
      does: 'judges yesterday on this machine; the first night trains on the ten days before it',
    },
    {
      run: 'npx zx scripts/nightly.mjs --source cloudtrail,waf --logs s3://org-logs --alerts-per-day 5 --allow 203.0.113.0/24 --findings ocsf --max-cost 1',
      does: 'both sources, with findings for other systems',
    },
    {
      run: 'npx zx scripts/nightly.mjs --source cloudtrail --stack prestage --max-cost 1 --fail-on-alerts',
      does: 'in AWS; exit code 5 when there is something to look at',
    },
    {
      run: 'npx zx scripts/nightly.mjs --source cloudtrail --logs ./org-logs --day 2026-03-12',
      does: 'judges that day',
    },
    {
      run: 'npx zx scripts/nightly.mjs --source cloudtrail --rollback',
      does: 'the model before the last one judges again',
    },
  ],
  stackOutputs,
  ownSources,
  options: nightlyOptions,
  async run(asker, options): Promise<CommandResult> {
    const context = withBudget(asker, options.maxCost, options.yes)
    const sources = distinctSources(options.source)
    if (sources.length === 0) throw new UsageError('no source', `add --source ${knownIds().join(' or --source ')}`)
    wantedFindings({ accounts: options.account, regions: options.region }, options)
    await openProviders(options.networks)
    const aws = awsOf(options, context)
    const root = await openStore(options.workspace, aws)
    const works = sources.map(
      (source): Work => ({ context, options: ofSource(options, source, sources), source, root, aws }),
    )
    if (options.rollback) return rollBackAll(works)
    if (options.dryRun) return planOf(works)
    const ends: End[] = []
    // One after the other: each has its line, and a training takes all cores.
    for (const work of works) ends.push(await endOf(work))
    const failures = ends.filter((end): end is Failure => 'message' in end)
    const bug = failures.find((failure) => failure.bug !== undefined)?.bug
    if (bug !== undefined) throw bug
    if (failures.length === ends.length) throw failedAltogether(failures)
    const notice = options.topic === undefined ? undefined : noticeOf(ends)
    if (options.topic !== undefined && notice !== undefined) {
      const { publishNotice } = await import('../lib/aws/sns.ts')
      await publishNotice(aws, options.topic, notice)
    }
    for (const end of ends) if (!('message' in end)) await markTold(root, end.nights)
    const exitCodeOfFailures = failures.length === 0 ? undefined : exitCodeOfAll(failures)
    return renderNights(ends, { failOnAlerts: options.failOnAlerts, exitCodeOfFailures })
  },
})

/** An entity belongs to one source; the others take their default. @throws UsageError when none of them has it */
function ofSource(options: NightlyOptions, source: string, sources: readonly string[]): NightlyOptions {
  const { entity } = options
  const has = (id: string) => entity === undefined || Object.hasOwn(sourceOf(id).entities, entity)
  if (!sources.some(has))
    throw new UsageError(`no ${sources.join(' or ')} has an entity "${entity}"`, 'see extract --help')
  return { ...options, entity: has(source) ? entity : undefined }
}

async function endOf(work: Work): Promise<End> {
  const { source, context } = work
  try {
    return await nightsOfSource(work)
  } catch (error) {
    context.signal.throwIfAborted()
    return sourceFailure(source, error)
  }
}

async function rollBackAll(works: readonly Work[]): Promise<CommandResult> {
  const lines: [string, string][] = []
  const models: Record<string, unknown> = {}
  for (const work of works) {
    const { from, model } = await rollBackModel(work)
    models[work.source] = model
    lines.push([
      work.source,
      `${work.options.dryRun ? 'would judge' : 'judges'} with the model of ${model.run} instead of ${from}`,
    ])
  }
  return { json: { dryRun: works[0]?.options.dryRun === true, models }, text: facts(lines) }
}

/** What tonight would judge and train. */
async function planOf(works: readonly Work[]): Promise<CommandResult> {
  const lines: string[] = []
  const plans: Record<string, unknown> = {}
  for (const { source, root, options, context } of works) {
    const nights = await nightsOf(root, source)
    const { windows, leftOut } = dueWindows(source, options, nights, context.now())
    const { model } = await modelNote(root, source)
    const days = windows.map(({ from, to }) => nightName({ from: from.toISOString(), to: to.toISOString() }))
    const [first] = windows
    const train = first && trainReason(model, nights, first, options.retrain)
    plans[source] = { days, leftOut: leftOut.length, train: train ?? null, model: model?.run ?? null }
    lines.push(
      `${source}: would judge ${days.length === 0 ? 'nothing' : days.join(', ')}${model === undefined ? '' : ` with the model of ${model.run}`}`,
      ...(train === undefined ? [] : [`  and first train a new model (${WHY[train]})`]),
    )
  }
  return { json: { dryRun: true, sources: plans }, text: lines.join('\n') }
}

const WHY = { none: 'there is none', age: 'the last training is old', drift: 'the last nights did not fit' } as const
