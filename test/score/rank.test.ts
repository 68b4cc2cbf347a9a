import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { before, test } from 'node:test'
import { silentContext } from '../../scripts/lib/cli/command.ts'
import { UsageError } from '../../scripts/lib/cli/errors.ts'
import { take } from '../../scripts/lib/cli/take.ts'
import { parseCalibration } from '../../scripts/lib/insights/calibration.ts'
import type { Run } from '../../scripts/lib/runs/run.ts'
import type { Verdict } from '../../scripts/lib/runs/verdicts.ts'
import { command } from '../../scripts/score/command.ts'
import { tempFolder } from '../support/temp.ts'
import { LABELS, trainedRun } from '../support/trained-run.ts'

const workspace = tempFolder()
const labels = `${workspace}/${LABELS}`
let run: Run
before(async () => {
  run = await trainedRun(workspace)
})

async function score(change: Record<string, unknown> = {}) {
  const { json } = await take(command, silentContext(), { workspace, run: run.id, ...change })
  const lines = readFileSync(String(json.output), 'utf8').trimEnd().split('\n')
  return { json, verdicts: lines.map((line) => JSON.parse(line) as Verdict) }
}

test('model and evidence rank together, and every alert says why', async () => {
  const { rank } = parseCalibration(readFileSync(run.path('model/calibration.json'), 'utf8'))
  for (const prior of ['even', 'accesses'] as const) {
    const { json, verdicts } = await score({ alertsPerDay: 6, prior, labels })
    assert.deepEqual([json.rank, json.prior, json.threshold], ['evidence', prior, rank?.[prior].tail[12]])
    const flagged = verdicts.filter((verdict) => verdict.flagged)
    assert.equal(flagged.length, 12)
    // Two dozen attacks from elsewhere are in the holdout.
    assert.ok(flagged.filter(({ label }) => label !== undefined).length >= 11)
    for (const { anomalyScore = 0, dotProduct = 0, verdict } of verdicts)
      if (verdict === 'scored') assert.notEqual(anomalyScore, 0 - dotProduct)
    for (const { anomalyScore = 0, reasons = [] } of flagged) {
      assert.ok(anomalyScore > 0 - Number(json.threshold))
      assert.equal(reasons.length, 5)
      assert.ok(reasons.some(({ text }) => /never in this \/16|before, none from the/.test(text)))
    }
    assert.ok(verdicts.every((verdict) => verdict.flagged || verdict.reasons === undefined))
    const [, first] = readFileSync(String(json.anomalies), 'utf8').split('\n')
    assert.match(first ?? '', /accesses of this entity in training \([−+]\d+\.\d\)/)
  }
})

test('a rank by evidence that is not to be had is said; without being asked for, the score ranks', async () => {
  const calibration = run.path('model/calibration.json')
  const kept = readFileSync(calibration)
  const { rank: _, ...older } = JSON.parse(String(kept))
  writeFileSync(calibration, JSON.stringify(older))
  try {
    assert.equal((await score()).json.rank, 'score')
    await assert.rejects(
      score({ rank: 'evidence' }),
      (error) => error instanceof UsageError && /calibration\.json/.test(error.message),
    )
  } finally {
    writeFileSync(calibration, kept)
  }
  const files = { pairs: [run.path('pairs/holdout/part-0.csv')], model: run.path('model'), scores: tempFolder() }
  await assert.rejects(score({ ...files, rank: 'evidence' }), /--rank evidence needs the training pairs/)
})
