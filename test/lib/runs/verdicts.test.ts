import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { UserError } from '../../../scripts/lib/cli/errors.ts'
import type { ScoreResult } from '../../../scripts/lib/runs/results.ts'
import { type Verdict, verdictsOf, writeVerdicts } from '../../../scripts/lib/runs/verdicts.ts'
import { createRun } from '../../../scripts/lib/runs/workspace.ts'
import { tempFolder } from '../../support/temp.ts'
import { REQUEST } from './fixture/ledger.ts'

const JUDGED: Verdict = {
  entity: 'john \u001b[31m \u202e "x"',
  ip: '198.51.100.7',
  events: 50,
  verdict: 'scored',
  dotProduct: -1.5,
  anomalyScore: 1.5,
  flagged: false,
  allowed: '198.51.100.0/24',
  reasons: [{ weight: 2.5, text: 'never in this /16; others neither' }],
  seen: { ip: false, net24: true, net16: true },
  label: 'near-network',
  accesses: 3,
}
const UNSEEN: Verdict = { entity: 'x', ip: '1.2.3.4', events: 0, verdict: 'unseen-entity', flagged: false, accesses: 1 }

const SCORED: ScoreResult = {
  rank: 'evidence',
  prior: 'even',
  of: 'holdout',
  ...{ scored: 1, unseen: 1, sparse: 0, flagged: 0, allowed: 1 },
  ...{ threshold: -1, alertsPerDay: 10, minEvents: 10, allow: [], attacks: null },
  ...{ output: 'o', anomalies: 'a', digest: 'd' },
}

const run = await createRun(tempFolder(), REQUEST)
const plan = { settings: {}, inputs: [], overwrite: false }
for (const step of ['score', 'score/other'] as const) await run.step(step, plan, async () => SCORED)

async function read(judged = 'holdout'): Promise<Verdict[]> {
  const found: Verdict[] = []
  for await (const verdicts of verdictsOf(run, judged, new AbortController().signal)) found.push(...verdicts)
  return found
}

function written(...lines: readonly string[]): void {
  mkdirSync(run.path('scores/holdout'), { recursive: true })
  writeFileSync(run.path('scores/holdout/verdicts.ndjson'), lines.map((line) => `${line}\n`).join(''))
}

test('what is written is read again, and nothing in the file moves a cursor or turns text round', async () => {
  async function* batches() {
    yield [JUDGED]
    yield [UNSEEN]
  }
  await writeVerdicts(run.store, 'scores/holdout/verdicts.ndjson', batches())
  assert.deepEqual(await read(), [JUDGED, UNSEEN])
  const text = readFileSync(run.path('scores/holdout/verdicts.ndjson'), 'utf8')
  assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u)
})

const without = (name: keyof Verdict) =>
  JSON.stringify(Object.fromEntries(Object.entries(JUDGED).filter(([key]) => key !== name)))
const changed = (change: object) => JSON.stringify({ ...JUDGED, ...change })

const damaged: [what: string, line: string][] = [
  ['nothing', ''],
  ['half a line', changed({}).slice(0, 40)],
  ['no object', '[]'],
  ['null', 'null'],
  ...(['entity', 'ip', 'events', 'verdict', 'dotProduct', 'anomalyScore', 'flagged', 'accesses'] as const).map(
    (name): [string, string] => [`no ${name}`, without(name)],
  ),
  ['another kind of verdict', changed({ verdict: 'fine' })],
  ['a score of an unknown entity', changed({ verdict: 'unseen-entity' })],
  ['a score that is no number', changed({ dotProduct: '-1' })],
  ['a reason without a weight', changed({ reasons: [{ text: 'x' }] })],
  ['half an access', changed({ accesses: 0.5 })],
  ['a label that is no text', changed({ label: 1 })],
  ['an allowance that is no text', changed({ allowed: true })],
  ['half of what was seen', changed({ seen: { ip: true } })],
]

for (const [what, line] of damaged)
  test(`refused with what to do: ${what}`, async () => {
    written(JSON.stringify(UNSEEN), line)
    await assert.rejects(
      read(),
      (error) =>
        error instanceof UserError &&
        /scores\/holdout\/verdicts\.ndjson:2 is not a verdict$/.test(error.message) &&
        /^npx zx scripts\/score\.mjs --run .* --overwrite$/.test(error.hint ?? ''),
    )
  })

test('a file that was cut at a line is refused', async () => {
  written(JSON.stringify(JUDGED))
  await assert.rejects(read(), /verdicts\.ndjson holds 1 verdicts, not 2/)
})

test('a run of an older version is told how to score again, also for another run', async () => {
  rmSync(run.path('scores'), { recursive: true })
  await assert.rejects(read('other'), {
    message: /has no scores\/other\/verdicts\.ndjson: it was removed, or an older version scored this run/,
    hint: /--from-run other .*--overwrite$/,
  })
})
