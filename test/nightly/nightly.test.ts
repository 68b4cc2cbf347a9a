import assert from 'node:assert/strict'
import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { command as extract } from '../../scripts/extract/command.ts'
import { type Context, silentContext } from '../../scripts/lib/cli/command.ts'
import { take } from '../../scripts/lib/cli/take.ts'
import { withLock } from '../../scripts/lib/runs/lock.ts'
import { nightsOf } from '../../scripts/lib/runs/nights.ts'
import { folderStore } from '../../scripts/lib/stores/folder.ts'
import { command } from '../../scripts/nightly/command.ts'
import { command as score } from '../../scripts/score/command.ts'
import { command as stage } from '../../scripts/stage/command.ts'
import { startSandbox } from '../sandbox/start.ts'
import { dayAfter, daysFrom, deliver } from '../support/month.ts'
import { tempFolder } from '../support/temp.ts'
import { thisProcess } from '../support/waiting.ts'

const FIRST = '2026-03-01'
const DAY = 86_400_000

/** A place with logs, and the nights over it. */
function place() {
  const [logs, workspace] = [tempFolder(), tempFolder()]
  const said: string[] = []
  const note = (text: string) => void said.push(text)
  /** The night after a day. */
  const night = (day: string, more: object = {}, context: Partial<Context> = {}) =>
    take(
      command,
      silentContext({
        now: () => new Date(`${dayAfter(day)}T02:30:00Z`),
        talk: { info: note, warn: note, detail: note },
        owner: thisProcess.owner,
        ...context,
      }),
      { source: ['cloudtrail'], logs, workspace, alertsPerDay: 5, history: 4 * DAY, ...more },
    )
  const notes = () => nightsOf(folderStore(workspace), 'cloudtrail')
  const model = () => JSON.parse(readFileSync(`${workspace}/models/cloudtrail.json`, 'utf8'))
  return { logs, workspace, said, night, notes, model }
}

