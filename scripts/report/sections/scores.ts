import { plural } from '../../lib/cli/format.ts'
import type { chartist } from '../charts.ts'
import type { Bin, ReportData } from '../data.ts'
import { type Html, html } from '../html.ts'

type Charts = Awaited<ReturnType<typeof chartist>>

/** How the scores lie, and where the threshold cuts them. */
export function scores({ scored, trained }: ReportData, charts: Charts): Html | undefined {
  // Without a score there is nothing to draw.
  if (scored?.judged === 0) return undefined
  if (scored !== undefined)
    return section(
      `Every judged pair by its score. What lies to the left of the line is flagged${butFor(scored.allowed)}.`,
      charts.scores({ ...scored, hasAttacks: scored.attacks?.curve !== undefined }),
    )
  if (trained?.calibrated === undefined) return undefined
  const { distinctPairs, alertsPerDay, quantiles, threshold } = trained.calibrated
  return section(
    `Scores of ${plural(distinctPairs, 'distinct pair')} of the holdout. The threshold allows about ${plural(alertsPerDay, 'alert')} per day.`,
    charts.scores({ bins: binsOf(quantiles, distinctPairs), threshold, hasAttacks: false }),
  )
}

const butFor = (allowed: number): string =>
  allowed === 0 ? '' : `, but for ${plural(allowed, 'pair')} in allowed networks`

const section = (what: string, chart: Html): Html =>
  html`<section>
<h2>Scores</h2>
<p>${what} Heights are shares of each group, on a scale that shows small ones too.</p>
<figure>${chart}</figure>
</section>`

const BINS = 60

/** A histogram from quantiles: between two of them lies an equal share of the pairs. */
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
