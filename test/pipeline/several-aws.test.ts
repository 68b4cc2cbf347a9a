import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { athenaSandbox, WORKSPACE } from '../support/athena-sandbox.ts'
import { fewObjects } from '../support/few-objects.ts'
import { type RunOptions, scriptPath } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'
import { onTerminal, TERMINAL } from '../support/terminal.ts'

const ROLE = 'arn:aws:iam::111122223333:role/prestage-sagemaker'
const BOTH = ['cloudtrail', 'waf'] as const

async function fixture(logs?: string) {
  const { sandbox, run } = await athenaSandbox()
  await sandbox.s3.load('org-logs', logs ?? (await fewObjects()))
  const data = ['--source', BOTH.join(), '--from', '2026-03-02', '--to', '2026-03-04', '--logs', 's3://org-logs']
  const args = [...data, '--copy', 'direct', '--sagemaker-role', ROLE]
  const pipeline = async (more: readonly string[] = ['--yes'], options: RunOptions = {}) => {
    const ended = await run('pipeline', [...args, ...more], options)
    return { ...ended, result: ended.stdout === '' ? undefined : JSON.parse(ended.stdout) }
  }
  const pages = () => sandbox.s3.keys('org-staging', 'prestage/reports/')
  const page = async () => (await sandbox.s3.get('org-staging', pages()[0] ?? '')).toString()
  return { sandbox, run, args, pipeline, pages, page }
}

/** Logs in which the attackers of CloudTrail also come to the sites. */
async function visitedLogs(): Promise<string> {
  const logs = tempFolder()
  cpSync(await fewObjects(), logs, { recursive: true })
  const attackers = readFileSync(`${logs}/labels.csv`, 'utf8').match(/^cloudtrail,.*/gm) ?? []
  const path = readdirSync(logs, { recursive: true, encoding: 'utf8' }).find((file) =>
    /WAFLogs.*\/2026\/03\/03\/.*gz$/.test(file),
  )
  const text = gunzipSync(readFileSync(`${logs}/${path}`)).toString()
  const line = text.split('\n').find((one) => Number(/"timestamp":(\d+)/.exec(one)?.[1]) > HELD_OUT) ?? assert.fail()
  const ips = attackers.flatMap((one) => one.match(/\b\d+\.\d+\.\d+\.\d+\b/) ?? [])
  const visits = ips.map((ip) => line.replace(/"clientIp":"[^"]*"/, `"clientIp":"${ip}"`))
  writeFileSync(`${logs}/${path}`, gzipSync(`${text.trimEnd()}\n${visits.join('\n')}\n`))
  return logs
}

const HELD_OUT = Date.parse('2026-03-03T16:00:00Z')

async function verdictsOf({ s3 }: Awaited<ReturnType<typeof athenaSandbox>>['sandbox'], run: string) {
  const text = await s3.get('org-staging', `prestage/runs/${run}/scores/holdout/verdicts.ndjson`)
  return text
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly ip: string; readonly flagged: boolean })
}

const skip = TERMINAL.missing

/** What is paid for by the piece. */
const PAID = ['CopyObject', 'StartQueryExecution', 'CreateTrainingJob', 'CreateModel', 'CreateEndpoint']

