import { buffer } from 'node:stream/consumers'
import { UsageError, UserError } from '../lib/cli/errors.ts'
import type { Ipv6Pair } from '../lib/insights/ipv6-evidence.ts'
import type { Pairs } from '../lib/insights/pairs.ts'
import { nextCommand } from '../lib/runs/next.ts'
import {
  countedIpv6,
  hasPairs,
  ipv6RowsOf,
  openPairs,
  type Part,
  pairsOf,
  toMakePairs,
  trainedIpv6,
} from '../lib/runs/pairs.ts'
import { HOLDOUT, paths } from '../lib/runs/paths.ts'
import type { Run } from '../lib/runs/run.ts'
import { daysOf } from '../lib/runs/window.ts'
import { linesOf } from '../lib/stores/lines.ts'
import { type AwsSettings, openStore } from '../lib/stores/open.ts'
import type { Store } from '../lib/stores/store.ts'

/** What is judged, and by which model. */
export interface Target {
  /** `holdout`, the id of another run, or `files`. */
  readonly of: string
  /** Days that the pairs to judge cover, where that is known. */
  readonly days?: number
  /** The pairs to judge. */
  pairs(signal: AbortSignal): Promise<Pairs>
  /** @throws UserError when the pairs are missing, before anything is asked or paid */
  check?(): Promise<void>
  /** The training pairs of the model, where they are available. */
  readonly trained?: (signal: AbortSignal) => Promise<Pairs>
  /** When the training pairs are gone: how to make them again. */
  readonly lostTraining?: string
  /** Known entities with their training pairs, where a list of them decides. */
  readonly known?: () => Promise<ReadonlyMap<string, number>>
  readonly model: Place
  readonly calibration: Place
  /** Digest of the model, where its file need not be read for it. */
  readonly digest?: string
  /** Where a missing calibration can be made. */
  readonly heldOut?: (signal: AbortSignal) => Promise<HeldOut>
  /** Kind of log, to select labels. */
  readonly source?: string
  /** IPv6 pairs: those of training, and those to judge. Absent where they are not kept. */
  readonly ipv6?: (signal: AbortSignal) => Promise<{ trained: readonly Ipv6Pair[]; judged: readonly Ipv6Pair[] }>
  /** Digest of the pairs of another run. */
  readonly pairsDigest?: string
}

/** What a calibration is made of. */
export interface HeldOut {
  readonly holdout: Pairs
  /** Days that it covers. */
  readonly days: number
  readonly seed: number
  /** Digest of the model. */
  readonly model: string
}

/** More training pairs than these are not read again to say what was seen before: gigabytes of memory. */
const MOST_HISTORY = 30_000_000

/** The holdout of a run, or all pairs of another run against its model. */
export async function runTarget(run: Run, other: Run | undefined, aws: AwsSettings): Promise<Target> {
  const own = await modelOf(run, aws)
  if (other === undefined) {
    const check = () => checkFiles(run, ['holdout'])
    return {
      ...own,
      of: HOLDOUT,
      days: run.holdout().days,
      pairs: (signal) => pairsOf(run, 'holdout', signal),
      ipv6: async (signal) => {
        const rows = await ipv6RowsOf(run, signal)
        return { trained: trainedIpv6(rows), judged: countedIpv6(rows, ({ holdout }) => holdout) }
      },
      check,
    }
  }
  checkSameEntity(run, other)
  const parts = ['train', 'holdout'] as const
  const check = () => checkFiles(other, parts)
  const pairsDigest = JSON.stringify(other.result('extract').digest)
  return {
    ...own,
    of: other.id,
    days: daysOf({ from: new Date(other.request.from), to: new Date(other.request.to) }),
    pairs: (signal) => pairsOf(other, parts, signal),
    ipv6: async (signal) => ({
      trained: trainedIpv6(await ipv6RowsOf(run, signal)),
      judged: countedIpv6(await ipv6RowsOf(other, signal), ({ train, holdout }) => train + holdout),
    }),
    check,
    pairsDigest,
  }
}

/** Files of pairs against the model of a run. */
export const filesOfRun = async (run: Run, pairs: readonly string[], aws: AwsSettings): Promise<Target> => ({
  ...(await modelOf(run, aws)),
  of: 'files',
  pairs: (signal) => openPairs(pairs, aws, signal),
})

/** Files of pairs against a model without a run; folders and files, or objects in S3. */
export async function filesTarget(pairs: readonly string[], model: string, aws: AwsSettings): Promise<Target> {
  const folder = model.replace(/\/+$/, '')
  return {
    of: 'files',
    pairs: (signal) => openPairs(pairs, aws, signal),
    model: await placeAt(`${folder}/model.tar.gz`, aws),
    calibration: await placeAt(`${folder}/calibration.json`, aws),
  }
}