describe('nights on this machine', () => {
  const { logs, workspace, said, night, notes, model } = place()
  before(() => deliver(logs, daysFrom(FIRST, 9)))

  it('the first one trains a model and judges yesterday', async () => {
    const { text, exitCode, json } = await night('2026-03-05')
    assert.match(text, /^cloudtrail 2026-03-05: \d+ new alerts?; \d+ pairs judged, .* not; model of .*, new tonight$/m)
    assert.equal(exitCode, 0)
    const [only] = await notes()
    assert.deepEqual([only?.state, only?.judged?.trained?.why, model().why], ['judged', 'none', 'none'])
    assert.equal(model().tried.to, '2026-03-05T00:00:00.000Z')
    assert.ok((only?.judged?.told.length ?? 0) <= 5)
    assert.equal(json.alerts, only?.judged?.told.length)
    assert.ok(existsSync(`${workspace}/${only?.judged?.report}`))
  })

  it('the same night again has nothing to do', async () => {
    const { text, exitCode } = await night('2026-03-05', { failOnAlerts: true })
    assert.match(text, /nothing to judge: every day up to now is judged/)
    assert.equal(exitCode, 0)
  })

  it('the next one judges with the same model; with --fail-on-alerts, alerts are exit code 5', async () => {
    const before = model()
    const { exitCode } = await night('2026-03-06', { failOnAlerts: true })
    const judged = (await notes()).at(-1)?.judged
    assert.deepEqual([model(), judged?.trained], [before, null])
    assert.ok((judged?.told.length ?? 0) > 0)
    assert.equal(exitCode, 5)
  })

  it('score --model current judges with it, without an id', async () => {
    const context = silentContext({ talk: { info: (text) => said.push(text), warn: () => {}, detail: () => {} } })
    const { json } = await take(score, context, { workspace, model: 'current', fromRun: 'latest', alertsPerDay: 5 })
    assert.equal(json.run, model().run)
    await assert.rejects(take(score, context, { workspace, model: 'current', run: model().run }), /contradict/)
    await assert.rejects(take(score, context, { workspace, model: 'current', source: ['waf'] }), /no model of waf/)
  })

  it('a day whose pairs another command has divided is judged all the same', async () => {
    const window = { source: 'cloudtrail', logs, from: '2026-03-07', to: '2026-03-08', workspace }
    const { json } = await take(stage, silentContext(), window)
    await take(extract, silentContext(), { ...window, run: json.run })
    await night('2026-03-07')
    assert.ok(((await notes()).at(-1)?.judged?.scored ?? 0) > 100)
  })

  it('days that were missed are made up for, oldest first', async () => {
    await night('2026-03-09')
    assert.deepEqual(
      (await notes()).map(({ from }) => from.slice(8, 10)),
      ['05', '06', '07', '08', '09'],
    )
  })

  it('beyond --catch-up they are left out, and told once', async () => {
    deliver(logs, daysFrom('2026-03-10', 4))
    const { text } = await night('2026-03-13', { catchUp: 1, retrain: 30 * DAY })
    assert.match(
      text,
      /2026-03-10: nothing was judged: it is beyond --catch-up\n.*2026-03-11: nothing .*\n.*2026-03-12: /,
    )
    assert.match(said.join('\n'), /2 missed days beyond --catch-up 1 are left out: 2026-03-10, 2026-03-11; --day DATE/)
    const again = await night('2026-03-13', { catchUp: 1, retrain: 30 * DAY })
    assert.match(again.text, /nothing to judge/)
    await night('2026-03-13', { day: '2026-03-10', retrain: 30 * DAY })
    assert.deepEqual(
      (await notes()).map(({ state }) => state),
      [...Array.from({ length: 6 }, () => 'judged'), 'left-out', 'judged', 'judged'].toSorted(
        (a, b) => 0 * (a.length - b.length),
      ),
    )
  })

  it('a day of long ago is kept as long as one of yesterday', async () => {
    await night('2026-09-01', { day: '2026-03-11', retrain: 30 * DAY })
    const old = (await notes()).find(({ from }) => from.startsWith('2026-03-11'))?.judged
    assert.ok(existsSync(`${workspace}/${old?.report}`))
    // The others were judged long ago, and are gone with their runs.
    assert.deepEqual(readdirSync(`${workspace}/nights/cloudtrail`), ['2026-03-11.json'])
    assert.deepEqual(
      readdirSync(`${workspace}/runs`).sort(),
      [old?.model, model().replaced?.run, old?.run].filter(Boolean).sort(),
    )
  })

  it('two at once: the second stops', async () => {
    const store = folderStore(workspace).within('nights/cloudtrail/')
    await withLock(store, { ...thisProcess, step: 'nightly', place: 'source' }, async () =>
      assert.rejects(night('2026-03-14'), /another process is at this source: nightly, process \d+ on /),
    )
  })
})

describe('a new model', () => {
  const { logs, workspace, night, notes, model } = place()
  before(() => deliver(logs, daysFrom(FIRST, 12)))

  it('is trained when the last training is old, and --rollback brings the one before back', async () => {
    await night('2026-03-05')
    const first = model().run
    await night('2026-03-07', { retrain: 2 * DAY })
    const [, second, third] = await notes()
    assert.deepEqual([second?.judged?.trained, third?.judged?.trained?.why], [null, 'age'])
    const { tried } = model()
    assert.ok(tried.challenger.auc > 0.5 && tried.champion.auc > 0.5)
    assert.equal(model().run, tried.isBetter ? tried.run : first)
    if (!tried.isBetter) return
    const { text } = await night('2026-03-07', { rollback: true })
    assert.equal(text, `cloudtrail  judges with the model of ${first} instead of ${tried.run}`)
    assert.deepEqual([model().run, model().why, model().replaced.run], [first, 'rollback', tried.run])
    await night('2026-03-08', { retrain: 7 * DAY })
    assert.equal((await notes()).at(-1)?.judged?.model, first)
  })

  it('that is worse on the same holdout and the same made-up attacks leaves the old one in service', async () => {
    const before = model()
    // Trained on next to nothing.
    for (const day of daysFrom('2026-03-08', 3)) hide(day)
    await night('2026-03-12', { retrain: DAY, history: DAY * 2, catchUp: 0 })
    assert.equal(model().run, before.run)
  })

  function hide(day: string): void {
    const folder = `${logs}/AWSLogs/111122223333/CloudTrail/us-east-1/${day.replaceAll('-', '/')}`
    if (existsSync(folder)) renameSync(folder, `${workspace}/${day}`)
  }
})

