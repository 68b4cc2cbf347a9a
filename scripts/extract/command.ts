import { awsOf, stackOutputs } from '../lib/aws/settings.ts'
import { defineCommand } from '../lib/cli/command.ts'
import { UsageError } from '../lib/cli/errors.ts'
import { suggestion } from '../lib/cli/nearest.ts'
import { flag, number, parsed, text } from '../lib/cli/options.ts'
import { awsOptions, ipv6Option, runOptions } from '../lib/cli/shared-options.ts'
import { athenaOptions } from '../lib/engines/athena/athena.ts'
import { windowOfRequest } from '../lib/runs/request.ts'
import type { Run, StepPlan } from '../lib/runs/run.ts'
import { chosenRun } from '../lib/runs/workspace.ts'
import { pairsDefinition } from '../lib/sources/own/definition.ts'
import { ownSources } from '../lib/sources/own/own.ts'
import { sourceOf, sources } from '../lib/sources/registry.ts'
import { type Source, sourceFor } from '../lib/sources/source.ts'
import { athenaBackend } from './athena/athena.ts'
import { duckdbBackend } from './duckdb.ts'
import { extractResultOf, renderExtracted, warningOf } from './render.ts'

const choices = Object.values(sources)
  .map(({ id, entities }) => `${id} has ${Object.keys(entities).join(', ')}`)
  .join('; ')

const options = {
  ...runOptions,
  entity: text({ about: `who: ${choices} (default: the first of the source)`, value: 'NAME' }),
  holdout: parsed({
    about: 'last part of the window, by event time, that is held out from training',
    value: 'SHARE',
    parse: shareOf,
    default: 0.2,
    defaultText: '20%',
  }),
  includePrivate: flag({ about: 'keep pairs with private, shared and loopback addresses' }),
  dedupe: flag({ about: 'count an event that was delivered more than once only once' }),
  ...ipv6Option,
  skipBadFiles: flag({
    about: 'leave out files that cannot be read, and list them, instead of failing; not with Athena',
  }),
  memoryLimit: parsed({
    about: 'memory for the query engine; what does not fit is written to the run folder',
    value: 'SIZE',
    parse: memoryOf,
    default: '192MB',
    defaultText: '192MB',
  }),
  threads: number({ about: 'threads of the query engine (default: one per core)', min: 1, max: 256, integer: true }),
  ...athenaOptions,
  ...awsOptions,
}

export const command = defineCommand({
  name: 'extract',
  summary: 'turn staged logs into pairs of entity and address',
  description:
    'Reads the staged objects of a run in any compression, keeps the events of the window, and writes pairs of entity and address as CSV: the last part of the window as holdout, the rest for training. Every record that does not become a pair is counted under one reason. With a workspace in S3, Athena does this, and you pay for the bytes that it scans. The statements are in sql/.',
  examples: [
    { run: 'npx zx scripts/extract.mjs --run latest', does: 'with the usual entity of the source' },
    {
      run: 'npx zx scripts/extract.mjs --run latest --entity arn --include-private --overwrite',
      does: 'again, by ARN and with private addresses',
    },
    {
      run: 'npx zx scripts/extract.mjs --run latest --skip-bad-files --holdout 30%',
      does: 'without the files that are damaged, and with a larger holdout',
    },
    {
      run: 'npx zx scripts/extract.mjs --workspace s3://org-staging/prestage --workgroup security --max-cost 1',
      does: 'the latest run in S3, with Athena',
    },
  ],
  stackOutputs,
  ownSources,
  options,
  async run(context, values) {
    const aws = awsOf(values, context)
    const run = await chosenRun(values, context)
    const known = sourceOf(run.request.source)
    const entity = entityOf(known, values.entity)
    const source = sourceFor(known, entity)
    const cutoff = cutoffOf(run, values.holdout)
    const { includePrivate, dedupe, holdout, skipBadFiles } = values
    const ipv6 = values.ipv6 === 'yes'
    const settings = { source, entity, ...windowOfRequest(run.request), cutoff, includePrivate, dedupe, ipv6 }
    const step = { context, run, settings, options: values, aws }
    const backend = run.folder === undefined ? athenaBackend(step) : duckdbBackend(step)
    if (values.dryRun) return backend.preview()
    const definition = await pairsDefinition(source, entity)
    const plan: StepPlan = {
      settings: {
        ...{ entity, holdout, includePrivate, dedupe, skipBadFiles },
        ...(!ipv6 && { ipv6 }),
        ...(definition && { definition }),
      },
      inputs: ['stage'],
      // Without the files, what an earlier attempt saved is useless.
      overwrite: values.overwrite || (run.isDone('extract') && (await backend.isGone())),
    }
    if (!(await run.isCurrent('extract', plan))) await backend.approve(run.unfinished('extract', plan))
    const choice = { entity, includePrivate, holdout, cutoff, ipv6 }
    const { repeated, ...result } = await run.step('extract', plan, async (checkpoint) =>
      extractResultOf(run, await backend.extract(checkpoint), choice),
    )
    const warning = warningOf(result, choice)
    if (warning !== undefined) context.talk.warn(warning)
    for (const { path, reason } of result.skippedFiles) context.talk.warn(`left out ${JSON.stringify(path)}: ${reason}`)
    return renderExtracted(run, result, repeated)
  },
})

/** Accesses from here on are the holdout. */
function cutoffOf(run: Run, holdout: number): Date {
  const { from, to } = windowOfRequest(run.request)
  return new Date(Math.round(to.getTime() - holdout * (to.getTime() - from.getTime())))
}

function entityOf(source: Source, given: string | undefined): string {
  const entity = given ?? source.defaultEntity
  if (Object.hasOwn(source.entities, entity)) return entity
  throw new UsageError(`${source.id} has no entity "${entity}"`, suggestion(entity, Object.keys(source.entities)))
}

function shareOf(input: string): number {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(input)
  const value = match === null ? Number.NaN : Number(match[1]) / (match[2] === '%' ? 100 : 1)
  if (!(value >= 0 && value <= 0.9)) throw new Error('must be a share from 0 to 90%, for example 20%')
  return value
}

function memoryOf(input: string): string {
  if (!/^[1-9]\d*(MB|GB)$/.test(input)) throw new Error('must be a size such as 192MB or 2GB')
  return input
}
