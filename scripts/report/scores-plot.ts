import type * as PlotLibrary from '@observablehq/plot'
import { count } from '../lib/cli/format.ts'
import type { Bin } from './data.ts'
import { scoreText, share } from './html.ts'

/** What of a run a chart of scores shows. */
export interface Distribution {
  readonly bins: readonly Bin[]
  readonly threshold: number
  readonly hasAttacks: boolean
}

const GROUPS = { normal: 'normal pairs', attack: 'known attacks' } as const

/** Histograms of both groups, one above the other, with the threshold through both. */
export function scoresPlot(
  Plot: typeof PlotLibrary,
  { bins, threshold, hasAttacks }: Distribution,
): PlotLibrary.PlotOptions {
  const groups = hasAttacks ? (['normal', 'attack'] as const) : (['normal'] as const)
  const bars = groups.flatMap((group) => {
    const total = bins.reduce((sum, bin) => sum + bin[group], 0)
    return bins.map((bin) => ({ ...bin, group, share: total === 0 ? 0 : bin[group] / total }))
  })
  const top = Math.max(...bars.map((bar) => bar.share), 1e-6)
  const tick = roundBelow(top)
  const ends = { from: bins[0]?.from ?? 0, to: bins.at(-1)?.to ?? 1 }
  const edge = Math.min(Math.max(threshold, ends.from), ends.to)
  const first = groups.slice(0, 1).map((group) => ({ group }))
  // Names stand where the threshold does not.
  const isRight = edge > (ends.from + ends.to) / 2
  const isNone = edge === ends.from
  const cut = `threshold ${scoreText(threshold)}`
  return {
    width: 960,
    height: hasAttacks ? 330 : 230,
    marginLeft: 48,
    marginTop: 34,
    marginBottom: 38,
    x: { label: 'dot product: low does not fit, high is normal', labelAnchor: 'center', labelArrow: 'none', ticks: 10 },
    y: {
      type: 'sqrt',
      domain: [0, top],
      ticks: [0, tick / 4, tick],
      tickFormat: (value: number) => share(value),
      label: null,
      grid: true,
    },
    fy: { domain: groups, axis: null, padding: 0.22 },
    marks: [
      Plot.rect(groups, { fy: (group: string) => group, x1: ends.from, x2: edge, y1: 0, y2: top, fill: 'var(--wash)' }),
      ...groups.map((group) =>
        Plot.rectY(
          bars.filter((bar) => bar.group === group && bar.share > 0),
          { fy: 'group', x1: 'from', x2: 'to', y: 'share', fill: `var(--${group})`, inset: 0.5 },
        ),
      ),
      Plot.ruleY([0], { stroke: 'var(--faint)' }),
      Plot.ruleX([edge], { stroke: 'var(--ink)', strokeWidth: 1.5 }),
      Plot.text(groups, {
        fy: (group: string) => group,
        text: (group: keyof typeof GROUPS) => `${GROUPS[group]}, ${count(bins.reduce((n, bin) => n + bin[group], 0))}`,
        frameAnchor: isRight ? 'top-left' : 'top-right',
        dy: -14,
        className: 'name',
      }),
      Plot.text(isNone ? [] : first, {
        fy: 'group',
        x: edge,
        frameAnchor: 'top',
        dy: -14,
        dx: -6,
        textAnchor: 'end',
        text: () => (isRight ? `flagged: below the ${cut}` : 'flagged'),
        className: 'name',
      }),
      Plot.text(isRight ? [] : first, {
        fy: 'group',
        x: edge,
        frameAnchor: 'top',
        dy: -14,
        dx: isNone ? 0 : 6,
        textAnchor: 'start',
        text: () => cut,
      }),
    ],
  }
}

/** The largest 1, 2, 4 or 8 times a power of ten that is not above a value. */
function roundBelow(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return (value < 2 * power ? 1 : value < 4 * power ? 2 : value < 8 * power ? 4 : 8) * power
}
