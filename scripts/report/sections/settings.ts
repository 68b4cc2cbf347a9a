import { plural, usd } from '../../lib/cli/format.ts'
import type { ReportData } from '../data.ts'
import { type Content, type Html, html, scoreText, strange } from '../html.ts'

/** All settings, so that somebody else can repeat the run. */
export function settings({ run, extracted, trained, scored, judged }: ReportData): Html {
  const rows: (readonly [name: string, value: Content] | undefined)[] = [
    ...(judged === undefined
      ? []
      : ([
          ['judged run', judged.run.id],
          ['judged logs', strange(judged.run.logs, 300)],
          ['judged window', windowOf(judged.run)],
        ] as const)),
    [judged === undefined ? 'run' : 'run of the model', run.id],
    ['logs', strange(run.logs, 300)],
    ['window', windowOf(run)],
    ['entity', extracted.entity],
    ['held out from', extracted.cutoff],
    scored?.by === undefined ? undefined : ['scored by', scored.by],
    scored && ['threshold', thresholdOf(scored)],
    scored && ['judged from', `${plural(scored.minEvents, 'access', 'accesses')} in training`],
    scored && ['allowed networks', scored.allow.length === 0 ? 'none' : scored.allow.join(', ')],
    trained && [
      'hyperparameters',
      trained.hyperparameters.map(([name, value]) => html`<span class="setting">${name} ${value}</span> `),
    ],
    ['cost so far', `${usd(run.usd + (judged?.run.usd ?? 0))} (estimate; ${run.priceNote})`],
  ]
  return html`<section class="settings">
<h2>Settings</h2>
<dl>${rows
    .filter((row) => row !== undefined)
    .map(
      ([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>
`,
    )}</dl>
</section>`
}

const windowOf = ({ from, to }: ReportData['run']): string => `${from} to ${to}`

const thresholdOf = ({ threshold, alertsPerDay, allowed }: NonNullable<ReportData['scored']>): string =>
  [
    `dot product below ${scoreText(threshold)}`,
    alertsPerDay === undefined ? 'set by hand' : `for ${plural(alertsPerDay, 'alert')} per day`,
    ...(allowed > 0 ? [`${allowed} in allowed networks`] : []),
  ].join(', ')
