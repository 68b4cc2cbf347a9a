import { plural, usd } from '../../lib/cli/format.ts'
import type { ReportData } from '../data.ts'
import { type Content, type Html, html, strange } from '../html.ts'
import { score } from '../numbers.ts'

/** What was asked for, so that somebody else can do it again. */
export function settings({ run, extracted, trained, scored }: ReportData): Html {
  const rows: (readonly [name: string, value: Content] | undefined)[] = [
    ['run', run.id],
    ['logs', strange(run.logs, 300)],
    ['window', `${run.from} to ${run.to}`],
    ['entity', extracted.entity],
    ['held out from', extracted.cutoff],
    scored?.by === undefined ? undefined : ['scored by', scored.by],
    scored && ['threshold', thresholdOf(scored)],
    scored && ['judged from', `${plural(scored.minEvents, 'access', 'accesses')} in training`],
    scored && ['allowed networks', scored.allow.length === 0 ? 'none' : scored.allow.join(', ')],
    [
      'hyperparameters',
      trained.hyperparameters.map(([name, value]) => html`<span class="setting">${name} ${value}</span> `),
    ],
    ['cost so far', `${usd(run.usd)} (estimate; ${run.priceNote})`],
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

const thresholdOf = ({ threshold, alertsPerDay, allowed }: NonNullable<ReportData['scored']>): string =>
  [
    `dot product below ${score(threshold)}`,
    alertsPerDay === undefined ? 'set by hand' : `for ${plural(alertsPerDay, 'alert')} a day`,
    ...(allowed > 0 ? [`${allowed} left alone as allowed`] : []),
  ].join(', ')
