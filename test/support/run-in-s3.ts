import { readFileSync } from 'node:fs'
import { before } from 'node:test'
import { eventsByEntity } from '../../scripts/lib/insights/accesses.ts'
import { digestOf } from '../../scripts/lib/insights/model.ts'
import { readPairs } from '../../scripts/lib/insights/pairs.ts'
import type { Ledger } from '../../scripts/lib/runs/ledger.ts'
import type { Run } from '../../scripts/lib/runs/run.ts'
import { wrapped } from '../sandbox/sagemaker/container.ts'
import type { Sandbox } from '../sandbox/start.ts'
import { trainingJobResult } from './results.ts'
import { placeInS3 } from './run-places.ts'
import { tempFolder } from './temp.ts'
import { trainedRun } from './trained-run.ts'

export const BUCKET = 'org-staging'
export const WORKSPACE = `s3://${BUCKET}/prestage`
export const ROLE = 'arn:aws:iam::111122223333:role/prestage-sagemaker'
const IMAGE = '382416733822.dkr.ecr.us-east-1.amazonaws.com/ipinsights:1'

/** A run that was trained on this machine, and where its twin in S3 lies. */
export interface Twins {
  readonly local: Run
  /** Workspace of the local one. */
  readonly workspace: string
  readonly id: string
  /** Key in the bucket of something in the run. */
  readonly at: (key: string) => string
  readonly model: string
}

const workspace = tempFolder()
let local: Run
before(async () => {
  local = await trainedRun(workspace)
})

/**
 * Put a run into a sandbox as extraction by Athena and training by SageMaker leave it: pairs of any name below attempts, entities.csv,
 * the model where a job writes it, and a ledger that says so. Without a calibration, unless it is asked for.
 */
export async function runInS3(sandbox: Sandbox, { calibrated = false } = {}): Promise<Twins> {
  const at = (key: string) => `prestage/${placeInS3(local.id, key)}`
  const put = (key: string, body: string | Buffer) => sandbox.s3.put(BUCKET, at(key), body)
  const [training, holdout] = ['train', 'holdout'].map((part) => readFileSync(local.path(`pairs/${part}/part-0.csv`)))
  const half = (training as Buffer).indexOf(10, (training as Buffer).length / 2) + 1
  put('pairs/train/train_ab12cd_1/20261201_part_x', (training as Buffer).subarray(0, half))
  put('pairs/train/train_ab12cd_1/20261201_part_y', (training as Buffer).subarray(half))
  put('pairs/holdout/holdout_ab12cd_1/20261201_part_z', holdout as Buffer)
  const pairs = await readPairs([local.path('pairs/train/part-0.csv')])
  const known = eventsByEntity(pairs)
  put('entities.csv', [...known].map(([entity, events]) => `${entity},${events},1\n`).join(''))
  const bytes = readFileSync(local.path('model/model.tar.gz'))
  const job = `prestage-${local.id}`
  put(`model/${job}/output/model.tar.gz`, await wrapped(bytes))
  const model = `s3://${BUCKET}/${at(`model/${job}/output/model.tar.gz`)}`
  if (calibrated) put('model/calibration.json', readFileSync(local.path('model/calibration.json')))
  const ledger = JSON.parse(readFileSync(local.path('run.json'), 'utf8')) as Ledger
  const result = trainingJobResult({
    model,
    job,
    image: IMAGE,
    entities: known.size,
    epochs: 12,
    auc: 0.9,
    digest: digestOf(bytes),
  })
  const train = { ...ledger.steps.train, checkpoint: {}, result }
  put('run.json', JSON.stringify({ ...ledger, steps: { ...ledger.steps, train } }))
  return { local, workspace, id: local.id, at, model }
}
