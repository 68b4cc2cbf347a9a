import { count, plural } from '../lib/cli/format.ts'
import { documentOf } from '../lib/html/document.ts'
import { aucText, type Content, day, type Html, html, strange } from '../lib/html/html.ts'
import { REPORTS } from '../lib/runs/paths.ts'
import { openRun } from '../lib/runs/workspace.ts'
import { sourceNameOf } from '../lib/sources/registry.ts'
import { type AwsSettings, openStore } from '../lib/stores/open.ts'
import { chartist } from './charts.ts'
import { type ReportContext, reportData } from './collect.ts'
import type { ReportData } from './data.ts'
import { script, sectionsOf } from './page.ts'
import { sharedSection } from './sections/shared-addresses.ts'
import { type Finished, type SharedAddresses, sharedAddresses } from './shared-addresses.ts'

/** One source and how it ended. */
export interface Ended {
  readonly source: string
  /** Absent where the source failed before it had a run. */
  readonly run: string | undefined
  readonly failure?: { readonly message: string; readonly hint: string | undefined }
}

/** A page over several runs, and what only they together tell. */
interface Combined {
  /** Path or URI of the page. */
  readonly report: string
  /** Absent where fewer than two sources came to an end. */
  readonly shared?: SharedAddresses
}

/** Writes one page over several runs of a workspace, as `reports/<name>.html`. */
export async function writeCombined(
  { workspace, name }: { readonly workspace: string; readonly name: string },
  ends: readonly Ended[],
  aws: AwsSettings,
  context: ReportContext,
): Promise<Combined> {
  const parts: CombinedPart[] = []
  const finished: Finished[] = []
  // One after the other: a file of verdicts may be large.
  for (const { source, run, failure } of ends) {
    const about = { source, sourceName: sourceNameOf(source), run }
    if (failure !== undefined)
      parts.push({ ...about, failure: { ...failure, hint: failure.hint && context.completed(failure.hint) } })
    else if (run !== undefined) {
      const opened = await openRun(workspace, run, aws)
      const data = await reportData(opened, undefined, context)
      parts.push({ ...about, data })
      finished.push({ source, run: opened, data })
    }
  }
  const shared = await sharedAddresses(finished, context)
  const page = await combinedPageOf(parts, shared)
  context.signal.throwIfAborted()
  const store = await openStore(workspace, aws)
  const key = `${REPORTS}${name}.html`
  if ((await store.text(key)) !== page) await store.write(key, page)
  return { report: store.localPath?.(key) ?? store.uriOf(key), ...(shared && { shared }) }
}

/** One source of several. */
export interface CombinedPart {
  /** Its id: the name of its place in the page. */
  readonly source: string
  /** As AWS writes it. */
  readonly sourceName: string
  readonly run: string | undefined
  /** Absent where it failed. */
  readonly data?: ReportData
  readonly failure?: { readonly message: string; readonly hint: string | undefined }
}

/** One page over several runs: an overview, what they share, then the whole report of each. At least one has data. */
export async function combinedPageOf(parts: readonly CombinedPart[], shared?: SharedAddresses): Promise<string> {
  const charts = await chartist()
  const articles = parts.map(
    (part) =>
      html`<article id="${part.source}">
${part.data === undefined ? failure(part) : sectionsOf(part.data, charts)}
</article>
`,
  )
  const window = windowOf(parts)
  return documentOf(
    `${namesOf(parts)} · ${window}`,
    [
      overview(parts, window),
      shared &&
        sharedSection(
          shared,
          parts.filter(({ data }) => data !== undefined),
        ),
      articles,
    ],
    script,
  )
}

const overview = (parts: readonly CombinedPart[], window: string): Html =>
  html`<header>
<p class="kicker">${namesOf(parts)}<span> · ${window} UTC</span></p>
<h1>${sentence(parts)}</h1>
<p class="lead">${lead(parts)}</p>
<nav aria-label="Sources"><div class="scroll"><table class="sources">
<thead><tr><th>source</th><th class="number">flagged</th><th class="number">judged</th><th class="number">not judged</th><th class="number">AUC</th><th>entity</th><th class="number">entities</th><th class="number">accesses</th></tr></thead>
<tbody>${parts.map(row)}</tbody></table></div></nav>
</header>
`

function sentence(parts: readonly CombinedPart[]): Html {
  const scored = parts.flatMap(({ sourceName, data }) => (data?.scored ? [{ sourceName, ...data.scored }] : []))
  const [flagged, judged] = [totalOf(scored.map((s) => s.flagged)), totalOf(scored.map((s) => s.judged))]
  const shares = scored.map(({ sourceName, flagged }) => `${count(flagged)} of ${sourceName}`).join(', ')
  if (judged === 0) return html`Nothing could be judged.`
  return flagged === 0
    ? html`<em>None</em> of ${plural(judged, 'judged pair')} falls below its threshold.`
    : html`<em>${plural(flagged, 'pair')}</em> ${flagged === 1 ? 'does' : 'do'} not fit: ${shares}.`
}

const totalOf = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0)

function lead(parts: readonly CombinedPart[]): Content {
  const failed = parts.filter(({ data }) => data === undefined)
  const own = 'Each source has its own model and threshold, so scores of different sources cannot be compared.'
  return failed.length === 0 ? own : `${namesOf(failed)} failed and is not part of this page. ${own}`
}

function row({ source, sourceName, data }: CombinedPart): Html {
  const link = html`<a href="#${source}">${sourceName}</a>`
  if (data === undefined) return html`<tr class="failed"><td>${link}</td><td colspan="7">failed</td></tr>`
  const { extracted, scored, trained } = data
  const number = (n: number | undefined) => html`<td class="number">${n === undefined ? '–' : count(n)}</td>`
  return html`<tr><td>${link}</td>${number(scored?.flagged)}${number(scored?.judged)}${number(scored && scored.unseen + scored.sparse)}<td class="number">${trained?.calibrated ? aucText(trained.calibrated.auc) : '–'}</td><td>${extracted.entity}</td>${number(extracted.entities)}${number(extracted.pairs)}</tr>
`
}

const failure = ({ sourceName, run, failure }: CombinedPart): Html =>
  html`<header>
<p class="kicker">${sourceName}${run !== undefined && html`<span> · run ${run}</span>`}</p>
<h1>${sourceName} failed.</h1>
${lines(failure?.message ?? 'It did not finish.')}
${failure?.hint !== undefined && lines(`What to do: ${failure.hint}`)}
</header>`

const lines = (text: string): Html[] => text.split('\n').map((line) => html`<p class="lead">${strange(line, 1000)}</p>`)

const namesOf = (parts: readonly CombinedPart[]): string => parts.map(({ sourceName }) => sourceName).join(' and ')

function windowOf(parts: readonly CombinedPart[]): string {
  const run = parts.find(({ data }) => data !== undefined)?.data?.run
  return run === undefined ? '' : `${day(run.from)} – ${day(run.to)}`
}
