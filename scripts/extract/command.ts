import { join } from 'node:path'
import { defineCommand, type Outcome } from '../cli/command.ts'
import type { Context } from '../cli/context.ts'
import { UsageError, UserError } from '../cli/errors.ts'
import { bytes, count, facts, percent, table } from '../cli/format.ts'
import { flag, parsed, text, type Values } from '../cli/options.ts'
import { awsOptions, runOptions } from '../cli/shared-options.ts'
import { readPairs } from '../insights/pairs.ts'
import { nextCommand } from '../runs/next.ts'
import { paths } from '../runs/paths.ts'
import { windowOfRequest } from '../runs/request.ts'
import type { Run } from '../runs/run.ts'
import { openRun } from '../runs/workspace.ts'
import { sourceOf, sources } from '../sources/registry.ts'
import { digestOfFiles } from './digest.ts'
import { type Extracted, extractWithDuckdb } from './duckdb.ts'
import type { LogFile } from './spool.ts'

const share = (input: string): number => {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(input)
  const value = match === null ? Number.NaN : Number(match[1]) / (match[2] === '%' ? 100 : 1)
  if (!(value >= 0 && value <= 0.9)) throw new Error('must be a share from 0 to 90%, for example 20%')
  return value
}

const choices = Object.values(sources)
  .map(({ id, entities }) => `${id} has ${Object.keys(entities).join(', ')}`)
  .join('; ')

const options = {
  ...runOptions,
  entity: text({ about: `who: ${choices} (default: the first of the source)`, value: 'NAME' }),
  holdout: parsed({
    about: 'last part of the window, by event time, that is kept from training',
    value: 'SHARE',
    parse: share,
    default: 0.2,
    defaultText: '20%',
  }),
  includePrivate: flag({ about: 'private, shared and loopback addresses are addresses too' }),
  dedupe: flag({ about: 'an event that was delivered more than once counts once' }),
  skipBadFiles: flag({ about: 'leave out files that cannot be read, instead of failing; they are listed' }),
  ...awsOptions,
}

export const command = defineCommand({
  name: 'extract',
  summary: 'turn staged logs into pairs of entity and address',
  description:
    'Reads the staged objects of a run, whatever their compression, keeps the events of the window, and writes who came from where as CSV: the last part of the window as holdout, the rest for training. Every record that is no pair is counted under one reason.',
  examples: [
    { run: 'npx zx scripts/extract.mjs --run latest', does: 'with the usual entity of the source' },
    {
      run: 'npx zx scripts/extract.mjs --run latest --entity arn --include-private --overwrite',
      does: 'again, by ARN and with private addresses',
    },
  ],
  options,
  async run(context, values) {
    const run = await openRun(values.workspace, values.run, values)
    const source = sourceOf(run.request.source)
    const entity = values.entity ?? source.defaultEntity
    if (!Object.hasOwn(source.entities, entity))
      throw new UsageError(
        `${source.id} has no entity "${entity}"`,
        `it has ${Object.keys(source.entities).join(', ')}`,
      )
    if (values.dryRun) return preview(run, entity, values)
    const settings = {
      entity,
      holdout: values.holdout,
      includePrivate: values.includePrivate,
      dedupe: values.dedupe,
      skipBadFiles: values.skipBadFiles,
    }
    const { repeated, ...result } = await run.step(
      'extract',
      { settings, inputs: ['stage'], overwrite: values.overwrite, stale: () => isGone(run) },
      () => extract(run, entity, values, context),
    )
    return outcomeOf(run, result, repeated)
  },
})

const isGone = async (run: Run): Promise<boolean> => (await run.store.head(paths.entities)) === undefined

async function logFiles(run: Run): Promise<LogFile[]> {
  const files: LogFile[] = []
  const staged = run.store.within(paths.staged)
  for await (const { key, size } of staged.list()) {
    const path = staged.localPath?.(key)
    if (path === undefined)
      throw new UserError(`${run.uri} is not on this machine`, { hint: 'extracting in AWS is not there yet' })
    files.push({ key, path, size })
  }
  const { objects } = run.result('stage')
  if (files.length !== objects)
    throw new UserError(
      `run ${run.id}: ${count(Number(objects))} objects were staged, ${count(files.length)} are there`,
      {
        hint: 'stage again with the same command: it copies what is missing',
      },
    )
  return files
}

