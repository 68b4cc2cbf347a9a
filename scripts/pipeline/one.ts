import { type AwsSettings, awsOf } from '../lib/aws/settings.ts'
import type { Command, CommandResult, Context } from '../lib/cli/command.ts'
import { count, duration, plural } from '../lib/cli/format.ts'
import type { OptionSpecs, Values } from '../lib/cli/options.ts'
import { HOLDOUT } from '../lib/runs/paths.ts'
import { openRun } from '../lib/runs/workspace.ts'
import { locationOf } from '../lib/stores/uri.ts'
import { lateFilesText } from '../stage/render.ts'

/** Values of options by key, for whichever step has them. */
export type Given = Readonly<Record<string, unknown>> &
  Pick<AwsSettings, 'profile' | 'awsRegion' | 'endpointUrl'> & {
    readonly workspace: string
    readonly dryRun: boolean
    /** The pipeline's own command with this window. */
    readonly again: string
    /** What to do about too little data. */
    readonly longer: string
  }

/** What each step handed back, in the order in which they were taken. */
export type Taken = Map<string, CommandResult>

/** Takes one source through all steps. What was done is in `taken` also when a later step fails. @returns the run's id */
export async function takeThrough(context: Context, given: Given, taken: Taken): Promise<string> {
  const note = (name: string, result: CommandResult): CommandResult => {
    taken.set(name, result)
    return result
  }
  const staged = note('stage', await take((await import('../stage/command.ts')).command, context, given))
  const run = String(staged.json.run)
  if (!given.dryRun) await rest(context, { ...given, run }, note)
  return run
}

async function rest(
  context: Context,
  given: Given & { readonly run: string },
  note: (name: string, result: CommandResult) => CommandResult,
): Promise<void> {
  const { json: extracted } = note(
    'extract',
    await take((await import('../extract/command.ts')).command, context, given),
  )
  const lack = lackOf(Number(extracted.trainPairs), Number(extracted.holdoutPairs))
  if (lack !== undefined) context.talk.warn(`${lack}; ${given.longer}`)
  if (extracted.trainPairs !== 0) {
    const train = (await import('../train/command.ts')).command
    const { json } = note('train', await take(train, context, { ...given, ...(await budgetOf(given, context)) }))
    // In AWS deploy calibrates.
    const isCalibrated = json.calibration !== null || locationOf(given.workspace).kind === 's3'
    if (extracted.holdoutPairs !== 0 && isCalibrated) await judge(context, given, note)
    else if (extracted.holdoutPairs !== 0) context.talk.warn(`${NOT_CALIBRATED}; ${given.longer}`)
  }
  const report = (await import('../report/command.ts')).command
  note('report', await take(report, context, { ...given, fromRun: HOLDOUT }))
}

const NOT_CALIBRATED = 'the model could not be calibrated: nothing will be scored'

/** Why fewer steps than usual make sense; undefined if all do. */
function lackOf(trainPairs: number, holdoutPairs: number): string | undefined {
  if (trainPairs === 0)
    return `all ${plural(holdoutPairs, 'pair')} of the window lie in its last part, the holdout: no model is trained, and nothing is scored`
  return holdoutPairs === 0 ? 'the holdout has no pairs: nothing will be scored' : undefined
}

/**
 * A model is not trained again for another alert budget: scoring chooses the threshold. So a training that is done keeps the budget that
 * it was done with.
 */
async function budgetOf(given: Given & { readonly run: string }, context: Context) {
  if (given.overwrite === true) return {}
  const run = await openRun(given.workspace, given.run, awsOf(given, context))
  const { alertsPerDay } = run.ledger.steps.train?.settings ?? {}
  return alertsPerDay === undefined ? {} : { alertsPerDay }
}

async function judge(
  context: Context,
  given: Given & { readonly run: string },
  note: (name: string, result: CommandResult) => CommandResult,
): Promise<void> {
  const score = (await import('../score/command.ts')).command
  if (locationOf(given.workspace).kind === 's3') {
    note('deploy', await take((await import('../deploy/command.ts')).command, context, given))
    note('score', await take(score, context, given))
  } else
    await serving(context, given, async (endpoint, deployed) => {
      note('deploy', deployed)
      note('score', await take(score, context, { ...given, endpoint }))
    })
}

