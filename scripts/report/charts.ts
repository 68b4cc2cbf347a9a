import type * as PlotLibrary from '@observablehq/plot'
import { type Curve, type RocPoint, rules, shortName } from './data.ts'
import { Html, share } from './html.ts'
import { type Distribution, scoresPlot } from './scores-plot.ts'

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
    scores: (data: Distribution) => draw(scoresPlot(Plot, data), 'Distribution of scores with the threshold'),
    roc: (curve: Curve) => draw(rocPlot(Plot, curve), 'Attacks found against normal pairs flagged'),
  }
}

/** The page's own style sheet is the only one it allows; and two decimals are finer than any pixel. */
const tidied = (svg: string): string =>
  svg
    .replace(/<style>[^<]*<\/style>/g, '')
    .replace(/ style="[^"]*"/g, '')
    .replace(/ font-(size|family)="[^"]*"/g, '')
    .replace(/<[^>]+>/g, (tag) =>
      tag.replace(/-?\d+\.\d{3,}/g, (number) => String(Math.round(Number(number) * 100) / 100)),
    )

/** The model's curve with the point where it is used, and the rules as rings. */
function rocPlot(Plot: typeof PlotLibrary, { roc, at, rules: results }: Curve): PlotLibrary.PlotOptions {
  const dots = (results === undefined ? [] : rules).map((rule) => ({
    name: shortName[rule],
    falsePositives: 1 - (results?.[rule].normalSeen ?? 0),
    truePositives: 1 - (results?.[rule].attackSeen ?? 0),
  }))
  // A logarithmic axis has no place for 0.
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
