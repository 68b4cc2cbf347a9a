import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { chartist } from './charts.ts'
import type { ReportData } from './data.ts'
import { type Content, day, Html, html } from './html.ts'
import { anomalies, unjudged } from './sections/anomalies.ts'
import { headline } from './sections/headline.ts'
import { origin, settings } from './sections/origin.ts'
import { attacks, scores } from './sections/scores.ts'

type Charts = Awaited<ReturnType<typeof chartist>>

const style = readFileSync(new URL('style.css', import.meta.url), 'utf8')

/** The whole page: one file that loads nothing and runs nothing. Equal data give equal bytes. */
export async function pageOf(data: ReportData): Promise<string> {
  const { sourceName, from, to } = data.judged?.run ?? data.run
  return documentOf(`${sourceName} · ${day(from)} – ${day(to)}`, sectionsOf(data, await chartist()))
}

/** Everything about one run. */
export const sectionsOf = (data: ReportData, charts: Charts): Content[] => [
  headline(data),
  scores(data, charts),
  anomalies(data),
  attacks(data, charts),
  unjudged(data),
  origin(data),
  settings(data),
]

/** A page around its content; the head is the same for all. */
export const documentOf = (title: string, content: Content): string =>
  html`${DOCTYPE}
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body>
<main>
${content}
</main>
</body>
</html>
`.markup

const DOCTYPE = new Html('<!doctype html>')

/** Nothing may load and nothing may run; the one style sheet is known by its hash. */
const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'`
