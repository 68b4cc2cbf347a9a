import * as v from 'valibot'
import { type AwsSettings, awsOf } from '../lib/aws/settings.ts'
import type { Command, CommandResult, Context } from '../lib/cli/command.ts'
import { count, facts, plural } from '../lib/cli/format.ts'
import type { OptionSpecs } from '../lib/cli/options.ts'
import { fitted } from '../lib/cli/shapes.ts'
import { take } from '../lib/cli/take.ts'
import { alertsIn } from '../lib/runs/alerts.ts'
import { HOLDOUT } from '../lib/runs/paths.ts'
import type { AttackResult, ScoreResult, TrainResult } from '../lib/runs/results.ts'
import type { Run } from '../lib/runs/run.ts'
import { openRun } from '../lib/runs/workspace.ts'
import { locationOf } from '../lib/stores/uri.ts'
import { alertTable } from '../score/alerts/text.ts'
import { lateFilesText } from '../stage/render.ts'

/** Values of options by key, for whichever step has them. */
export type Given = Readonly<Record<string, unknown>> &
  Pick<AwsSettings, 'profile' | 'awsRegion' | 'endpointUrl'> & {
    readonly workspace: string
    readonly dryRun: boolean
    /** The pipeline's own command with this window. */
    readonly again: string
    /** Advice where there is too little data. */
    readonly longer: string
  }

/** How far a source has come; known also when a later step fails. */
export interface Taken {
  /** Id of the run, once it is staged. */
  run?: string
  /** What each step handed back, in the order in which they were taken. */
  readonly steps: Map<string, CommandResult>
}

/** What every stage hands back, planned or done. */
const stagedSchema = v.object({ run: v.string() })

/** Takes one source through all steps. @returns the run with their results; undefined for a plan */
export async function takeThrough(context: Context, given: Given, taken: Taken): Promise<Run | undefined> {
  const step = async <S extends OptionSpecs>(command: Command<S>, more: object = {}): Promise<CommandResult> => {
    const result = await take(command, context, { ...given, run: taken.run, ...more })
    taken.steps.set(command.name, result)
    return result
  }
  const staged = await step((await import('../stage/command.ts')).command)
  const { run: id } = fitted(stagedSchema, staged.json)
  taken.run = id
  if (given.dryRun) return undefined
  // Each step writes its result into the ledger.
  const current = () => openRun(given.workspace, id, awsOf(given, context))
  await step((await import('../extract/command.ts')).command)
  const extracted = await current()
  const { trainPairs, holdoutPairs } = extracted.result('extract')
  const lack = lackOf(trainPairs, holdoutPairs)
  if (lack !== undefined) context.talk.warn(`${lack}; ${given.longer}`)
  if (trainPairs > 0) {
    await step((await import('../train/command.ts')).command, given.overwrite === true ? {} : budgetOf(extracted))
    const { calibration } = (await current()).result('train')
    const inAws = locationOf(given.workspace).kind === 's3'
    // In AWS deploy calibrates.
    if (holdoutPairs > 0 && calibration === null && !inAws) context.talk.warn(`${NOT_CALIBRATED}; ${given.longer}`)
    else if (holdoutPairs > 0) {
      const { command: score } = await import('../score/command.ts')
      if (inAws) {
        await step((await import('../deploy/command.ts')).command)
        await step(score)
      } else
        await serving(context, extracted, async (endpoint, deployed) => {
          taken.steps.set('deploy', deployed)
          await step(score, { endpoint })
        })
    }
  }
  await step((await import('../report/command.ts')).command, { fromRun: HOLDOUT })
  return current()
}

const NOT_CALIBRATED = 'the model could not be calibrated: nothing will be scored'

/** Why fewer steps than usual make sense; undefined if all do. */
function lackOf(trainPairs: number, holdoutPairs: number): string | undefined {
  if (trainPairs === 0)
    return `all ${plural(holdoutPairs, 'pair')} of the window are in its last part, the holdout: no model is trained, and nothing is scored`
  return holdoutPairs === 0 ? 'the holdout has no pairs: nothing will be scored' : undefined
}

/**
 * Another alert budget needs no new model, because scoring chooses the threshold. So a training that is done keeps its budget.
 */
function budgetOf({ ledger }: Run): object {
  const { alertsPerDay } = ledger.steps.train?.settings ?? {}
  return alertsPerDay === undefined ? {} : { alertsPerDay }
}

/** Results by step, as JSON. */
export const stepResults = ({ steps }: Taken): Record<string, unknown> =>
  Object.fromEntries([...steps].map(([name, { json }]) => [name, json]))

/** The results, one name and value per line. */
export function resultLines(run: Run, { steps }: Taken, again: string): [string, string][] {
  const { objects, final, completeAfter } = run.result('stage')
  const { trainPairs, entities, holdoutPairs } = run.result('extract')
  const late: [string, string][] = final ? [] : [['late files', lateFilesText(completeAfter, again)]]
  const onTrain = `${plural(trainPairs, 'pair')} of ${plural(entities, 'entity', 'entities')} to train on`
  return [
    ['run', run.id],
    ['staged', plural(objects, 'object')],
    ...late,
    ['extracted', `${onTrain}, ${plural(holdoutPairs, 'pair')} held out`],
    ['trained', steps.has('train') ? trainedText(run.result('train')) : 'nothing'],
    // A result of earlier does not count: the holdout may have no pairs now.
    ...(steps.has('score') ? scoreLines(run.result('score')) : [['scored', 'nothing'] satisfies [string, string]]),
  ]
}

const trainedText = ({ auc }: TrainResult): string =>
  auc === null ? 'without a measure' : `AUC ${count(auc)} against random addresses`

/** The results and, below them, the first alerts. */
export function resultText({ steps }: Taken, lines: readonly [string, string][]): string {
  const alerts = alertTable(alertsIn(steps.get('score')?.json ?? {}))
  return [facts(lines), ...(alerts === undefined ? [] : [alerts])].join('\n\n')
}

const scoreLines = ({ scored, flagged, unseen, sparse, attacks }: ScoreResult): [string, string][] => [
  ['scored', `${plural(scored, 'distinct pair')}, ${count(flagged)} flagged`],
  ['not judged', `${count(unseen)} of entities never seen in training, ${count(sparse)} of rare ones`],
  ...attackLines(attacks ?? []),
]

/** None where no attacks are known. */
function attackLines(kinds: readonly AttackResult[]): [string, string][] {
  if (kinds.length === 0) return []
  const sum = (field: 'attacks' | 'flagged') => kinds.reduce((all, kind) => all + kind[field], 0)
  const each = kinds.slice(0, 5).map(({ kind, attacks, flagged }) => `${kind} ${count(flagged)} of ${count(attacks)}`)
  const more = kinds.length > each.length ? ', …' : ''
  return [
    ['attacks', `${count(sum('flagged'))} of ${count(sum('attacks'))} known ones flagged: ${each.join(', ')}${more}`],
  ]
}

/** Serves the run's model on a free port while `work` uses it. */
async function serving(
  { talk }: Context,
  run: Run,
  work: (endpoint: string, deployed: CommandResult) => Promise<void>,
): Promise<void> {
  const { serveRun } = await import('../deploy/local/endpoint.ts')
  const { url, close } = await serveRun(run, { port: 0, onError: (text) => talk.warn(`endpoint: ${text}`) })
  talk.info(`deploy: serving at ${url} while it scores`)
  try {
    await work(url, { json: { run: run.id, endpoint: url, status: 'InService' }, text: `serving at ${url}` })
  } finally {
    await close()
  }
}
