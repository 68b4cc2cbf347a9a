import type { Pairs } from '../lib/insights/pairs.ts'
import { hasPairs, openPairs, pairsOf, toMakePairs } from '../lib/runs/pairs.ts'
import { paths } from '../lib/runs/paths.ts'
import type { Run } from '../lib/runs/run.ts'
import type { AwsSettings } from '../lib/stores/open.ts'
import { knownEntities } from './entities.ts'
import { checkFiles, pairsIn, sameEntity } from './inputs.ts'
import { type Place, placeAt, placeIn } from './places.ts'

/** What is to be judged, and by what. */
export interface Target {
  /** `holdout`, the id of another run, or `files`. */
  readonly of: string
  judged(signal: AbortSignal): Promise<Pairs>
  /** @throws UserError when that is not there, before anything is asked or paid */
  check?(): Promise<void>
  /** What the model was trained on, where it is at hand. */
  readonly trained?: (signal: AbortSignal) => Promise<Pairs>
  /** Where it was and is there no more: how it is made again. */
  readonly forgotten?: string
  /** Known entities with their accesses in training, where a list of them decides. */
  readonly known?: () => Promise<ReadonlyMap<string, number>>
  readonly model: Place
  readonly calibration: Place
  /** Of the model, where its file need not be read for it. */
  readonly digest?: string
  /** Where a calibration can be made when there is none. */
  readonly trial?: (signal: AbortSignal) => Promise<HeldOut>
  /** Kind of log, to tell whose labels count. */
  readonly source?: string
  /** Names the pairs of another run. */
  readonly pairs?: string
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

/** More training pairs than these are not read again to tell what was seen before: gigabytes of memory. */
const MOST_HISTORY = 30_000_000

/** The holdout of a run, or all pairs of another run against its model. */
export async function runTarget(run: Run, other: Run | undefined, aws: AwsSettings): Promise<Target> {
  const own = await ownOf(run, aws)
  if (other === undefined) {
    const check = () => checkFiles(run, ['holdout'])
    return { ...own, of: 'holdout', judged: (signal) => pairsOf(run, 'holdout', signal), check }
  }
  sameEntity(run, other)
  const parts = ['train', 'holdout'] as const
  const check = () => checkFiles(other, parts)
  const pairs = JSON.stringify(other.result('extract').digest)
  return { ...own, of: other.id, judged: (signal) => pairsOf(other, parts, signal), check, pairs }
}

/** Files of pairs against the model of a run. */
export const filesOfRun = async (run: Run, pairs: readonly string[], aws: AwsSettings): Promise<Target> => ({
  ...(await ownOf(run, aws)),
  of: 'files',
  judged: (signal) => openPairs(pairs, aws, signal),
})

/** The model of a run, and what belongs to it. */
async function ownOf(run: Run, aws: AwsSettings) {
  const inS3 = run.folder === undefined
  const { trainPairs } = run.result('extract')
  // In S3 a list of entities outlives the pairs, and says as well whom the model knows.
  const hasHistory = !inS3 || (await hasPairs(run, 'train'))
  if (!inS3) await checkFiles(run, ['train'])
  return {
    ...(!hasHistory && { forgotten: await toMakePairs(run) }),
    ...(hasHistory &&
      trainPairs <= MOST_HISTORY && { trained: (signal: AbortSignal) => pairsOf(run, 'train', signal) }),
    model: inS3 ? await placeAt(run.result('train').model, aws) : placeIn(run.store, paths.model),
    calibration: placeIn(run.store, paths.calibration),
    source: run.request.source,
    ...(inS3 && {
      known: () => knownEntities(run),
      digest: run.result('train').digest,
      trial: (signal: AbortSignal) => heldOut(run, signal),
    }),
  }
}

async function heldOut(run: Run, signal: AbortSignal): Promise<HeldOut> {
  return {
    holdout: await pairsIn(run, ['holdout'], signal),
    days: run.holdout().days,
    seed: 1,
    model: run.result('train').digest,
  }
}

/** Files of pairs against a model without a run; folders and files, or objects in S3. */
export async function filesTarget(pairs: readonly string[], model: string, aws: AwsSettings): Promise<Target> {
  const folder = model.replace(/\/+$/, '')
  return {
    of: 'files',
    judged: (signal) => openPairs(pairs, aws, signal),
    model: await placeAt(`${folder}/model.tar.gz`, aws),
    calibration: await placeAt(`${folder}/calibration.json`, aws),
  }
}
