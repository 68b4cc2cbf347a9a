import { createHash } from 'node:crypto'
import type { Context } from '../../lib/cli/command.ts'
import { groupByEntity } from '../../lib/insights/accesses.ts'
import type { Pairs } from '../../lib/insights/pairs.ts'
import { hasPairs, pairObjects, pairSources, requirePairs } from '../../lib/runs/pairs.ts'
import { paths, runStore } from '../../lib/runs/paths.ts'
import { OF_FILES, type Request } from '../../lib/runs/request.ts'
import type { Results } from '../../lib/runs/results.ts'
import type { Run, StepPlan } from '../../lib/runs/run.ts'
import { DAY_MS } from '../../lib/runs/window.ts'
import { createRun, findRun } from '../../lib/runs/workspace.ts'
import { FILES } from '../../lib/sources/registry.ts'
import { type AwsSettings, openStore } from '../../lib/stores/open.ts'
import type { Store } from '../../lib/stores/store.ts'
import { type Input, inputOfFiles, type PairFiles, requireTrainingPairs } from '../input.ts'

/** What a training job has to know of its pairs. */
export interface PairSet {
  /** Of the run that holds them. */
  readonly id: string
  readonly workspace: string
  readonly store: Store
  readonly pairs: number
  readonly holdoutPairs: number
  readonly entities: number
  readonly bytes: number
  readonly digest: string
}

/** Where the pairs come from. */
export interface PairSource {
  /** @throws UserError when pairs are missing */
  pairSet(): Promise<PairSet>
  /** The run that holds the pairs. @param approve asks the user, before anything is uploaded */
  run(approve: () => Promise<void>): Promise<Run>
}

/** The pairs that extract has written. */
export const pairsOfRun = (run: Run): PairSource => ({
  run: async () => run,
  pairSet: async () => {
    requireTrainingPairs(run)
    await requirePairs(run)
    const { trainPairs, holdoutPairs, entities, digest } = run.result('extract')
    const objects = { train: await pairObjects(run, 'train'), holdout: await pairObjects(run, 'holdout') }
    return {
      id: run.id,
      workspace: run.workspace,
      store: run.store,
      pairs: trainPairs,
      holdoutPairs: objects.holdout.length === 0 ? 0 : holdoutPairs,
      entities,
      bytes: [...objects.train, ...objects.holdout].reduce((sum, { size }) => sum + size, 0),
      digest,
    }
  },
})

/**
 * Files of pairs. They become a run in the workspace of the model, under an id that their content determines, so that everything that
 * works with a run works with them.
 * @param workspace `s3://bucket/prefix`
 */
export async function pairsOfFiles(
  context: Context,
  files: PairFiles,
  workspace: string,
  aws: AwsSettings,
): Promise<PairSource> {
  const input = await inputOfFiles(files, aws, context.signal)
  const { digest, bytes } = await measured(files, aws)
  const id = `pairs-${digest.slice(0, 12)}`
  const store = runStore(await openStore(workspace, aws), id)
  const counts = countsOf(input)
  const { trainPairs: pairs, holdoutPairs, entities } = counts
  return {
    pairSet: async () => ({ id, workspace, store, pairs, holdoutPairs, entities, bytes, digest }),
    run: async (approve) => {
      const request = requestOf(digest, workspace)
      const before = await findRun(workspace, request, aws, id)
      const isThere = before !== undefined && (await before.isCurrent('extract', uploadPlan(before, input)))
      // Pairs that have expired are uploaded again; a model that was trained on them is not paid for again.
      if (!isThere && before?.isDone('train') !== true) await approve()
      const run = before ?? (await createRun(workspace, request, aws, id))
      await run.step('extract', uploadPlan(run, input), async () => {
        await upload(context, run, files, aws)
        // Last: when it is there, everything is.
        await run.store.write(paths.entities, [...entityRows(input.train)].join(''))
        return { ...counts, digest }
      })
      return run
    },
  }
}

/** Nobody knows when the accesses of a file were. */
const NO_TIME = '1970-01-01T00:00:00.000Z'

const requestOf = (digest: string, workspace: string): Request => ({
  source: FILES,
  logs: workspace,
  from: NO_TIME,
  to: NO_TIME,
  accounts: [],
  regions: [],
  keys: OF_FILES,
  keysFrom: `sha256:${digest}`,
})

const uploadPlan = (run: Run, { holdoutDays, holdout }: Input): StepPlan => ({
  settings: { holdoutDays },
  inputs: [],
  overwrite: false,
  onChange: 'redo',
  redoIf: async () =>
    (await run.store.head(paths.entities)) === undefined ||
    !(await hasPairs(run, 'train')) ||
    (holdout !== undefined && !(await hasPairs(run, 'holdout'))),
})

/** Puts the files where extract puts pairs. */
async function upload(context: Context, run: Run, files: PairFiles, aws: AwsSettings): Promise<void> {
  const progress = context.progress('uploading', files.train.length + files.holdout.length, 'files')
  for (const part of ['train', 'holdout'] as const)
    for await (const [i, { open }] of numbered(pairSources(files[part], aws))) {
      await run.store.write(`${paths[part]}part-${String(i).padStart(5, '0')}.csv`, await open())
      progress.advance()
    }
  progress.end()
}

async function* numbered<T>(items: AsyncIterable<T>): AsyncGenerator<[number, T]> {
  let i = 0
  for await (const item of items) yield [i++, item]
}

/** What extract would have recorded of these pairs. */
function countsOf({ train, holdout, holdoutDays }: Input): Omit<Results['extract'], 'digest'> {
  const [trainPairs, holdoutPairs] = [train.ip.length, holdout?.ip.length ?? 0]
  return {
    events: trainPairs + holdoutPairs,
    pairs: trainPairs + holdoutPairs,
    trainPairs,
    holdoutPairs,
    entities: train.entities.length,
    entity: 'unknown',
    includePrivate: false,
    dropped: {},
    files: [],
    skippedFiles: [],
    cutoff: new Date(Date.parse(NO_TIME) - holdoutDays * DAY_MS).toISOString(),
  }
}

/** `entity,events,ips` of each entity. */
function* entityRows(pairs: Pairs): Generator<string> {
  const { starts, ips } = groupByEntity(pairs)
  for (const [e, entity] of pairs.entities.entries()) {
    const own = ips.subarray(starts[e], starts[e + 1])
    yield `${entity},${own.length},${new Set(own).size}\n`
  }
}

async function measured({ train, holdout }: PairFiles, aws: AwsSettings): Promise<{ digest: string; bytes: number }> {
  const hash = createHash('sha256')
  let bytes = 0
  for (const uris of [train, holdout]) {
    for await (const { open } of pairSources(uris, aws))
      for await (const chunk of await open()) {
        hash.update(chunk)
        bytes += chunk.length
      }
    hash.update('\0')
  }
  return { digest: hash.digest('hex'), bytes }
}
