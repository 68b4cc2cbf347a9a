import type { Outcome } from '../lib/cli/command.ts'
import type { Context } from '../lib/cli/context.ts'
import { count, plural } from '../lib/cli/format.ts'
import { locationOf } from '../lib/stores/uri.ts'
import { serving } from './serving.ts'
import { take } from './steps.ts'

/** Values of options by key, for whichever step has them. */
export type Given = Readonly<Record<string, unknown>> & {
  readonly workspace: string
  readonly dryRun: boolean
}

/** What each step handed back, in the order in which they were taken. */
export type Taken = Map<string, Outcome>

/** Takes one source through all steps. What was done is in `taken` also when a later step fails. @returns the run's id */
export async function takeThrough(context: Context, given: Given, taken: Taken): Promise<string> {
  const note = (name: string, outcome: Outcome): Outcome => {
    taken.set(name, outcome)
    return outcome
  }
  const staged = note('stage', await take((await import('../stage/command.ts')).command, context, given))
  const run = String(staged.json.run)
  if (!given.dryRun) await rest(context, { ...given, run }, note)
  return run
}

async function rest(
  context: Context,
  given: Given & { readonly run: string },
  note: (name: string, outcome: Outcome) => Outcome,
): Promise<void> {
  note('extract', await take((await import('../extract/command.ts')).command, context, given))
  note('train', await take((await import('../train/command.ts')).command, context, given))
  const score = (await import('../score/command.ts')).command
  if (locationOf(given.workspace).kind === 's3') {
    note('deploy', await take((await import('../deploy/command.ts')).command, context, given))
    note('score', await take(score, context, given))
  } else
    await serving(context, given, async (endpoint, deployed) => {
      note('deploy', deployed)
      note('score', await take(score, context, { ...given, endpoint }))
    })
  note('report', await take((await import('../report/command.ts')).command, context, given))
}

/** Results by step, as JSON. */
export const jsonOf = (taken: Taken): Record<string, unknown> =>
  Object.fromEntries([...taken].map(([name, { json }]) => [name, json]))

/** What came out, a name and a value a line. */
export function outcomeLines(taken: Taken): [string, string][] {
  const number = (step: string, field: string) => Number(taken.get(step)?.json[field])
  return [
    ['run', String(taken.get('stage')?.json.run)],
    ['staged', plural(number('stage', 'objects'), 'object')],
    [
      'extracted',
      `${plural(number('extract', 'pairs'), 'pair')} of ${plural(number('extract', 'entities'), 'entity', 'entities')}`,
    ],
    ['trained', `AUC ${count(number('train', 'auc'))} against random addresses`],
    ['scored', `${plural(number('score', 'scored'), 'distinct pair')}, ${count(number('score', 'flagged'))} flagged`],
    [
      'not judged',
      `${count(number('score', 'unseen'))} of entities never seen in training, ${count(number('score', 'sparse'))} of rare ones`,
    ],
    ...attackLines((taken.get('score')?.json.attacks ?? []) as readonly Found[]),
  ]
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
