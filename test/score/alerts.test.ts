import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, test } from 'node:test'
import { parse } from 'csv-parse/sync'
import { type Alert, alertsOf, pairKey } from '../../scripts/lib/runs/alerts.ts'
import { BUCKET } from '../support/run-in-s3.ts'
import { runScript } from '../support/run-script.ts'
import { HOSTILE } from '../support/trained-run.ts'
import { logsOfHoldout, wafKey, wafRecord } from './alert-logs.ts'
import { type Fixture, fixture } from './s3-sandbox.ts'

const FAST = { sagemaker: { pace: 'instant' } } as const
const EARLY = wafKey(new Date('2026-11-21T10:00:00Z'))
const LATE = { entity: 'nobody', ip: '192.0.2.1', time: Date.parse('2026-11-21T10:00:00Z') }

/** Puts logs beside the run on this machine. One file of long ago is damaged: what is judged cannot be in it. */
function stageHere({ local }: Fixture): void {
  rmSync(local.path('staged'), { recursive: true, force: true })
  for (const [key, text] of [...logsOfHoldout(local), [EARLY, '{ no JSON'] as const]) {
    const path = local.path(`staged/${key}`)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
}

/** The same in S3. Athena reads all files, so that none is damaged. */
function stageThere({ local, sandbox, at }: Fixture): void {
  for (const [key, text] of [...logsOfHoldout(local), [EARLY, wafRecord(LATE)] as const])
    sandbox.s3.put(BUCKET, at(`staged/${key}`), text)
}

async function scoreHere(aws: Fixture, args: readonly string[] = []) {
  const ended = await runScript('score', ['--workspace', aws.workspace, ...args])
  assert.equal(ended.code, 0, ended.stderr)
  return ended
}

const MANY = ['--alerts-per-day', '30']

describe('alerts say who it was, when, and what was done', () => {
  test('on this machine and in AWS alike, from one scan that is approved and paid for once', async () => {
    const aws = await fixture(FAST, { calibrated: true })
    await aws.deploy()
    stageHere(aws)
    stageThere(aws)
    const { stdout } = await scoreHere(aws, MANY)
    const alerts = await alertsOf(aws.local, 'holdout')
    assert.ok(alerts.length > 10)
    assert.ok(HOSTILE.some((name) => alerts.some(({ entity }) => entity === name)))
    for (const alert of alerts) checkAgainst(aws, alert)
    assert.match(stdout, /^first at, UTC +who +address +does not fit because +did$/m)
    assert.match(stdout, /^2026-11-28 \d\d:00 .* GET \/\d 1$/m)

    const refused = await aws.script('score', MANY)
    assert.equal(refused.code, 3)
    assert.match(refused.stderr, /scan the logs once with Athena.*--details no/)
    assert.equal(aws.sandbox.requests.of('InvokeEndpoint') + aws.sandbox.requests.of('StartQueryExecution'), 0)
    const planned = await aws.done('score', [...MANY, '--dry-run'])
    assert.ok(Number(planned.estimatedUsd) > 0)
    await aws.done('score', [...MANY, '--max-cost', '1'])
    assert.equal(await aws.text('scores/holdout/alerts.ndjson'), bytesHere(aws, 'alerts.ndjson'))
    assert.equal(await aws.text('scores/holdout/anomalies.csv'), bytesHere(aws, 'anomalies.csv'))
    const scans = () => aws.sandbox.requests.of('StartQueryExecution')
    const before = scans()
    // Done is done, without a question.
    assert.equal((await aws.done('score', MANY)).repeated, true)
    assert.equal(scans(), before)
  })

  test('killed after the scan has begun: the next attempt neither pays nor asks again', async () => {
    const aws = await fixture(FAST, { calibrated: true })
    await aws.deploy()
    stageThere(aws)
    const noted = () => aws.text('run.json').then((text) => /"alerts_\w+": *\{[^}]*"id": *"[\w-]+"/.test(text ?? ''))
    let isNoted = false
    const watch = setInterval(() => void noted().then((now) => (isNoted ||= now)), 2)
    const killed = await aws.script('score', [...MANY, '--yes'], { killWhen: () => isNoted })
    clearInterval(watch)
    assert.equal(killed.signal, 'SIGKILL', killed.stderr)
    const before = aws.sandbox.requests.of('StartQueryExecution')
    await aws.done('score', MANY)
    assert.equal(aws.sandbox.requests.of('StartQueryExecution'), before)
    assert.match((await aws.text('scores/holdout/alerts.ndjson')) ?? '', /"request"/)
  })

  test('killed for good: clean stops the scan', async () => {
    const aws = await fixture(FAST, { calibrated: true })
    await aws.deploy()
    stageThere(aws)
    aws.sandbox.athena.settings.pace = 'manual'
    let isNoted = false
    const look = async () => {
      isNoted ||= /"alerts_\w+": *\{[^}]*"id": *"[\w-]+"/.test((await aws.text('run.json')) ?? '')
      if (!isNoted && !aws.sandbox.athena.queries.all.at(-1)?.text.includes('aspects'))
        await aws.sandbox.athena.advance()
    }
    const watch = setInterval(() => void look(), 2)
    const killed = await aws.script('score', [...MANY, '--yes'], { killWhen: () => isNoted })
    clearInterval(watch)
    assert.equal(killed.signal, 'SIGKILL', killed.stderr)
    assert.equal(aws.sandbox.athena.queries.all.at(-1)?.state, 'QUEUED')
    const cleaned = await aws.script('clean', ['--yes'])
    assert.match(cleaned.stderr + cleaned.stdout, /Athena query \S+ .*will be stopped|no longer runs/)
    assert.equal(aws.sandbox.athena.queries.all.at(-1)?.state, 'CANCELLED')
  })
})

const bytesHere = ({ local }: Fixture, file: string) => readFileSync(local.path(`scores/holdout/${file}`), 'utf8')

/** Compares with the logs, read here once more. */
function checkAgainst({ local }: Fixture, alert: Alert): void {
  const records = [...logsOfHoldout(local).values()].flatMap((text) => text.trimEnd().split('\n'))
  const { from } = local.holdout()
  const own = records
    .map((line) => JSON.parse(line))
    .filter(({ timestamp, httpRequest: { clientIp, headers } }) => {
      const entity = headers[1].value
      return timestamp >= from.getTime() && pairKey({ entity, ip: clientIp }) === pairKey(alert)
    })
  const times = own.map(({ timestamp }) => timestamp)
  const { details } = alert
  assert.equal(details?.accesses, alert.accesses)
  assert.equal(details?.accesses, own.length)
  assert.equal(details?.first, new Date(Math.min(...times)).toISOString())
  assert.equal(details?.last, new Date(Math.max(...times)).toISOString())
  const { request = [], action = [], ...rest } = details?.aspects ?? {}
  assert.deepEqual(
    request.map(({ value }) => value).sort(),
    [...new Set(own.map(({ httpRequest: { uri } }) => `GET ${uri}`))].sort(),
  )
  assert.deepEqual(action.map(({ value }) => value).sort(), [...new Set(own.map(({ action: one }) => one))].sort())
  assert.deepEqual(Object.keys(rest), ['acl', 'agent', 'country', 'host', 'rule'])
}

describe('without details', () => {
  test('logs that are gone, or that cannot be read, are a warning; --details no asks nothing', async () => {
    const aws = await fixture(FAST, { calibrated: true })
    rmSync(aws.local.path('staged'), { recursive: true, force: true })
    const gone = await scoreHere(aws, [...MANY, '--overwrite'])
    assert.match(gone.stderr, /alerts do not say what was done: .* 12 objects were staged, 0 are there/)
    assert.match(gone.stdout, /^who +address +does not fit because$/m)
    stageHere(aws)
    const [[key = ''] = []] = [...logsOfHoldout(aws.local)]
    writeFileSync(aws.local.path(`staged/${key}`), '{ no JSON')
    const damaged = await scoreHere(aws, [...MANY, '--overwrite'])
    assert.match(damaged.stderr, /alerts do not say what was done: a log file cannot be read/)
    const quiet = await scoreHere(aws, [...MANY, '--details', 'no'])
    assert.doesNotMatch(quiet.stderr, /alerts do not say/)
    const rows = parse(bytesHere(aws, 'anomalies.csv'), { columns: true }) as Record<string, string>[]
    assert.deepEqual([rows[0]?.flagged, rows[0]?.first_access, rows[0]?.calls], ['yes', '', ''])
  })
})
