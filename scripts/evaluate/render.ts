import type { CommandResult } from '../lib/cli/command.ts'
import { count, plural, table } from '../lib/cli/format.ts'
import { attackerKinds } from '../lib/insights/attackers.ts'
import { priorNames } from '../lib/insights/rank.ts'
import { type Evaluation, FALSE_ALARMS, type Line, sizeNames } from './evaluate.ts'
import type { Recall } from './recall.ts'

export type EvaluationResult = Evaluation & { readonly run?: string; readonly seed: number; readonly attacks: number }

export const drawnText = { even: 'entities drawn evenly', accesses: 'entities drawn as often as they come' } as const

/** One table for each prior and kind of attackers. */
export function renderEvaluation(result: EvaluationResult): CommandResult {
  const { run, pairs, days, attacks, lines } = result
  const head = `${plural(pairs, 'distinct pair')} of ${plural(days, 'day')}${run === undefined ? '' : ` of run ${run}`} against ${count(attacks)} attacks of each kind. Shares of attacks found, in percent; in brackets the 95 % interval of a bootstrap.`
  const tables = priorNames.flatMap((prior) =>
    attackerKinds.flatMap((kind) => {
      const own = lines.filter((line) => line.prior === prior && line.attackers === kind)
      return own.length === 0 ? [] : [`${kind}, ${drawnText[prior]}\n${tableOf(own)}`]
    }),
  )
  return { json: { ...result }, text: [head, ...tables].join('\n\n') }
}

function tableOf(lines: readonly Line[]): string {
  const [first] = lines
  const budgets = Object.keys(first?.budget ?? {})
  const header = [
    'ranking',
    'AUC',
    ...FALSE_ALARMS.map((share) => `${share * 100} % false alarms`),
    ...budgets.map((alerts) => `${alerts} a day`),
    ...sizeNames.map((name) => `accesses ${name}`),
  ]
  const rows = lines.map(({ ranking, auc, falseAlarms, budget, sizes }) => [
    ranking,
    auc.toFixed(4),
    ...FALSE_ALARMS.map((share) => recallText(falseAlarms[share])),
    ...budgets.map((alerts) => recallText(budget[alerts])),
    ...sizeNames.map((name) => hundreds(sizes[name] ?? 0)),
  ])
  return table([header, ...rows])
}

export const hundreds = (share: number): string => (share * 100).toFixed(1)

const recallText = (recall: Recall | undefined): string =>
  recall === undefined ? '–' : `${hundreds(recall.recall)} (${hundreds(recall.low)}–${hundreds(recall.high)})`
