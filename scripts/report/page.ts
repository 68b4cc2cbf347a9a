import { readFileSync } from 'node:fs'
import { documentOf } from '../lib/html/document.ts'
import type { Content } from '../lib/html/html.ts'
import { chartist } from './charts.ts'
import type { ReportData } from './data.ts'
import { allowedPairs } from './sections/allowed-pairs.ts'
import { anomalies } from './sections/anomalies.ts'
import { headline, subjectOf } from './sections/headline.ts'
import { origin, settings } from './sections/origin.ts'
import { attacks, scores } from './sections/scores.ts'
import { timelines } from './sections/timelines.ts'
import { unjudged } from './sections/unjudged.ts'

type Charts = Awaited<ReturnType<typeof chartist>>

/** Filters, sorts and copies; the page is whole without it. */
export const script = readFileSync(new URL('browser/tables.js', import.meta.url), 'utf8')

/** The whole page: one file that loads nothing. Equal data give equal bytes. */
export async function pageOf(data: ReportData): Promise<string> {
  const { sourceName } = data.judged?.run ?? data.run
  return documentOf(`${sourceName} · ${subjectOf(data)}`, sectionsOf(data, await chartist()), script)
}

/** Everything about one run. */
export const sectionsOf = (data: ReportData, charts: Charts): Content[] => [
  headline(data),
  scores(data, charts),
  anomalies(data),
  timelines(data),
  allowedPairs(data),
  attacks(data, charts),
  unjudged(data),
  origin(data),
  settings(data),
]
