import { count, plural } from '../../lib/cli/format.ts'
import { aucText, type Html, html, share, strange } from '../../lib/html/html.ts'
import type { Calibration } from '../../lib/insights/calibration.ts'
import type { chartist } from '../charts.ts'
import {
  type AttackKind,
  type Attacks,
  type Bin,
  type Curve,
  type ReportData,
  type Rule,
  ruleName,
  rules,
  type Scored,
} from '../data.ts'

type Charts = Awaited<ReturnType<typeof chartist>>

/** The distribution of scores, and where the threshold cuts it. */
export function scores({ scored, trained }: ReportData, charts: Charts): Html | undefined {
  // Without a score there is nothing to draw.
  if (scored?.judged === 0) return undefined
  if (scored !== undefined)
    return section(
      `Every judged pair by its score. Pairs to the left of the line are flagged${butFor(scored.allowed)}.`,
      charts.scores({ ...scored, hasAttacks: scored.attacks?.curve !== undefined }),
    )
  if (trained?.calibrated === undefined) return undefined
  const { distinctPairs, alertsPerDay, quantiles, threshold } = trained.calibrated
  return section(
    `Scores of ${plural(distinctPairs, 'distinct pair')} of the holdout. The threshold allows about ${plural(alertsPerDay, 'alert')} per day.`,
    charts.scores({ bins: binsOf(quantiles, distinctPairs), threshold, hasAttacks: false, rank: 'score' }),
  )
}

const butFor = (allowed: number): string =>
  allowed === 0 ? '' : `, except ${plural(allowed, 'pair')} in allowed networks`

const section = (what: string, chart: Html): Html =>
  html`<section>
<h2>Scores</h2>
<p>${what} Heights are the square roots of shares of each group, so that small ones stay visible.</p>
<figure>${chart}</figure>
</section>`

const BINS = 60

/** A histogram from quantiles: an equal share of the pairs lies between any two neighbors. */
function binsOf(quantiles: readonly number[], pairs: number): Bin[] {
  const [from, to] = [quantiles[0] ?? 0, quantiles.at(-1) ?? 1]
  const width = (to - from) / BINS || 1
  const counts = Array.from({ length: BINS }, () => 0)
  for (const value of quantiles) {
    const at = Math.min(BINS - 1, Math.floor((value - from) / width))
    counts[at] = (counts[at] ?? 0) + pairs / quantiles.length
  }
  return counts.map((normal, i) => ({ from: from + i * width, to: from + (i + 1) * width, normal, attack: 0 }))
}

/** Whether the model beats the plain rule "seen before". */
export function attacks({ scored, trained }: ReportData, charts: Charts): Html | undefined {
  if (scored?.attacks !== undefined) return onAttacks(scored, scored.attacks, charts)
  return trained?.calibrated && onRandomAddresses(trained.calibrated)
}

const onRandomAddresses = ({ auc: model, baselines: results }: Calibration): Html =>
  html`<section>
<h2>Against plain rules</h2>
<p>Measured on the holdout against the same entities with random public addresses: how well does the model tell them apart? 0.5 is
guessing, 1 is perfect. A plain rule flags every address whose network the entity has not used before.</p>
<div class="scroll">${aucTable(model, results)}</div>
</section>`

const onAttacks = ({ flagged }: Scored, attacks: Attacks, charts: Charts): Html =>
  html`<section>
<h2>Against plain rules</h2>
<p>${flagged === 0 ? 'Nothing was flagged.' : `Of the ${plural(flagged, 'alert')} ${share(attacks.precision)} are known attacks.`} A plain rule flags every address whose network the
entity has not used before. It cannot rank them, so with as many alerts as the model it finds only what chance picks.</p>
${attacks.curve === undefined ? onTheirOwn(attacks, flagged) : besideCurve(attacks, attacks.curve, flagged, charts)}
</section>`

const onTheirOwn = (attacks: Attacks, alerts: number): Html =>
  html`<p>No curve can be drawn: the judged pairs must include both attacks and others.</p>
<div class="scroll">${kindTable(attacks, alerts)}</div>`

const besideCurve = (attacks: Attacks, curve: Curve, alerts: number, charts: Charts): Html =>
  html`<div class="pair">
<figure>${charts.roc(curve)}
<figcaption>The curve is the model at every threshold; the rings are the rules “same address, /24 or /16 seen before”, which can
only say yes or no. The axis of normal pairs is logarithmic.</figcaption></figure>
<div class="scroll">${kindTable(attacks, alerts)}${curve.rules && aucTable(curve.auc, curve.rules)}</div>
</div>`

const kindTable = ({ kinds }: Attacks, alerts: number): Html =>
  html`<table class="kinds">
<caption>Found with ${plural(alerts, 'alert')}</caption>
<thead><tr><th>kind of attack</th><th class="number">known</th><th>model</th><th>${ruleName.net16}</th></tr></thead>
<tbody>${kinds.map(kindRow)}</tbody></table>`

const kindRow = ({ kind, attacks, flagged, byRule }: AttackKind): Html =>
  html`<tr><td>${strange(kind, 40)}</td><td class="number">${count(attacks)}</td><td>${part(flagged, attacks, 'model')}</td><td>${byRule === undefined ? '–' : part(byRule.net16, attacks, 'rule')}</td></tr>`

const part = (found: number, of: number, name: string): Html => {
  const value = of === 0 ? 0 : found / of
  return html`<svg class="bar ${name}" width="80" height="10" viewBox="0 0 80 10" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="80" height="10" rx="2"/><rect width="${Math.round(80 * value)}" height="10" rx="2"/></svg> ${share(value)}`
}

const aucTable = (model: number, results: Calibration['baselines']): Html =>
  html`<table class="auc">
<caption>Area under the curve</caption>
<tbody><tr class="model"><td>model</td><td class="number">${aucText(model)}</td><td></td></tr>
${[...rules].reverse().map((rule: Rule) => html`<tr><td>${ruleName[rule]}</td><td class="number">${aucText(results[rule].auc)}</td><td><small>${share(results[rule].normalSeen)} of normal pairs seen before</small></td></tr>`)}</tbody></table>`
