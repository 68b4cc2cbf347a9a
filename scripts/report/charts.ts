import type * as PlotLibrary from '@observablehq/plot'
import { count } from '../lib/cli/format.ts'
import { Html, html, scoreText, share } from '../lib/html/html.ts'
import type { RankName } from '../lib/insights/rank.ts'
import { type Bin, type Curve, type RocPoint, rules, shortName } from './data.ts'

/** Draws charts as markup, without a browser. Colours are the page's variables, so that they follow light and dark. */
export async function chartist() {
  const [Plot, { parseHTML }] = await Promise.all([import('@observablehq/plot'), import('linkedom')])
  const parsed = parseHTML('<!doctype html><html><body></body></html>')
  const document = parsed.document as unknown as NonNullable<PlotLibrary.PlotOptions['document']>
  const draw = (options: PlotLibrary.PlotOptions, label: string): Html => {
    const drawn = Plot.plot({ ...options, className: 'plot', document })
    drawn.setAttribute('role', 'img')
    drawn.setAttribute('aria-label', label)
    return new Html(tidied(drawn.outerHTML))
  }
  return {
    /** For a wide page, and for a narrow one, on which the letters of the other would be too small to read. */
    scores: (data: Distribution) => {
      const about = 'Distribution of scores with the threshold'
      const [wide, narrow] = [WIDE, NARROW].map((width) => draw(scoresPlot(Plot, { ...data, width }), about))
      return html`<div class="wide">${wide}</div><div class="narrow">${narrow}</div>`
    },
    roc: (curve: Curve) => draw(rocPlot(Plot, curve), 'Attacks found against normal pairs flagged'),
  }
}

/** The page allows only its own style sheet, and two decimals are finer than any pixel. */
const tidied = (svg: string): string =>
  svg
    .replace(/<style>[^<]*<\/style>/g, '')
    .replace(/ style="[^"]*"/g, '')
    .replace(/ font-(size|family)="[^"]*"/g, '')
    .replace(/<[^>]+>/g, (tag) =>
      tag.replace(/-?\d+\.\d{3,}/g, (number) => String(Math.round(Number(number) * 100) / 100)),
    )

/** The model's curve with the point of the threshold, and the rules as rings. */
function rocPlot(Plot: typeof PlotLibrary, { roc, at, rules: results }: Curve): PlotLibrary.PlotOptions {
  const dots = (results === undefined ? [] : rules).map((rule) => ({
    name: shortName[rule],
    falsePositives: 1 - (results?.[rule].normalSeen ?? 0),
    truePositives: 1 - (results?.[rule].attackSeen ?? 0),
  }))
  // A logarithmic axis has no 0.
  const smallest = Math.min(
    ...[...roc, at, ...dots].map((point) => point.falsePositives).filter((value) => value > 0),
    0.01,
  )
  const left = 10 ** Math.floor(Math.log10(smallest))
  const x = (point: RocPoint) => Math.max(point.falsePositives, left)
  const guessing = Array.from({ length: 41 }, (_, i) => left ** (1 - i / 40))
  return {
    width: 470,
    height: 380,
    marginLeft: 62,
    marginBottom: 42,
    marginRight: 18,
    x: {
      type: 'log',
      domain: [left, 1],
      ticks: Math.round(-Math.log10(left)),
      tickFormat: (value: number) => share(value),
      label: 'normal pairs flagged',
      labelAnchor: 'center',
      labelArrow: 'none',
      grid: true,
    },
    y: {
      domain: [0, 1],
      ticks: 5,
      tickFormat: (value: number) => share(value),
      label: 'attacks found',
      labelAnchor: 'center',
      labelArrow: 'none',
      grid: true,
    },
    marks: [
      Plot.line(guessing, {
        x: (value: number) => value,
        y: (value: number) => value,
        stroke: 'var(--faint)',
        strokeDasharray: '2 4',
      }),
      Plot.line(roc, { x, y: 'truePositives', stroke: 'var(--model)', strokeWidth: 2.5 }),
      Plot.dot(dots, { x, y: 'truePositives', r: 5, fill: 'var(--paper)', stroke: 'var(--rule)', strokeWidth: 2 }),
      Plot.text(dots, {
        x,
        y: 'truePositives',
        text: 'name',
        dy: -15,
        textAnchor: 'middle',
        fill: 'var(--rule)',
        stroke: 'var(--paper)',
        strokeWidth: 4,
      }),
      Plot.dot([at], { x, y: 'truePositives', r: 6, fill: 'var(--model)', stroke: 'var(--paper)', strokeWidth: 2 }),
      Plot.text([at], {
        x,
        y: 'truePositives',
        text: () => 'model, at the threshold',
        dx: 10,
        // Above the axis, not on it.
        dy: at.truePositives < 0.1 ? -12 : 12,
        textAnchor: 'start',
        fill: 'var(--model)',
        stroke: 'var(--paper)',
        strokeWidth: 4,
        className: 'name',
      }),
    ],
  }
}

/** What a chart of scores shows. */
export interface Distribution {
  readonly bins: readonly Bin[]
  readonly threshold: number
  readonly hasAttacks: boolean
  readonly rank: RankName
}

/** Of a chart of scores, in pixels. */
const [WIDE, NARROW] = [960, 400]

const GROUPS = { normal: 'normal pairs', attack: 'known attacks' } as const

/** Histograms of both groups, one above the other, with the threshold through both. */
function scoresPlot(
  Plot: typeof PlotLibrary,
  { bins, threshold, hasAttacks, rank, width }: Distribution & { readonly width: number },
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
    width,
    height: hasAttacks ? 330 : 230,
    marginLeft: 48,
    marginTop: 34,
    marginBottom: 38,
    x: {
      label: `${width === NARROW ? '' : `${rank === 'score' ? 'dot product' : 'negative anomaly score'}: `}low does not fit, high is normal`,
      labelAnchor: 'center',
      labelArrow: 'none',
      ticks: width === NARROW ? 5 : 10,
    },
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