/** Results by step, as JSON. */
export const stepResults = (taken: Taken): Record<string, unknown> =>
  Object.fromEntries([...taken].map(([name, { json }]) => [name, json]))

/** What came out, a name and a value a line. */
export function resultLines(taken: Taken, again: string): [string, string][] {
  const number = (step: string, field: string) => Number(taken.get(step)?.json[field])
  const staged = taken.get('stage')?.json ?? {}
  const late: [string, string][] =
    staged.final === false ? [['late files', lateFilesText(String(staged.completeAfter), again)]] : []
  const scored: [string, string][] = !taken.has('score')
    ? [['scored', 'nothing']]
    : [
        [
          'scored',
          `${plural(number('score', 'scored'), 'distinct pair')}, ${count(number('score', 'flagged'))} flagged`,
        ],
        [
          'not judged',
          `${count(number('score', 'unseen'))} of entities never seen in training, ${count(number('score', 'sparse'))} of rare ones`,
        ],
      ]
  return [
    ['run', String(staged.run)],
    ['staged', plural(number('stage', 'objects'), 'object')],
    ...late,
    [
      'extracted',
      `${plural(number('extract', 'trainPairs'), 'pair')} of ${plural(number('extract', 'entities'), 'entity', 'entities')} to train on, ${plural(number('extract', 'holdoutPairs'), 'pair')} held out`,
    ],
    ['trained', trainedText(taken.get('train'))],
    ...scored,
    ...attackLines((taken.get('score')?.json.attacks ?? []) as readonly Found[]),
  ]
}

function trainedText(trained: CommandResult | undefined): string {
  if (trained === undefined) return 'nothing'
  const { auc } = trained.json
  return typeof auc === 'number' ? `AUC ${count(auc)} against random addresses` : 'without a measure'
}

/** How one kind of known attacks was found. */
interface Found {
  readonly kind: string
  readonly attacks: number
  readonly flagged: number
}

/** None where no attacks are known. */
function attackLines(kinds: readonly Found[]): [string, string][] {
  if (kinds.length === 0) return []
  const sum = (field: 'attacks' | 'flagged') => kinds.reduce((all, kind) => all + kind[field], 0)
  const each = kinds.slice(0, 5).map(({ kind, attacks, flagged }) => `${kind} ${count(flagged)} of ${count(attacks)}`)
  const more = kinds.length > each.length ? ', …' : ''
  return [
    ['attacks', `${count(sum('flagged'))} of ${count(sum('attacks'))} known ones flagged: ${each.join(', ')}${more}`],
  ]
}

/** Takes a step with the pipeline's own values where the step has the same option, and the step's defaults elsewhere. */
export async function take<S extends OptionSpecs>(
  command: Command<S>,
  context: Context,
  given: Readonly<Record<string, unknown>>,
): Promise<CommandResult> {
  context.signal.throwIfAborted()
  const started = context.now().getTime()
  const values = Object.fromEntries(
    Object.entries(command.options).map(([key, spec]) => [key, given[key] ?? spec.fallback]),
  )
  const result = await command.run(context, values as Values<S>)
  const repeated = result.json.repeated === true ? ', was done before' : ''
  context.talk.info(`${command.name}: done in ${duration(context.now().getTime() - started)}${repeated}`)
  return result
}

/** Serves the run's model while `work` uses it, on a port of its own, and not a moment longer. */
async function serving(
  context: Context,
  given: { readonly workspace: string; readonly run: string },
  work: (endpoint: string, deployed: CommandResult) => Promise<void>,
): Promise<void> {
  const { serveRun } = await import('../deploy/local/endpoint.ts')
  const run = await openRun(given.workspace, given.run)
  const endpoint = await serveRun(run, { port: 0, onError: (text) => context.talk.warn(`endpoint: ${text}`) })
  context.talk.info(`deploy: serving at ${endpoint.url} while it scores`)
  try {
    await work(endpoint.url, {
      json: { run: run.id, endpoint: endpoint.url, status: 'InService' },
      text: `serving at ${endpoint.url}`,
    })
  } finally {
    await endpoint.close()
  }
}
