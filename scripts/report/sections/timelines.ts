import { count, plural } from '../../lib/cli/format.ts'
import { day, Html, html, strange } from '../../lib/html/html.ts'
import type { ReportData, Slots, Timeline, Timelines } from '../data.ts'

/** Lines before the fold. */
const UNFOLDED = 20

/** When the flagged entities came from where: whether an odd access lies in their usual hours, and whether it is one or many. */
export function timelines({ scored }: ReportData): Html | undefined {
  const lines = scored?.timelines
  if (lines === undefined) return undefined
  const rows = lines.lines.map((line) => row(line, lines))
  const rest = rows.slice(UNFOLDED)
  const all =
    lines.lines.length < lines.entities
      ? `The first ${count(lines.lines.length)} of ${plural(lines.entities, 'entity', 'entities')} with alerts.`
      : ''
  return html`<section>
<h2>When they came</h2>
<p>Each bar is ${lines.hours === 1 ? 'an hour' : plural(lines.hours, 'hour')}: upwards accesses that are not flagged, downwards flagged ones. Bars are linear; either direction
has a scale of its own, whose top is the number beside it. The shaded part was judged. ${all}</p>
<div class="ends"><span>${day(lines.from)}</span> <span>${day(lines.to)} UTC</span></div>
<ul class="timelines">
${rows.slice(0, UNFOLDED)}</ul>
${
  rest.length > 0 &&
  html`<details><summary>${plural(rest.length, 'more entity', 'more entities')}</summary><ul class="timelines">
${rest}</ul></details>`
}
</section>`
}

function row({ entity, usual, odd, firstOdd }: Timeline, lines: Timelines): Html {
  const since = firstOdd === undefined ? '' : `, first ${firstOdd.slice(0, 16).replace('T', ' ')}`
  const words = `${plural(total(usual), 'usual access', 'usual accesses')}, ${count(most(usual))} at most in a bar; ${plural(total(odd), 'flagged one')}, ${count(most(odd))} at most${since}`
  return html`<li><div>${strange(entity, 80)} <small>${words}</small></div>${drawing(usual, odd, lines)}</li>
`
}

const total = (slots: Slots): number => slots.reduce((sum, [, accesses]) => sum + accesses, 0)
const most = (slots: Slots): number => slots.reduce((top, [, accesses]) => Math.max(top, accesses), 0)

/** Heights of both directions, and what a slot is wide. */
const [UP, DOWN, WIDE] = [24, 14, 4]
/** A single access among thousands stays visible. */
const LEAST = 1.5

/** Stretched to the width of the page, so without text. */
function drawing(usual: Slots, odd: Slots, { from, to, judgedFrom, slots }: Timelines): Html {
  const width = slots * WIDE
  const share = (Date.parse(judgedFrom) - Date.parse(from)) / (Date.parse(to) - Date.parse(from))
  const judged = Math.round(width * Math.max(0, share))
  return html`<svg class="timeline" viewBox="0 0 ${width} ${UP + DOWN}" preserveAspectRatio="none" aria-hidden="true"><rect class="judged" x="${judged}" width="${width - judged}" height="${UP + DOWN}"/><path class="usual" d="${bars(usual, UP, -1)}"/><path class="odd" d="${bars(odd, DOWN, 1)}"/><path class="axis" d="M0 ${UP}h${width}"/></svg>`
}

/** Bars from the axis up or down, as one path. Flagged ones are few and wider. */
function bars(slots: Slots, height: number, direction: 1 | -1): Html {
  const top = most(slots)
  const [wide, before] = direction === 1 ? [WIDE * 1.5, WIDE / 4] : [WIDE * 0.75, 0]
  return new Html(
    slots
      .map(([slot, accesses]) => {
        const tall = direction * (Math.round(10 * Math.max(LEAST, (height * accesses) / top)) / 10)
        return `M${slot * WIDE - before} ${UP}v${tall}h${wide}v${-tall}z`
      })
      .join(''),
  )
}
