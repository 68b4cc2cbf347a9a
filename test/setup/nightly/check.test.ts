import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { lookAtAlarms } from '../../sandbox/codebuild/alarms.ts'
import { fixture } from '../sandbox.ts'

type Finding = { what: string; ok: boolean; says: string; hint?: string }

const [HOUR, DAY] = [3_600_000, 86_400_000]
const now = Date.now()
/** So long ago, as a time of day. */
const timeOfDay = (ago: number) => new Date(now - ago).toISOString().slice(11, 16)
/** Nights are due at this time. */
const DUE = timeOfDay(2 * HOUR)

describe('setup --check of nights', async () => {
  let time = now
  const { sandbox, setup, existingStack } = await fixture({ now: () => new Date(time) })
  const { codebuild, cloudformation, s3 } = sandbox
  before(async () => {
    await existingStack()
    s3.put('org-logs', 'AWSLogs/a.json.gz', 'x')
  })
  after(() => assert.deepEqual(sandbox.violations, []))
  const check = async () => {
    const { code, result } = await setup(['--check'])
    const findings = result.findings as Finding[]
    return { code, of: (what: string) => findings.find((finding) => finding.what === what) }
  }
  /** A night that began so long ago, and took 100 seconds. */
  const night = (ago: number, status: string) => {
    time = now - ago
    const build = codebuild.add('prestage-nightly')
    time += 100_000
    if (status !== 'IN_PROGRESS') codebuild.end(build, status)
    time = now
  }

  it('tells nothing where there are none', async () => {
    assert.equal((await check()).of('nightly'), undefined)
  })

  it('tells when they are, and that there was none yet', async () => {
    await setup(['--nightly', DUE, '--source', 'waf', '--yes'])
    const { code, of } = await check()
    assert.equal(code, 0)
    assert.deepEqual(of('nightly'), { what: 'nightly', ok: true, says: `${DUE} UTC: nightly.mjs --source waf --yes` })
    assert.equal(of('last nights')?.says, 'none yet')
  })

  it('tells how the last ones ended, newest first', async () => {
    night(2.1 * DAY, 'FAILED')
    night(1.1 * DAY, 'SUCCEEDED')
    night(DAY / 10, 'IN_PROGRESS')
    const { code, of } = await check()
    assert.equal(code, 0)
    assert.match(
      of('last nights')?.says ?? '',
      /^\S+ \S+ UTC IN_PROGRESS; \S+ \S+ UTC SUCCEEDED after 1 min 40 s; \S+ \S+ UTC FAILED after 1 min 40 s$/,
    )
  })

  it('says where to look when the last one did not end well', async () => {
    const running = codebuild.builds.at(-1) ?? assert.fail()
    codebuild.end(running, 'TIMED_OUT')
    const { code, of } = await check()
    assert.equal(code, 1)
    assert.match(of('last nights')?.says ?? '', /^the last one did not end well: \S+ \S+ UTC TIMED_OUT/)
    assert.match(of('last nights')?.hint ?? '', /look at its log: https:\/\/console\.aws/)
  })

  /** The nights were set up long ago, unless they were put to another time since. */
  const age = (updated?: Date) =>
    Object.assign(cloudformation.stack('prestage-nightly'), { created: new Date(now - 30 * DAY), updated })

  it('says when the last one is older than the one that was due', async () => {
    age()
    codebuild.builds.splice(0)
    night(25 * HOUR, 'SUCCEEDED')
    const { code, of } = await check()
    assert.equal(code, 1)
    assert.match(
      of('last nights')?.says ?? '',
      new RegExp(`^none began since \\S+ ${DUE} UTC, when the last one was due: .* SUCCEEDED`),
    )
    assert.match(of('last nights')?.hint ?? '', /aws scheduler list-schedules/)
  })

  it('says when none has ever begun', async () => {
    codebuild.builds.splice(0)
    const { code, of } = await check()
    assert.equal(code, 1)
    assert.match(of('last nights')?.says ?? '', /^none began since .*: none yet$/)
  })

  it('does not say so of nights that were put to another time since', async () => {
    age(new Date(now - HOUR))
    assert.equal((await check()).code, 0)
  })

  it('does not say so while the night may still begin', async () => {
    await setup(['--nightly', timeOfDay(HOUR), '--yes'])
    age()
    night(24.9 * HOUR, 'SUCCEEDED')
    const { of } = await check()
    assert.equal(of('last nights')?.ok, true, of('last nights')?.says)
    codebuild.builds.splice(0)
    night(25.1 * HOUR, 'SUCCEEDED')
    assert.equal((await check()).of('last nights')?.ok, false)
    codebuild.builds.splice(0)
    await setup(['--nightly', DUE, '--yes'])
  })

  it('finds the last one after a year of nights', async () => {
    for (let days = 101; days > 0; days--) night((days - 0.5) * DAY, days === 2 ? 'STOPPED' : 'SUCCEEDED')
    const { of } = await check()
    codebuild.builds.splice(0)
    assert.match(
      of('last nights')?.says ?? '',
      /^\S+ \S+ UTC SUCCEEDED[^;]*; \S+ \S+ UTC STOPPED(.*SUCCEEDED){3}[^;]*$/,
    )
  })

  it('need nobody who asks: an alarm tells when none has begun for more than a day, and once', () => {
    codebuild.messages.splice(0)
    lookAtAlarms(codebuild)
    assert.deepEqual(codebuild.messages, [])
    night(2 * HOUR, 'SUCCEEDED')
    for (const later of [0, 23 * HOUR, 25 * HOUR, 30 * HOUR]) {
      time = now + later
      lookAtAlarms(codebuild)
    }
    time = now
    codebuild.builds.splice(0)
    const [{ subject, message } = { subject: '', message: '' }, ...others] = codebuild.messages
    assert.deepEqual(others, [])
    assert.match(subject ?? '', /^INSUFFICIENT_DATA: "prestage-nightly-/)
    assert.match(message, /No night .* began for more than a day\. .*setup\.mjs --check --stack prestage/)
  })

  it('says when they run another version', async () => {
    const stack = cloudformation.stack('prestage-nightly')
    const { target } = stack
    const Archive = 'prestage/nightly/prestage-0000000000000000.zip'
    stack.target = { ...target, parameters: { ...target.parameters, Archive } }
    const { code, of } = await check()
    stack.target = target
    assert.equal(code, 1)
    assert.equal(of('nightly')?.says, 'the nights run another version than this one')
    assert.match(of('nightly')?.hint ?? '', /^npx zx scripts\/setup\.mjs --stack prestage --nightly \d\d:\d\d puts/)
  })

  it('says what is wrong with their stack', async () => {
    const stack = cloudformation.stack('prestage-nightly')
    stack.status = 'UPDATE_ROLLBACK_FAILED'
    const { of } = await check()
    stack.status = 'CREATE_COMPLETE'
    assert.match(of('nightly')?.says ?? '', /stack prestage-nightly is UPDATE_ROLLBACK_FAILED/)
  })

  it('tells nothing of them to whoever may not know', async () => {
    const restore = s3.deny({ action: 'cloudformation:DescribeStacks', resource: 'prestage-nightly' })
    const { code, of } = await check()
    restore()
    assert.equal(code, 0)
    assert.equal(of('nightly'), undefined)
  })

  it('says which right is missing to look at the nights', async () => {
    const restore = s3.deny({ action: 'codebuild:ListBuildsForProject' })
    const { code, of } = await check()
    restore()
    assert.equal(code, 1)
    assert.match(of('last nights')?.says ?? '', /lacks codebuild:ListBuildsForProject/)
  })
})
