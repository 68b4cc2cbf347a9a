import { count, plural, usd } from '../../lib/cli/format.ts'
import { aucText, type Content, day, type Html, html, share } from '../../lib/html/html.ts'
import type { Calibration } from '../../lib/insights/calibration.ts'
import type { ReportData, Scored } from '../data.ts'

/** The finding in one sentence and a few numbers. */
export function headline(data: ReportData): Html {
  const { extracted, trained, scored, judged, next } = data
  const run = judged?.run ?? data.run
  const calibrated = trained?.calibrated
  const scope = [...run.accounts.map((id) => `account ${id}`), ...run.regions].join(', ')
  return html`<header>
<p class="kicker">${run.sourceName}<span> · ${subjectOf(data)}</span>${scope !== '' && html`<span> · ${scope}</span>`}</p>
<h1>${scored === undefined ? unscored(trained !== undefined) : sentence(scored)}</h1>
<p class="lead">${scored === undefined ? html`${trained === undefined ? 'To train the model' : 'To score the holdout'}: <code>${next}</code>` : lead(scored, data)}</p>
<dl class="tiles">
${scored !== undefined && scoredTiles(scored)}
${calibrated && modelTile(calibrated)}
${scored === undefined && tile('entities', count(extracted.entities), `from ${plural(extracted.trainPairs, 'access', 'accesses')}`)}
${scored === undefined && calibrated && tile('held out', count(calibrated.distinctPairs), `pairs of the last ${plural(round(calibrated.days), 'day')}`)}
${scored === undefined && tile('cost so far', usd(run.usd), 'estimate')}
</dl>
</header>`
}

/** What the page is about: the time that was judged and by what; while nothing is scored, the window. */
export function subjectOf({ run, judged, extracted, scored }: ReportData): string {
  const between = (from: string, to: string) => `${day(from)} – ${day(to)} UTC`
  if (judged !== undefined)
    return `${between(judged.run.from, judged.run.to)}, judged by the model of ${between(run.from, run.to)}`
  if (scored === undefined) return `${between(run.from, run.to)}, not scored`
  return `${between(extracted.cutoff, run.to)}, judged by the model of ${between(run.from, extracted.cutoff)}`
}

const unscored = (isTrained: boolean): string =>
  isTrained ? 'The model is trained. Nothing has been scored yet.' : 'There is no model yet. Nothing has been scored.'

/** When nothing was judged, the page must not look as if all were well. */
function sentence({ flagged, judged, allowed }: Scored): Html {
  if (judged === 0) return html`Nothing could be judged.`
  if (flagged > 0)
    return html`<em>${plural(flagged, 'pair')}</em> of ${count(judged)} ${flagged === 1 ? 'does' : 'do'} not fit.`
  return allowed === 0
    ? html`<em>None</em> of ${plural(judged, 'pair')} falls below the threshold.`
    : html`<em>None</em> of ${plural(judged, 'pair')} falls below the threshold outside of allowed networks.`
}

function lead(scored: Scored, { run, judged, extracted }: ReportData): Html {
  const what =
    judged === undefined
      ? `after ${day(extracted.cutoff)} UTC, which the model has not seen`
      : `of run ${judged.run.id}, by the model of ${day(run.from)} – ${day(run.to)} UTC`
  const why =
    scored.alertsPerDay === null
      ? 'The threshold was set by hand.'
      : `The threshold allows about ${plural(scored.alertsPerDay, 'alert')} per day.`
  const ipv6 =
    scored.evidence === 0
      ? ''
      : ` ${plural(scored.evidence, 'IPv6 pair')} ${scored.evidence === 1 ? 'is' : 'are'} judged by evidence alone, since IP Insights takes none.`
  if (scored.judged === 0)
    return html`The model knows too little about every entity with accesses ${what}. They are not cleared.`
  return html`The model judged the accesses ${what}: does this entity usually come from this address? ${why}${ipv6}`
}

function scoredTiles({ judged, unseen, sparse, flagged, attacks }: Scored): Html {
  const total = judged + unseen + sparse
  const known = attacks?.kinds.reduce((n, kind) => n + kind.attacks, 0) ?? 0
  const found = attacks?.kinds.reduce((n, kind) => n + kind.flagged, 0) ?? 0
  return html`${tile('flagged', count(flagged), `${share(judged === 0 ? 0 : flagged / judged)} of what was judged`, flagged > 0 ? 'alert' : undefined)}
${attacks !== undefined && tile('known attacks found', `${count(found)}`, `of ${count(known)} (${share(known === 0 ? 0 : found / known)})`)}
${tile('judged', count(judged), `of ${plural(total, 'distinct pair')}`)}
${tile('not judged', count(unseen + sparse), unjudgedNote(unseen, sparse))}`
}

const unjudgedNote = (unseen: number, sparse: number): string =>
  unseen + sparse === 0 ? 'every entity is known' : `${count(unseen)} of new entities, ${count(sparse)} of rare ones`

function modelTile({ auc: model, baselines: rules }: Calibration): Html {
  const rule = rules.net16.auc
  return model > rule
    ? tile('model', aucText(model), `AUC; “same /16” alone has ${aucText(rule)}`, 'good')
    : tile('model', aucText(model), `AUC, no better than “same /16” with ${aucText(rule)}`, 'bad')
}

const tile = (name: string, value: string, note: Content, tone?: string): Html =>
  html`<div class="tile ${tone}"><dt>${name}</dt><dd><strong>${value}</strong> <span>${note}</span></dd></div>`

const round = (days: number): number => Math.round(days * 10) / 10
