import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, test } from 'node:test'
import { silentContext } from '../../scripts/lib/cli/command.ts'
import { take } from '../../scripts/lib/cli/take.ts'
import type { Run } from '../../scripts/lib/runs/run.ts'
import { command } from '../../scripts/score/command.ts'
import { tempFolder } from '../support/temp.ts'
import { trainedRun } from '../support/trained-run.ts'

const workspace = tempFolder()
let run: Run
before(async () => {
  run = await trainedRun(workspace)
})

const score = (change: Record<string, unknown> = {}) =>
  take(command, silentContext(), { workspace, run: run.id, ...change })

test('verdicts lie by what was judged: those on another run replace nothing, and neither needs to be made again', async () => {
  const other = await trainedRun(workspace, { logs: '/apart' })
  const holdout = await score({ findings: ['csv'] })
  const files = ['scores/holdout/verdicts.ndjson', 'scores/holdout/anomalies.csv', 'findings/holdout/findings.csv']
  const before = files.map((key) => readFileSync(run.path(key), 'utf8'))
  const { json } = await score({ fromRun: other.id, findings: ['csv'] })
  assert.equal(json.output, run.path(`scores/${other.id}/verdicts.ndjson`))
  assert.equal(json.anomalies, run.path(`scores/${other.id}/anomalies.csv`))
  assert.deepEqual((json.findings as { files: string[] }).files, [run.path(`findings/${other.id}/findings.csv`)])
  assert.deepEqual(
    files.map((key) => readFileSync(run.path(key), 'utf8')),
    before,
  )
  assert.equal((await score()).json.repeated, true)
  assert.equal((await score()).json.digest, holdout.json.digest)
  assert.equal((await score({ fromRun: other.id })).json.repeated, true)
})

test('verdicts are not replaced in silence: the options that made them are named as they are typed', async () => {
  const said: string[] = []
  const talk = { info: (text: string) => void said.push(text), detail: () => {}, warn: () => {} }
  const again = (change: object) => take(command, silentContext({ talk }), { workspace, run: run.id, ...change })
  await score({ alertsPerDay: 3 })
  await again({ alertsPerDay: 4, allow: ['10.0.0.0/8'] })
  assert.deepEqual(
    said.filter((text) => text.startsWith('replacing')),
    ['replacing the verdicts on the holdout, which were made with --alerts-per-day 3 (no --allow)'],
  )
  said.length = 0
  await again({ alertsPerDay: 4, allow: ['10.0.0.0/8'] })
  assert.deepEqual(
    said.filter((text) => text.startsWith('replacing')),
    [],
  )
})

test('the table of anomalies holds no character that a terminal obeys or that turns text round', async () => {
  const { json } = await score()
  const csv = readFileSync(String(json.anomalies), 'utf8')
  assert.match(csv, /the \\u\{202e\}eod/)
  assert.doesNotMatch(csv.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
  const verdicts = readFileSync(String(json.output), 'utf8')
  assert.match(verdicts, /the \\u202eeod/)
})
