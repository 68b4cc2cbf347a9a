import { count, percent, plural } from '../lib/cli/format.ts'
import { documentOf } from '../lib/html/document.ts'
import { day, type Html, html, share, strange } from '../lib/html/html.ts'
import type { ModelInService } from '../lib/runs/models.ts'
import { type Drift, type Night, nightName, type ToldAlert } from '../lib/runs/nights.ts'
import { REPORTS } from '../lib/runs/paths.ts'
import { sourceNameOf } from '../lib/sources/registry.ts'

/** Alerts that are shown: the newest. */
const MOST_ALERTS = 25

/** Key of the page of a source in the workspace. */
export const historyKey = (source: string): string => `${REPORTS}${source}.html`

/** The history of a source: the newest alerts, and a row for each day. Equal nights give equal bytes. @param nights oldest day first */
export function historyPage(source: string, nights: readonly Night[], model: ModelInService | undefined): string {
  const newest = [...nights].reverse()
  const most = Math.max(1, ...nights.map(({ judged }) => Math.max(judged?.flagged ?? 0, judged?.budget ?? 0)))
  return documentOf(`${sourceNameOf(source)} · nights`, [
    html`<header>
<p class="kicker">${sourceNameOf(source)}<span> · ${plural(nights.length, 'night')}</span></p>
<h1>${sentence(newest[0])}</h1>
<p class="lead">${model === undefined ? 'No model is in service.' : `The model of run ${model.run} is in service since ${day(model.since)}.`}</p>
</header>
`,
    alertsSection(newest),
    html`<section id="days">
<h2>Day by day</h2>
<p>The bar of a day is what was flagged, its mark the alert budget. A day whose model no longer fits says so once.</p>
<div class="scroll"><table>
<thead><tr><th>day</th><th>flagged</th><th class="number">new alerts</th><th class="number">accesses</th><th class="number">judged</th><th class="number">unseen</th><th>model</th><th>what happened</th></tr></thead>
<tbody>${newest.map((night) => row(night, most))}</tbody></table></div>
</section>
`,
  ])
}

function sentence(last: Night | undefined): Html {
  if (last === undefined) return html`Nothing was judged yet.`
  if (last.judged === null) return html`${nightName(last)}: <em>nothing</em> was judged.`
  const { told, drift } = last.judged
  if (drift !== null) return html`${nightName(last)}: the model <em>no longer fits</em>.`
  return html`${nightName(last)}: <em>${told.length === 0 ? 'no' : count(told.length)}</em> new ${told.length === 1 ? 'alert' : 'alerts'}.`
}

function alertsSection(newest: readonly Night[]): Html {
  const all = newest.flatMap(({ from, judged }) =>
    (judged?.told ?? []).map((alert) => ({ from, report: judged?.report ?? '', alert })),
  )
  if (all.length === 0) return html`<section id="alerts"><h2>Newest alerts</h2><p>There are none.</p></section>`
  const rows = all.slice(0, MOST_ALERTS).map(
    ({ from, report, alert }) =>
      html`<tr><td><a href="${linkTo(report)}">${day(from)}</a></td><td>${whoCell(alert)}</td><td>${alert.ip}</td><td>${strange(alert.call)}</td><td>${strange(alert.reason)}</td></tr>
`,
  )
  return html`<section id="alerts">
<h2>Newest alerts</h2>
<div class="scroll"><table>
<thead><tr><th>day</th><th>who</th><th>address</th><th>did most</th><th>does not fit because</th></tr></thead>
<tbody>${rows}</tbody></table></div>
${all.length > MOST_ALERTS && html`<p>${count(all.length - MOST_ALERTS)} older ones are in the pages of their days.</p>`}
</section>
`
}

const whoCell = ({ entity, name, account }: ToldAlert): Html =>
  html`${strange(name === '' ? entity : name)}${account !== '' && html` in ${strange(account)}`}`

/** The page lies in a folder beside that of the runs. @param key of a page in the workspace */
const linkTo = (key: string): string => `../${key.split('/').map(encodeURIComponent).join('/')}`

function row(night: Night, most: number): Html {
  const { judged, state } = night
  if (judged === null)
    return html`<tr class="failed"><td>${nightName(night)}</td><td colspan="6">nothing was judged</td><td>${state === 'no-logs' ? 'no logs' : 'beyond --catch-up'}</td></tr>
`
  const { flagged, budget, told, accesses, scored, unseen, sparse, model } = judged
  const all = scored + unseen + sparse
  return html`<tr><td><a href="${linkTo(judged.report)}">${nightName(night)}</a></td><td>${bar(flagged, budget, most)}</td><td class="number">${count(told.length)}</td><td class="number">${count(accesses)}</td><td class="number">${count(scored)}</td><td class="number">${share(all === 0 ? 0 : unseen / all)}</td><td>${model}</td><td>${happened(night)}</td></tr>
`
}

/** Pixels of the longest bar. */
const WIDE = 120

const bar = (flagged: number, budget: number, most: number): Html => {
  const x = (value: number) => Math.round((value / most) * WIDE)
  return html`<svg class="plot" width="${WIDE + 40}" height="14" role="img" aria-label="${count(flagged)} flagged, budget ${count(budget)}"><rect x="0" y="2" width="${x(flagged)}" height="10" fill="var(--attack)"/><rect x="${x(budget)}" y="0" width="1" height="14" fill="var(--ink)"/><text x="${Math.max(x(flagged), x(budget)) + 5}" y="11" fill="var(--ink)">${count(flagged)}</text></svg>`
}

function happened({ judged }: Night): Html[] {
  if (judged === null) return []
  const { trained, drift, goingOn, capped, dropped, events } = judged
  const lost = Object.entries(dropped).reduce((sum, [reason, n]) => sum + (reason === 'outside-window' ? 0 : n), 0)
  return [
    ...(drift === null ? [] : [driftText(drift)]),
    ...(trained === null
      ? []
      : [html`<p>${trained.isBetter ? 'new model' : 'a new model was worse'} (${WHY[trained.why]})</p>`]),
    ...(goingOn === 0 ? [] : [html`<p>${plural(goingOn, 'alert')} told before</p>`]),
    ...(capped === 0 ? [] : [html`<p>${plural(capped, 'new alert')} not told</p>`]),
    html`<p>${percent(lost, events)} of ${plural(events, 'record')} are no accesses</p>`,
  ]
}

const WHY = { none: 'there was none', age: 'the last was old', drift: 'nights did not fit' } as const

const driftText = (drift: Drift): Html =>
  html`<p><strong>the model no longer fits${!drift.isTold && ', as the night before'}:</strong> ${strange(drift.reasons.join('; '), 500)}${(
    ['accounts', 'entities', 'networks'] as const
  ).map(
    (kind) =>
      drift[kind].length > 0 &&
      html`<br>${kind}: ${drift[kind].map(({ name, pairs }, i) => [i > 0 && ', ', strange(name), ` ${count(pairs)}`])}`,
  )}</p>`
