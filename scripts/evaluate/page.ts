import { count, plural } from '../lib/cli/format.ts'
import { documentOf } from '../lib/html/document.ts'
import { aucText, type Content, type Html, html, share } from '../lib/html/html.ts'
import { type AttackerKind, attackerKinds } from '../lib/insights/attackers.ts'
import { type Prior, priorNames } from '../lib/insights/rank.ts'
import { FALSE_ALARMS, type Line, sizeNames } from './evaluate.ts'
import type { Recall } from './recall.ts'
import { drawnText, type EvaluationResult, hundreds } from './render.ts'

/** The measurement as a page: one file that loads nothing, as a report. Equal results give equal bytes. */
export function evaluationPage(result: EvaluationResult): string {
  const { run, pairs, days, attacks, seed, lines } = result
  const [budget = ''] = Object.keys(lines[0]?.budget ?? {})
  return documentOf(`Evaluation · ${run ?? 'files of pairs'}`, [
    html`<header>
<p class="kicker">Evaluation<span> · ${run ?? 'files of pairs'}</span><span> · seed ${count(seed)}</span></p>
<h1>${sentence(lines, budget)}</h1>
<p class="lead">${plural(pairs, 'distinct pair')} of ${plural(days, 'day')} that nothing was trained on, against ${count(attacks)} made-up attacks of each kind. Found is
what ranks before the normal pairs that would use up the budget, or that share of false alarms. Figures are percent; in brackets, and as the line
in a bar, is the 95 % interval of a bootstrap. By size is at the same budget. The best of a table is bold.</p>
</header>`,
    ...priorNames.flatMap((prior) => attackerKinds.map((kind) => section(lines, { prior, kind, budget }))),
  ])
}

interface Choice {
  readonly prior: Prior
  readonly kind: AttackerKind
  readonly budget: string
}

const found = (line: Line, budget: string): number => line.budget[budget]?.recall ?? 0

/** What the ranking that alerts follow finds, by kind of attackers. */
function sentence(lines: readonly Line[], budget: string): Content {
  const even = lines.filter(({ prior }) => prior === 'even')
  const names = [...new Set(even.map(({ ranking }) => ranking))]
  const name = names.find((one) => one.startsWith('evidence')) ?? names.find((one) => one === 'score') ?? names.at(-1)
  const shares = even
    .filter(({ ranking }) => ranking === name)
    .map((line) => `${share(found(line, budget))} of ${kindText[line.attackers]}`)
  return html`With ${plural(Number(budget), 'alert')} a day, “${name ?? 'nothing'}” finds ${shares.join(', ')}.`
}

const kindText: Readonly<Record<AttackerKind, string>> = {
  'random-network': 'attackers from anywhere',
  'other-entity': 'those from addresses of others',
  'other-network': 'those from networks of others',
  'near-network': 'those from nearby',
  listed: 'those from the list',
}

const titles: Readonly<Record<AttackerKind, string>> = {
  'random-network': 'From random networks',
  'other-entity': 'From addresses of other entities',
  'other-network': 'From networks of other entities',
  'near-network': 'From near an own network',
  listed: 'From the networks that were named',
}

function section(lines: readonly Line[], { prior, kind, budget }: Choice): Html | undefined {
  const own = lines.filter((line) => line.prior === prior && line.attackers === kind)
  if (own.length === 0) return undefined
  const best = Math.max(...own.map((line) => found(line, budget)))
  return html`<section>
<h2>${titles[kind]}</h2>
<p>${drawnText[prior].replace(/^e/, 'E')}.</p>
<div class="scroll"><table class="kinds">
<thead><tr><th></th><th colspan="4">found</th><th colspan="3">found, by accesses of the entity</th><th></th></tr>
<tr><th>ranking</th><th>at ${budget} a day</th>${FALSE_ALARMS.map((alarms) => html`<th class="number">at ${share(alarms)} false alarms</th>`)}${sizeNames.map((name) => html`<th class="number">${name}</th>`)}<th class="number">AUC</th></tr></thead>
<tbody>${own.map((line) => row(line, budget, best))}</tbody></table></div>
</section>`
}

const row = (line: Line, budget: string, best: number): Html =>
  html`<tr><td>${found(line, budget) === best ? html`<b>${line.ranking}</b>` : line.ranking}</td><td>${bar(line.budget[budget])}${interval(line.budget[budget])}</td>${FALSE_ALARMS.map((alarms) => html`<td class="number">${interval(line.falseAlarms[alarms])}</td>`)}${sizeNames.map((name) => html`<td class="number">${hundreds(line.sizes[name] ?? 0)}</td>`)}<td class="number">${aucText(line.auc)}</td></tr>
`

/** Linear from nothing to all; the line is the interval. */
function bar(recall: Recall | undefined): Html | undefined {
  if (recall === undefined) return undefined
  const [width, low, high] = [recall.recall, recall.low, recall.high].map((value) => Math.round(80 * value))
  return html`<svg class="bar model" width="80" height="10" viewBox="0 0 80 10" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="80" height="10" rx="2"/><rect width="${width}" height="10" rx="2"/><rect class="interval" x="${low}" y="4" width="${Math.max(1, (high ?? 0) - (low ?? 0))}" height="2"/></svg> `
}

const interval = (recall: Recall | undefined): Content =>
  recall === undefined
    ? '–'
    : html`${hundreds(recall.recall)} <small>(${hundreds(recall.low)}–${hundreds(recall.high)})</small>`
