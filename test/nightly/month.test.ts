import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { it } from 'node:test'
import { silentContext } from '../../scripts/lib/cli/command.ts'
import { Interrupted } from '../../scripts/lib/cli/errors.ts'
import { take } from '../../scripts/lib/cli/take.ts'
import { type Night, nightName, nightsOf } from '../../scripts/lib/runs/nights.ts'
import { folderStore } from '../../scripts/lib/stores/folder.ts'
import { command } from '../../scripts/nightly/command.ts'
import { dayAfter, daysFrom, deliver } from '../support/month.ts'
import { tempFolder } from '../support/temp.ts'
import { thisProcess } from '../support/waiting.ts'

const DAY = 86_400_000
const FIRST = '2026-03-01'
const BUDGET = 5

/** What happens in some nights; days are counted from the first one, which is 1. */
interface Plan {
  readonly nights: number
  readonly history: number
  readonly keep: number
  readonly officeMoves: number
  readonly newRegion?: number
  /** No logs of this day ever come; those of the late one come with the next but one. */
  readonly missing: number
  readonly late?: number
  /** This night is stopped once in every step. */
  readonly stopped: number
  /** Days on which the budget holds within a quarter, at least. */
  readonly within: number
}

const MONTH: Plan = {
  ...{ nights: 30, history: 10, keep: 12, within: 24 },
  ...{ missing: 6, stopped: 9, officeMoves: 12, late: 16, newRegion: 20 },
}
const WEEK: Plan = { ...{ nights: 8, history: 4, keep: 5, within: 6 }, ...{ missing: 2, stopped: 3, officeMoves: 5 } }

const plan = process.env.PRESTAGE_TEST_ALL === undefined ? WEEK : MONTH

it(`${plan.nights} nights: the budget holds, a drift is one message, nothing is judged twice or left out, old runs go`, async (t) => {
  const [logs, workspace] = [tempFolder(), tempFolder()]
  const dayOf = (n: number) => dayAfter(FIRST, n - 1)
  const events = {
    officeMoves: dayOf(plan.officeMoves),
    ...(plan.newRegion !== undefined && { newRegion: dayOf(plan.newRegion) }),
  }
  deliver(logs, daysFrom(dayAfter(FIRST, -plan.history), plan.history), events)
  const seen = new Map<string, Night>()
  const sizes: number[] = []
  for (let n = 1; n <= plan.nights; n++) {
    const now = new Date(`${dayAfter(dayOf(n))}T02:30:00Z`)
    if (n !== plan.missing && n !== plan.late) deliver(logs, [dayOf(n)], events)
    if (plan.late !== undefined && n === plan.late + 2) deliver(logs, [dayOf(plan.late)], events)
    const night = (more: object = {}) =>
      take(command, silentContext({ now: () => now, owner: thisProcess.owner, ...more }), {
        ...{ source: ['cloudtrail'], logs, workspace, alertsPerDay: BUDGET },
        ...{ history: plan.history * DAY, keep: plan.keep * DAY, catchUp: 3, retrain: 7 * DAY },
        ...{ findings: ['asff', 'ocsf', 'csv'], findingsAccount: '111122223333', findingsRegion: 'us-east-1' },
      })
    if (n === plan.stopped) await stoppedInEveryStep(night)
    await night()
    for (const one of await nightsOf(folderStore(workspace), 'cloudtrail')) {
      const before = seen.get(nightName(one))
      // What is judged stays as it is.
      if (before?.state === 'judged') assert.deepEqual(one, before)
      seen.set(nightName(one), one)
    }
    const tonight = seen.get(dayOf(n))
    if (tonight?.judged) assertFindings(tonight.judged)
    sizes.push(bytesIn(`${workspace}/runs`))
  }
  const nights = [...seen.values()].sort((a, b) => (a.from < b.from ? -1 : 1))
  assert.deepEqual(nights.map(nightName), daysFrom(FIRST, plan.nights), 'nothing is left out')
  assert.deepEqual(nights.filter(({ state }) => state !== 'judged').map(nightName), [dayOf(plan.missing)])
  const judged = nights.flatMap((night) => (night.judged === null ? [] : [{ day: nightName(night), ...night.judged }]))
  const figures = judged.map(({ day, flagged, unfit, told, goingOn, trained, drift }) =>
    [day, flagged, unfit, told.length, goingOn, trained?.why ?? '', drift?.kinds.join() ?? ''].join(' '),
  )
  t.diagnostic(`day, flagged, unfit, told, going on, trained, drift\n${figures.join('\n')}`)
  const within = judged.filter(({ flagged }) => Math.abs(flagged - BUDGET) <= BUDGET / 4)
  assert.ok(within.length >= plan.within, figures.join('\n'))
  assert.ok(
    judged.every(({ told }) => told.length <= BUDGET),
    'no flood',
  )
  // Each change is told once.
  const told = judged.filter(({ drift }) => drift?.isTold)
  const changes = [plan.officeMoves, ...(plan.newRegion === undefined ? [] : [plan.newRegion])]
  assert.deepEqual(
    told.map(({ day }) => day),
    changes.map(dayOf),
    figures.join('\n'),
  )
  assert.match(told[0]?.drift?.networks[0]?.name ?? '', /^185\.77\.12\.0\/24$/)
  assert.deepEqual(told[0]?.drift?.accounts[0]?.name, '111122223333')
  // The next nights learn it.
  assert.ok(
    judged.some(({ trained }) => trained?.why === 'drift' && trained.isBetter),
    figures.join('\n'),
  )
  assert.equal(judged.at(-1)?.drift, null, figures.join('\n'))
  // An alert is told once in a week.
  const all = judged.flatMap(({ day, told: alerts }) =>
    alerts.map(({ entity, ip }) => ({ day, key: `${entity} ${ip.replace(/\.\d+$/, '')}` })),
  )
  for (const { day, key } of all)
    assert.ok(
      !all.some((other) => other.key === key && other.day < day && other.day > dayAfter(day, -7)),
      `${day} ${key}`,
    )
  // Storage is bounded: once as many nights are kept as are to be kept, it stays.
  const peak = (from: number, to: number) => Math.max(...sizes.slice(from, to))
  const full = plan.keep + 3
  if (plan.nights > 2 * full) assert.ok(peak(-10, plan.nights) < 1.25 * peak(full, full + 7), sizes.join(' '))
  const kept = (await nightsOf(folderStore(workspace), 'cloudtrail')).map(nightName)
  assert.equal(kept[0], dayOf(plan.nights - plan.keep + 1))
  assert.ok(readdirSync(`${workspace}/runs`).length <= plan.keep + 6, readdirSync(`${workspace}/runs`).join(' '))
  const page = readFileSync(`${workspace}/reports/cloudtrail.html`, 'utf8')
  for (const [, link = ''] of page.matchAll(/href="\.\.\/([^"]+)"/g))
    assert.ok(existsSync(`${workspace}/${link}`), link)
})