/** The model of a run, and what belongs to it. */
async function modelOf(run: Run, aws: AwsSettings) {
  const inS3 = run.folder === undefined
  const { trainPairs } = run.result('extract')
  // In S3 a list of entities outlives the pairs, and also says which entities the model knows.
  const hasHistory = !inS3 || (await hasPairs(run, 'train'))
  if (!inS3) await checkFiles(run, ['train'])
  return {
    ...(!hasHistory && { lostTraining: await toMakePairs(run) }),
    ...(hasHistory &&
      trainPairs <= MOST_HISTORY && { trained: (signal: AbortSignal) => pairsOf(run, 'train', signal) }),
    model: inS3 ? await placeAt(run.result('train').model, aws) : placeIn(run.store, paths.model),
    calibration: placeIn(run.store, paths.calibration),
    source: run.request.source,
    ...(inS3 && {
      known: () => knownEntities(run),
      digest: run.result('train').digest,
      heldOut: (signal: AbortSignal) => heldOut(run, signal),
    }),
  }
}

async function heldOut(run: Run, signal: AbortSignal): Promise<HeldOut> {
  await checkFiles(run, ['holdout'])
  const holdout = await pairsOf(run, 'holdout', signal)
  return { holdout, days: run.holdout().days, seed: 1, model: run.result('train').digest }
}

/** @throws UserError when the run has no files in any of these parts */
async function checkFiles(run: Run, parts: readonly Part[]): Promise<void> {
  for (const part of parts) if (await hasPairs(run, part)) return
  if (parts.includes('holdout') && run.result('extract').holdoutPairs === 0)
    throw new UserError(`the holdout of run ${run.id} is empty`, {
      hint: `${nextCommand('extract', run)} --overwrite --holdout 20%`,
    })
  throw new UserError(`run ${run.id} has no files in ${parts.map((part) => paths[part]).join(' or ')}`, {
    hint: await toMakePairs(run),
  })
}

/** @throws UsageError when the entities of the two runs are different fields: all would be unseen */
function checkSameEntity(run: Run, other: Run): void {
  const [entity, theirs] = [run.result('extract').entity, other.result('extract').entity]
  if (entity === theirs) return
  throw new UsageError(
    `the entity of run ${other.id} is ${JSON.stringify(theirs)}, that of run ${run.id} is ${JSON.stringify(entity)}`,
    `extract one of them again: ${nextCommand('extract', other)} --entity ${entity} --overwrite`,
  )
}

/** The known entities of a run, encoded, with their training pairs. @throws UserError when the list is missing or damaged */
async function knownEntities(run: Run): Promise<Map<string, number>> {
  const hint = `${nextCommand('extract', run)} --overwrite`
  if ((await run.store.head(paths.entities)) === undefined)
    throw new UserError(`run ${run.id} has no ${paths.entities}`, { hint })
  const known = new Map<string, number>()
  let number = 0
  for await (const line of linesOf(await run.store.read(paths.entities))) {
    number += 1
    // An encoded entity holds no comma.
    const [entity = '', events = '', ips, ...more] = line.split(',')
    if (entity === '' || !/^\d+$/.test(events) || ips === undefined || more.length > 0)
      throw new UserError(`${run.uriOf(paths.entities)}:${number} is no entity: ${JSON.stringify(line.slice(0, 80))}`, {
        hint,
      })
    known.set(entity, Number(events))
  }
  return known
}

/** An object or a file. */
export interface Place {
  readonly uri: string
  text(): Promise<string | undefined>
  /** Undefined when there is nothing. */
  bytes(): Promise<Buffer | undefined>
}

/** Something below a store. */
function placeIn(store: Store, key: string): Place {
  return {
    uri: store.localPath?.(key) ?? store.uriOf(key),
    text: () => store.text(key),
    bytes: async () => ((await store.head(key)) === undefined ? undefined : buffer(await store.read(key))),
  }
}

/** What a URI names: `s3://bucket/key` or a path. */
async function placeAt(uri: string, aws: AwsSettings): Promise<Place> {
  const [folder, name] = split(uri)
  return placeIn(await openStore(folder, aws), name)
}

function split(uri: string): [folder: string, name: string] {
  const at = uri.lastIndexOf('/')
  return at === -1 ? ['.', uri] : [uri.slice(0, at) || '/', uri.slice(at + 1)]
}