describe('a day without logs', () => {
  const { logs, workspace, said, night, notes } = place()
  before(() => deliver(logs, [...daysFrom(FIRST, 5), '2026-03-07']))

  it('is told once, and judged when they come late', async () => {
    await night('2026-03-05')
    const { text, exitCode } = await night('2026-03-06', { failOnAlerts: true })
    assert.match(text, /2026-03-06: nothing was judged: there are no logs of it/)
    assert.equal(exitCode, 5)
    const next = await night('2026-03-07')
    assert.doesNotMatch(next.text, /2026-03-06/)
    deliver(logs, ['2026-03-06', '2026-03-08'])
    const late = await night('2026-03-08')
    assert.match(late.text, /^cloudtrail 2026-03-06: .*judged.*\n(.*\n)*cloudtrail 2026-03-08: /)
    assert.ok((await notes()).every(({ state }) => state === 'judged'))
    assert.equal(readdirSync(`${workspace}/nights/cloudtrail`).length, 4)
  })

  it('is judged again by --day, with files that have come late', async () => {
    const again = async () => {
      said.splice(0)
      const { text } = await night('2026-03-08', { day: '2026-03-08' })
      assert.match(text, /^cloudtrail 2026-03-08: .* pairs judged/)
      return { judged: (await notes()).at(-1)?.judged ?? assert.fail(), says: said.join('\n') }
    }
    const before = await again()
    assert.match(before.says, /no record of 2026-03-08 has come since it was judged/)
    const folder = `${logs}/AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/08`
    const [file = ''] = readdirSync(folder)
    copyFileSync(`${folder}/${file}`, `${folder}/${file.replace('T2355Z', 'T2350Z')}`)
    const after = await again()
    assert.match(after.says, /720 records of 2026-03-08 have come since it was judged/)
    assert.equal(after.judged.events, before.judged.events + 720)
    assert.deepEqual(
      after.judged.told.map(({ entity }) => entity),
      before.judged.told.map(({ entity }) => entity),
    )
    assert.deepEqual((await again()).judged, after.judged)
  })

  describe('what a topic could not be told', async () => {
    const sandbox = await startSandbox()
    const topic = 'arn:aws:sns:eu-west-1:111122223333:nights'
    before(() => Object.assign(process.env, sandbox.env))
    after(() => {
      for (const name of Object.keys(sandbox.env)) delete process.env[name]
      return sandbox.close()
    })
    const told = (day: string) => night(day, { topic, endpointUrl: sandbox.url, awsRegion: 'eu-west-1' })

    it('is told by the next start, and once', async () => {
      const restore = sandbox.s3.deny({ action: 'sns:Publish' })
      await assert.rejects(told('2026-03-09'), /lacks sns:Publish/)
      assert.equal((await notes()).at(-1)?.isUntold, true)
      restore()
      const { text } = await told('2026-03-09')
      assert.match(text, /^cloudtrail 2026-03-09: nothing was judged: there are no logs of it$/)
      assert.match(said.join('\n'), /cloudtrail 2026-03-09 is told now: an earlier start ended before that/)
      assert.ok((await notes()).every(({ isUntold }) => isUntold === undefined))
      await told('2026-03-09')
      assert.deepEqual(
        sandbox.codebuild.messages.map(({ subject }) => subject),
        ['prestage: a day was not judged'],
      )
    })

    it('is told as it is by then', async () => {
      const restore = sandbox.s3.deny({ action: 'sns:Publish' })
      await assert.rejects(told('2026-03-10'), /lacks sns:Publish/)
      restore()
      deliver(logs, ['2026-03-10'])
      const { text } = await told('2026-03-10')
      assert.match(text, /^cloudtrail 2026-03-10: .* pairs judged/)
      assert.doesNotMatch(text, /nothing was judged/)
      assert.deepEqual([(await notes()).at(-1)?.state, (await notes()).at(-1)?.isUntold], ['judged', undefined])
    })
  })

  it('is an error where nothing was ever judged', async () => {
    const other = place()
    await assert.rejects(other.night('2026-03-05'), /no cloudtrail logs|has no cloudtrail/)
  })
})