/** A drift that is told is one finding in each format; beside it there are three at most. */
function assertFindings({ drift, findings, told }: NonNullable<Night['judged']>): void {
  const lines = (name: string) =>
    findings
      .filter((path) => path.includes(name))
      .flatMap((path) => readFileSync(path, 'utf8').trimEnd().split('\n'))
      .filter((line) => line.length > 2)
  const counts = ['asff-drift', 'ocsf-drift', 'drift.csv'].map((name) => lines(name).length)
  assert.deepEqual(counts, drift?.isTold ? [1, 1, 2] : [0, 0, 0])
  assert.ok(lines('/ocsf.ndjson').length <= (drift === null ? BUDGET : 3))
  assert.ok(told.length <= (drift === null ? BUDGET : 3))
  if (!drift?.isTold) return
  const [asff] = JSON.parse(readFileSync(findings.find((path) => path.endsWith('asff-drift.json')) ?? '', 'utf8'))
  assert.match(
    asff.Description,
    /pairs would be flagged, with a budget of 5; .*networks: 185\.77\.12\.0\/24|never seen/,
  )
  assert.equal(asff.ProductArn, 'arn:aws:securityhub:us-east-1:111122223333:product/111122223333/default')
  assert.equal(JSON.parse(lines('ocsf-drift')[0] ?? '').class_uid, 2004)
}

/** Stops a night after each of its steps, once, and starts it again. */
async function stoppedInEveryStep(night: (more: object) => Promise<unknown>): Promise<void> {
  const stops = new Set<string>()
  for (;;) {
    const controller = new AbortController()
    const info = (text: string) => {
      const [step = ''] = text.split(':')
      if (!text.includes(': done in') || stops.has(step)) return
      stops.add(step)
      controller.abort(new Interrupted('SIGTERM'))
    }
    try {
      await night({ signal: controller.signal, talk: { info, warn: () => {}, detail: () => {} } })
      assert.ok(stops.size >= 4, [...stops].join())
      return
    } catch (error) {
      if (!controller.signal.aborted) throw error
    }
  }
}

const bytesIn = (folder: string): number =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).reduce((sum, name) => {
    const stats = statSync(`${folder}/${name}`)
    return sum + (stats.isFile() ? stats.size : 0)
  }, 0)