describe('both sources in AWS', () => {
  it('come through side by side, into one page; again nothing is made twice', async () => {
    const { sandbox, run, pipeline, pages, page } = await fixture(await visitedLogs())
    const { code, result, stderr } = await pipeline()
    assert.equal(code, 0, stderr)
    for (const source of BOTH) {
      assert.match(result.runs[source], new RegExp(`^${source}-20260302T0000Z-20260304T0000Z-`))
      assert.equal(result.steps[source].deploy.status, 'InService')
      assert.ok(result.steps[source].score.scored > 0)
    }
    assert.deepEqual(
      [result.report],
      pages().map((key) => `s3://org-staging/${key}`),
    )
    assert.ok(result.report.startsWith(`${WORKSPACE}/reports/cloudtrail-waf-20260302T0000Z-20260304T0000Z-`))
    // Side by side: the second one begins before the first one is through.
    const [first, second] = BOTH.map((source) => stderr.indexOf(`${source}: stage: done`))
    const ends = BOTH.map((source) => stderr.indexOf(`${source}: report: done`))
    assert.ok(Math.max(first ?? 0, second ?? 0) < Math.min(...ends), stderr)
    assert.deepEqual(
      stderr.split('\n').filter((line) => line !== '' && !/^(warning: )?(cloudtrail|waf): /.test(line)),
      [],
    )

    const verdicts = await Promise.all(BOTH.map((source) => verdictsOf(sandbox, result.runs[source])))
    const flagged = new Set(verdicts.flat().flatMap((one) => (one.flagged ? [one.ip] : [])))
    const shared = [...flagged].filter((ip) => verdicts.every((all) => all.some((one) => one.ip === ip)))
    assert.ok(shared.length > 0)
    assert.deepEqual(result.shared.addresses.map(({ ip }: { ip: string }) => ip).sort(), shared.sort())

    const [paid, text] = [PAID.map((name) => sandbox.requests.of(name)), await page()]
    const again = await pipeline([])
    assert.equal(again.code, 0, again.stderr)
    assert.deepEqual(again.result.runs, result.runs)
    assert.deepEqual(
      PAID.map((name) => sandbox.requests.of(name)),
      paid,
    )
    assert.equal(await page(), text)
    assert.equal(sandbox.sagemaker.names().endpoints.length, 2)

    for (const source of BOTH) await run('clean', ['--run', result.runs[source], '--everything', '--yes'])
    assert.deepEqual(pages(), [])
    assert.deepEqual(sandbox.sagemaker.names().endpoints, [])
    assert.deepEqual(sandbox.violations, [])
  })

  it('one that fails is named, the other comes to its end, and the same command does the rest', async () => {
    const { sandbox, pipeline, pages, page } = await fixture()
    const allow = sandbox.s3.deny({ action: 'sagemaker:CreateTrainingJob', resource: /waf/ })
    const { code, result, stderr } = await pipeline()
    assert.match(stderr, /warning: waf failed: /)
    assert.deepEqual(Object.keys(result.failed), ['waf'])
    assert.equal(code, 4, stderr)
    assert.ok(result.steps.cloudtrail.report.report)
    assert.deepEqual(Object.keys(result.steps.waf), ['stage', 'extract'])
    assert.match(await page(), /AWS WAF failed\./)
    allow()
    const jobs = sandbox.requests.of('CreateTrainingJob')
    const mended = await pipeline()
    assert.equal(mended.code, 0, mended.stderr)
    assert.equal(sandbox.requests.of('CreateTrainingJob'), jobs + 1)
    assert.equal(pages().length, 1)
    assert.doesNotMatch(await page(), /failed\./)
    assert.deepEqual(sandbox.violations, [])
  })

  it('spends nothing unasked, and no more than is allowed for both together', async () => {
    const { sandbox, pipeline } = await fixture()
    const unasked = await pipeline([])
    assert.equal(unasked.code, 3)
    assert.match(unasked.stderr, /pipeline: cloudtrail: copy [\s\S]*needs a confirmation.*\nwaf: copy/)
    assert.equal(sandbox.requests.of('CopyObject'), 0)
    const { result } = await pipeline(['--dry-run'])
    const costs = BOTH.map((source) => Number(result.steps[source].stage.estimatedUsd))
    // Enough for either, and not for both.
    const limit = String(Math.max(...costs) + Math.min(...costs) / 2)
    const little = await pipeline(['--max-cost', limit])
    assert.equal(little.code, 3, little.stderr)
    assert.match(little.stderr, /would cost about .*, and earlier steps have used .* of --max-cost/)
    assert.deepEqual(sandbox.sagemaker.names().trainingJobs, [])
    assert.deepEqual(sandbox.violations, [])
  })

  it('Ctrl-C stops both, and the same command makes nothing twice', async () => {
    const { sandbox, pipeline, pages } = await fixture()
    let isStopped = false
    const stopped = await pipeline(['--yes'], {
      onStderr: (soFar, kill) => {
        if (!isStopped && soFar.includes('extract: done')) kill('SIGINT')
        isStopped ||= soFar.includes('extract: done')
      },
    })
    assert.equal(stopped.code, 130, stopped.stderr)
    assert.doesNotMatch(stopped.stderr, /failed/)
    assert.deepEqual(pages(), [])
    const { code, stderr } = await pipeline()
    assert.equal(code, 0, stderr)
    const { endpoints, configs, models, trainingJobs } = sandbox.sagemaker.names()
    assert.deepEqual([endpoints.length, configs.length, models.length, trainingJobs.length], [2, 2, 2, 2])
    assert.deepEqual(sandbox.violations, [])
  })

  it('on a terminal one question at a time stands, and a no to one is none to the other', { skip }, async () => {
    const { sandbox, args, page } = await fixture()
    const answered: string[] = []
    let asked = 0
    const script = [process.execPath, scriptPath('pipeline'), '--workspace', WORKSPACE, ...args]
    const { said, code } = await onTerminal(script, {
      env: sandbox.env,
      onSaid: (soFar, type) => {
        const questions = soFar.split('[y/N] ')
        if (questions.length - 1 === asked) return
        asked += 1
        const [question = ''] = /(cloudtrail|waf): \w+/.exec(questions.at(-2)?.split('\n').at(-1) ?? '') ?? []
        answered.push(question)
        // Time for the other one to speak out of turn.
        setTimeout(() => type(question.startsWith('waf') ? 'n\r' : 'y\r'), 300)
      },
    })
    assert.equal(code, 3, said)
    const own = ['copy', 'scan', 'train', 'deploy', 'score'].map((what) => `cloudtrail: ${what}`)
    const asks = [...own, 'waf: copy']
    assert.deepEqual(answered.toSorted(), asks.toSorted())
    for (const answer of said.split('[y/N] ').slice(1)) assert.doesNotMatch(answer.split('\n')[0] ?? '', /: /)
    assert.match(said, /waf failed: declined/)
    assert.match(await page(), /AWS WAF failed\.[\s\S]*declined/)
    assert.deepEqual(sandbox.violations, [])
  })
})
