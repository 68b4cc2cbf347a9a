import type * as PlotLibrary from '@observablehq/plot'
import type { Curve } from './data.ts'
import { Html } from './html.ts'
import { rocPlot } from './roc-plot.ts'
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