async function preview(run: Run, entity: string, values: Values<typeof options>): Promise<Outcome> {
  const files = await logFiles(run)
  const size = files.reduce((sum, file) => sum + file.size, 0)
  return {
    json: { run: run.id, dryRun: true, objects: files.length, bytes: size, entity, holdout: values.holdout },
    text: facts([
      ['run', run.id],
      ['reads', `${count(files.length)} objects (${bytes(size)})`],
      ['entity', entity],
      ['holdout', percent(values.holdout, 1)],
    ]),
  }
}

async function extract(run: Run, entity: string, values: Values<typeof options>, context: Context) {
  const window = windowOfRequest(run.request)
  const cutoff = new Date(window.to.getTime() - values.holdout * (window.to.getTime() - window.from.getTime()))
  const files = await logFiles(run)
  const outputs = {
    train: `${paths.train}part-00000.csv`,
    holdout: `${paths.holdout}part-00000.csv`,
    entities: paths.entities,
  }
  const progress = context.progress('reading logs', files.length, 'files')
  const extracted = await extractWithDuckdb(
    files,
    { train: run.path(outputs.train), holdout: run.path(outputs.holdout), entities: run.path(outputs.entities) },
    {
      source: sourceOf(run.request.source),
      entity,
      ...window,
      cutoff,
      includePrivate: values.includePrivate,
      dedupe: values.dedupe,
      scratch: join(run.path(paths.tmp), 'extract'),
      failFast: !values.skipBadFiles,
      signal: context.signal,
      onFile: () => progress.advance(),
      onState: (state) => progress.state(state),
    },
  )
  progress.end(`${count(extracted.events)} records of ${count(files.length)} files`)
  if (extracted.trainPairs + extracted.holdoutPairs === 0) throw nothing(run, extracted)
  for (const { key, reason } of extracted.bad) context.talk.warn(`left out ${JSON.stringify(key)}: ${reason}`)
  await checkRows(run, outputs, extracted, context.signal)
  return resultOf(run, outputs, entity, cutoff, values, extracted)
}

/** What was written is read back as the next step reads it. */
async function checkRows(
  run: Run,
  outputs: { train: string; holdout: string },
  extracted: Extracted,
  signal: AbortSignal,
) {
  for (const [file, rows] of [
    [outputs.train, extracted.trainPairs],
    [outputs.holdout, extracted.holdoutPairs],
  ] as const) {
    const { ip } = await readPairs([run.path(file)], signal)
    if (ip.length !== rows) throw new Error(`${file} has ${ip.length} rows, ${rows} were written`)
  }
}

async function resultOf(
  run: Run,
  outputs: { train: string; holdout: string; entities: string },
  entity: string,
  cutoff: Date,
  values: Values<typeof options>,
  extracted: Extracted,
) {
  const { bad, dropped, trainPairs, holdoutPairs } = extracted
  const written = Object.values(outputs)
  return {
    events: extracted.events,
    pairs: trainPairs + holdoutPairs,
    trainPairs,
    holdoutPairs,
    entities: extracted.entities,
    entity,
    includePrivate: values.includePrivate,
    dropped: { ...dropped },
    files: await Promise.all(written.map(async (path) => ({ path, bytes: (await run.store.head(path))?.size ?? 0 }))),
    skippedFiles: bad.map(({ key, reason }) => ({ path: key, reason })),
    cutoff: cutoff.toISOString(),
    digest: await digestOfFiles(written.map((path) => run.path(path))),
  }
}

function nothing(run: Run, { events, dropped }: Extracted): UserError {
  const rows = Object.entries(dropped).map(([reason, n]) => `\n    ${reason}: ${count(n)}`)
  return new UserError(`run ${run.id}: none of ${count(events)} records is a pair${rows.join('')}`, {
    hint: 'another --entity, --include-private, or a longer window',
  })
}

function outcomeOf(run: Run, result: Record<string, unknown>, repeated: boolean): Outcome {
  const { events, pairs, trainPairs, holdoutPairs, entities, entity, dropped } = result
  const n = (value: unknown) => count(Number(value))
  const rows = [
    ['records', n(events), ''],
    ...Object.entries(dropped as Record<string, number>).map(([reason, rows]) => [
      `– ${reason}`,
      count(rows),
      percent(rows, Number(events)),
    ]),
    ['= pairs', n(pairs), percent(Number(pairs), Number(events))],
    ['  to train on', n(trainPairs), ''],
    ['  held out', n(holdoutPairs), ''],
    [`entities (${entity})`, n(entities), ''],
  ]
  return {
    json: { run: run.id, ...result, repeated },
    text: `run ${run.id}${repeated ? ', as extracted before' : ''}\n${table([['', '', ''], ...rows]).trim()}`,
    next: nextCommand('train', run),
  }
}
