import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { before, test } from 'node:test'
import { command } from '../../scripts/evaluate/command.ts'
import { silentContext } from '../../scripts/lib/cli/command.ts'
import { UsageError, UserError } from '../../scripts/lib/cli/errors.ts'
import { take } from '../../scripts/lib/cli/take.ts'
import type { Run } from '../../scripts/lib/runs/run.ts'
import { tempFolder } from '../support/temp.ts'
import { trainedRun } from '../support/trained-run.ts'

const workspace = tempFolder()
let run: Run
before(async () => {
  run = await trainedRun(workspace)
})

const evaluated = (values: Record<string, unknown>) => take(command, silentContext(), { attacks: 200, ...values })
const files = () => ({
  pairs: [run.path('pairs/train/part-0.csv')],
  holdout: run.path('pairs/holdout/part-0.csv'),
  holdoutDays: 2,
})

test('a run, and the same as files: the same figures', async () => {
  const own = await evaluated({ workspace, addresses: ['198.18.0.0/24'] })
  assert.equal(own.json.run, run.id)
  const lines = own.json.lines as { attackers: string; prior: string; ranking: string; auc: number }[]
  // Five kinds of attackers, two priors, ten rankings.
  assert.equal(lines.length, 5 * 2 * 10)
  assert.ok(lines.every(({ auc }) => auc >= 0.5))
  const { run: _, ...figures } = own.json
  const bare = await evaluated({ ...files(), model: run.path('model'), addresses: ['198.18.0.0/24'] })
  assert.deepEqual(bare.json, figures)
  for (const part of [
    'near-network, entities drawn evenly',
    'listed, entities drawn as often as they come',
    'evidence, even',
  ])
    assert.ok(own.text.includes(part), part)
})

test('the same as a page, which loads nothing', async () => {
  const report = `${tempFolder()}/evaluation.html`
  const { json, text } = await evaluated({ workspace, report })
  assert.ok(text.endsWith(`report  ${report}`))
  assert.equal(json.report, report)
  const page = readFileSync(report, 'utf8')
  assert.match(page, /default-src &#39;none&#39;; style-src &#39;sha256-[^&]+&#39;; script-src &#39;none&#39;/)
  assert.doesNotMatch(page, /<script|https?:\/\//)
  const lines = json.lines as { attackers: string; prior: string; budget: Record<string, { low: number }> }[]
  assert.equal(page.match(/<tr><td>/g)?.length, lines.length)
  for (const { budget } of lines) assert.ok(page.includes(`(${(100 * (budget['10']?.low ?? 0)).toFixed(1)}–`))
  for (const part of ['From near an own network', 'Entities drawn as often as they come', run.id, '1000 or more'])
    assert.ok(page.includes(part), part)
  await assert.rejects(evaluated({ workspace, report: `${report}/x` }), /--report .*ENOTDIR/)
})

test('without a model, what needs none is measured', async () => {
  const { json } = await evaluated({ ...files(), alertsPerDay: 3 })
  const lines = json.lines as { ranking: string; budget: object }[]
  assert.deepEqual(
    [...new Set(lines.map(({ ranking }) => ranking))],
    ['address not seen', '/24 not seen', '/16 not seen', 'share of the /16', 'prefixes', 'prefixes + ln n'],
  )
  assert.deepEqual(Object.keys(lines[0]?.budget ?? {}), ['3'])
})

function strangers(): string {
  const file = `${tempFolder()}/strangers.csv`
  writeFileSync(file, 'stranger,198.51.100.1\n')
  return file
}

const mistakes: [
  what: string,
  values: () => Record<string, unknown>,
  kind: typeof UsageError | typeof UserError,
  says: RegExp,
][] = [
  ['training pairs alone', () => ({ pairs: files().pairs }), UsageError, /--holdout/],
  ['a model without pairs', () => ({ workspace, model: 'm' }), UsageError, /belong to --pairs/],
  ['no such model', () => ({ ...files(), model: tempFolder() }), UserError, /no model at/],
  ['no network', () => ({ workspace, addresses: ['1.2.3'] }), UsageError, /--addresses "1\.2\.3"/],
  [
    'nothing that can be judged',
    () => ({ ...files(), holdout: strangers() }),
    UserError,
    /no pair of the holdout can be judged/,
  ],
]

for (const [what, values, kind, says] of mistakes)
  test(`what cannot be evaluated: ${what}`, () =>
    assert.rejects(evaluated(values()), (error) => error instanceof kind && says.test(error.message)))
