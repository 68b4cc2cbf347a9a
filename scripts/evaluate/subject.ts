import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Context } from '../lib/cli/command.ts'
import { UserError } from '../lib/cli/errors.ts'
import { MIN_EVENTS } from '../lib/insights/accesses.ts'
import { type Calibration, parseCalibration } from '../lib/insights/calibration.ts'
import { digestOf, modelIn } from '../lib/insights/model.ts'
import { nextCommand } from '../lib/runs/next.ts'
import { openPairs, pairsOf } from '../lib/runs/pairs.ts'
import { paths } from '../lib/runs/paths.ts'
import type { Run } from '../lib/runs/run.ts'
import type { AwsSettings } from '../lib/stores/open.ts'
import type { Subject } from './evaluate.ts'

export interface Named {
  readonly run?: string
  readonly subject: Subject
}

/** The holdout of a run. @throws UserError when there is none, or the model cannot be asked */
export async function subjectOfRun(run: Run, context: Context, aws: AwsSettings): Promise<Named> {
  const { signal } = context
  const { backend, digest } = run.result('train')
  if (run.result('extract').holdoutPairs === 0)
    throw new UserError(`the holdout of run ${run.id} is empty`, {
      hint: `${nextCommand('extract', run)} --overwrite --holdout 20%`,
    })
  const [train, holdout] = [await pairsOf(run, 'train', signal), await pairsOf(run, 'holdout', signal)]
  const text = await run.store.text(paths.calibration)
  const found = text === undefined ? undefined : parseCalibration(text, run.uriOf(paths.calibration))
  const calibration = found?.model === digest ? found : undefined
  const score =
    backend === 'local'
      ? (await modelIn(await readFile(run.path(paths.model)), run.path(paths.model))).scoreAll
      : await (await import('./sagemaker.ts')).endpointScore(run, context, aws)
  const days = run.holdout().days
  return { run: run.id, subject: subjectWith({ train, holdout, days, score }, calibration) }
}

/** Files of pairs, and the folder of a model if there is one. */
export async function subjectOfFiles(
  files: {
    readonly pairs: readonly string[]
    readonly holdout: string
    readonly holdoutDays: number
    readonly model: string | undefined
  },
  aws: AwsSettings,
  signal: AbortSignal,
): Promise<Named> {
  const train = await openPairs(files.pairs, aws, signal)
  const holdout = await openPairs([files.holdout], aws, signal)
  const known = { train, holdout, days: files.holdoutDays }
  if (files.model === undefined) return { subject: subjectWith(known, undefined) }
  const [path, calibrationPath] = [join(files.model, 'model.tar.gz'), join(files.model, 'calibration.json')]
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new UserError(`no model at ${path}`, { cause: error, hint: 'train one first, or leave --model out' })
  })
  const text = await readFile(calibrationPath, 'utf8').catch(() => undefined)
  const calibration = text === undefined ? undefined : parseCalibration(text, calibrationPath)
  if (calibration !== undefined && calibration.model !== digestOf(bytes))
    throw new UserError(`${calibrationPath} belongs to another model than ${path}`, { hint: 'train again' })
  return { subject: subjectWith({ ...known, score: (await modelIn(bytes, path)).scoreAll }, calibration) }
}

const subjectWith = (
  known: Pick<Subject, 'train' | 'holdout' | 'days' | 'score'>,
  calibration: Calibration | undefined,
): Subject => ({
  ...known,
  minEvents: calibration?.minEvents ?? MIN_EVENTS,
  ...(calibration?.rank !== undefined && { rank: calibration.rank }),
})
