import { awsOf } from '../lib/aws/settings.ts'
import { stackOutputs } from '../lib/aws/stack-outputs.ts'
import { defineCommand } from '../lib/cli/command.ts'
import { UsageError } from '../lib/cli/errors.ts'
import { suggestion } from '../lib/cli/nearest.ts'
import { flag, number, parsed, text, type Values } from '../lib/cli/options.ts'
import { awsOptions, runOptions } from '../lib/cli/shared-options.ts'
import { athenaOptions } from '../lib/engines/athena/athena.ts'
import { windowOfRequest } from '../lib/runs/request.ts'
import type { Run, StepPlan } from '../lib/runs/run.ts'
import { chosenRun } from '../lib/runs/workspace.ts'
import { sourceOf, sources } from '../lib/sources/registry.ts'
import type { Source } from '../lib/sources/source.ts'
import { inAthena } from './athena/athena.ts'
import { onDuckdb } from './duckdb/duckdb.ts'
import { allDropped, outcomeOf, resultOf } from './render.ts'

const choices = Object.values(sources)
  .map(({ id, entities }) => `${id} has ${Object.keys(entities).join(', ')}`)
  .join('; ')

const options = {
  ...runOptions,
  entity: text({ about: `who: ${choices} (default: the first of the source)`, value: 'NAME' }),
  holdout: parsed({
    about: 'last part of the window, by event time, that is kept from training',
    value: 'SHARE',
    parse: shareOf,
    default: 0.2,
    defaultText: '20%',
  }),
  includePrivate: flag({ about: 'private, shared and loopback addresses are addresses too' }),
  dedupe: flag({ about: 'an event that was delivered more than once counts once' }),
  skipBadFiles: flag({
    about: 'leave out files that cannot be read, instead of failing; they are listed. Athena cannot',
  }),
  memoryLimit: parsed({
    about: 'memory for the query engine; what does not fit goes to the run folder',
    value: 'SIZE',
    parse: memoryOf,
    default: '192MB',
    defaultText: '192MB',
  }),
  threads: number({ about: 'threads of the query engine (default: one a core)', min: 1, max: 256, integer: true }),
  ...athenaOptions,
  ...awsOptions,
}

export type Options = Values<typeof options>

export const command = defineCommand({
  name: 'extract',
  summary: 'turn staged logs into pairs of entity and address',
  description:
    'Reads the staged objects of a run, whatever their compression, keeps the events of the window, and writes who came from where as CSV: the last part of the window as holdout, the rest for training. Every record that is no pair is counted under one reason. With a workspace in S3 Athena does it, and the bytes that it scans are paid for; the texts that it runs are those of sql/.',
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
  options,
  async run(context, values) {
    const aws = awsOf(values, context)
    const run = await chosenRun(values, context)
    const source = sourceOf(run.request.source)
    const entity = entityOf(source, values.entity)
    const cutoff = cutoffOf(run, values.holdout)
    const { includePrivate, dedupe, holdout, skipBadFiles } = values
    const settings = { source, entity, ...windowOfRequest(run.request), cutoff, includePrivate, dedupe }
    const engine =
      run.folder === undefined
        ? inAthena(context, run, settings, values, aws)
        : onDuckdb(context, run, settings, values)
    if (values.dryRun) return engine.preview()
    const plan: StepPlan = {
      settings: { entity, holdout, includePrivate, dedupe, skipBadFiles },
      inputs: ['stage'],
      // What is noted about results that are gone is of no use either.
      overwrite: values.overwrite || (run.isDone('extract') && (await engine.isGone())),
    }
    if (!(await run.isCurrent('extract', plan))) await engine.approve(run.unfinished('extract', plan))
    const { repeated, ...result } = await run.step('extract', plan, async (checkpoint) => {
      const { extracted, written, ...more } = await engine.extract(checkpoint)
      if (extracted.trainPairs === 0 || written === undefined) throw allDropped(run, extracted, cutoff)
      if (extracted.holdoutPairs === 0 && values.holdout > 0)
        context.talk.warn(
          `no pair since ${cutoff.toISOString()}: the holdout is empty, and a model cannot be calibrated`,
        )
      return { ...resultOf(extracted, written, { entity, includePrivate, cutoff }), ...more }
    })
    for (const { path, reason } of result.skippedFiles) context.talk.warn(`left out ${JSON.stringify(path)}: ${reason}`)
    return outcomeOf(run, result, repeated)
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
