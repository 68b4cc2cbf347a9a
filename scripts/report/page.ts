import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { chartist } from './charts.ts'
import type { ReportData } from './data.ts'
import { type Content, Html, html } from './html.ts'
import { allowedPairs } from './sections/allowed-pairs.ts'
import { anomalies } from './sections/anomalies.ts'
import { headline, subjectOf } from './sections/headline.ts'
import { origin, settings } from './sections/origin.ts'
import { attacks, scores } from './sections/scores.ts'
import { timelines } from './sections/timelines.ts'
import { unjudged } from './sections/unjudged.ts'

type Charts = Awaited<ReturnType<typeof chartist>>

const style = readFileSync(new URL('style.css', import.meta.url), 'utf8')
/** Filters, sorts and copies; the page is whole without it. */
const script = readFileSync(new URL('browser/tables.js', import.meta.url), 'utf8')

/** The whole page: one file that loads nothing. Equal data give equal bytes. */
export async function pageOf(data: ReportData): Promise<string> {
  const { sourceName } = data.judged?.run ?? data.run
  return documentOf(`${sourceName} · ${subjectOf(data)}`, sectionsOf(data, await chartist()))
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
<script type="module">${new Html(script)}</script>
</body>
</html>
`.markup

const DOCTYPE = new Html('<!doctype html>')

const hashed = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** Nothing may load; the one style sheet and the one script are known by their hashes. */
const policy = `default-src 'none'; style-src ${hashed(style)}; script-src ${hashed(script)}; base-uri 'none'; form-action 'none'`
