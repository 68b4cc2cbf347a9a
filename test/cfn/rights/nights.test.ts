import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import type { Access } from '../../sandbox/access.ts'
import { lookAtAlarms } from '../../sandbox/codebuild/alarms.ts'
import { runNight } from '../../sandbox/codebuild/run.ts'
import { ROOT } from '../../support/run-script.ts'
import { simulatedLogs } from '../../support/simulated.ts'
import { tempFolder } from '../../support/temp.ts'
import { ACCOUNT, ADMIN_ARN, LOGS_KEY, OPERATOR_ARN, REGION, startAccount } from './account.ts'
import type { Judgement } from './judge.ts'
import { type Policies, policiesOf } from './policies.ts'
import { judged, needless, refused } from './proof.ts'

const HUB = `arn:aws:securityhub:${REGION}:${ACCOUNT}:product/${ACCOUNT}/default`
const DAY = 86_400_000
/** CloudTrail delivers for an hour: until then the last whole day is that before. */
const day = (ago: number) => new Date(Date.now() - 3_600_000 - ago * DAY).toISOString().slice(0, 10)
const FAST = ['--poll', '0.05', '--yes']

/** What npm asks before the registry. */
const fromCache = () => ({
  npm_config_cache: execFileSync('npm', ['config', 'get', 'cache']).toString().trim(),
  npm_config_prefer_offline: 'true',
})

/** An `aws` that copies from S3 with the credentials of its environment, and notes what Security Hub is given. */
function fakeCli(): { path: string; imported: () => { Id: string }[] } {
  const path = tempFolder()
  const script = `#!/usr/bin/env node
const fs = require('node:fs')
const [service, , from, to] = process.argv.slice(2)
if (service === 's3') {
  const { S3Client, GetObjectCommand } = require('${ROOT}node_modules/@aws-sdk/client-s3')
  const [, Bucket, Key] = /^s3:..([^/]+).(.*)$/.exec(from)
  new S3Client({ forcePathStyle: true }).send(new GetObjectCommand({ Bucket, Key }))
    .then(({ Body }) => Body.transformToString()).then((text) => fs.writeFileSync(to, text))
} else {
  const text = fs.readFileSync(process.argv.at(process.argv.indexOf('--findings') + 1).replace('file://', ''), 'utf8')
  fs.writeFileSync('${path}/imported', text)
  console.log(JSON.stringify({ SuccessCount: JSON.parse(text).length }))
}`
  writeFileSync(`${path}/aws`, script)
  chmodSync(`${path}/aws`, 0o755)
  return { path, imported: () => JSON.parse(readFileSync(`${path}/imported`, 'utf8')) }
}

const CLI = 'the AWS CLI of the image imports the findings, and the sandbox has no Security Hub'
const exceptions = {
  'NightRole ImportFindings: securityhub:BatchImportFindings': CLI,
  [`NightRole ImportFindings: ${HUB}`]: CLI,
}

describe('a night in CodeBuild, whose npm ci installs from the cache of this machine', async () => {
  const { sandbox, setup, run } = await startAccount()
  const { codebuild, s3, cloudformation } = sandbox
  before(async () => {
    const logs = { from: day(4), to: day(-1), sources: ['cloudtrail'], events: 3000, seed: 7 }
    await s3.load('org-logs', await simulatedLogs(logs))
    await setup(['--read-logs', 's3://org-logs/AWSLogs', '--logs-key', LOGS_KEY, '--encryption', 'kms', ...FAST])
    const night = ['--source', 'cloudtrail', '--history', '3d', '--alerts-per-day', '5', '--security-hub', 'on']
    await setup(['--nightly', '02:30', '--max-cost', '2', ...night, '--notify', 'sec@example.com', ...FAST])
  })
  after(() => sandbox.close())
  after(() => assert.deepEqual(sandbox.violations, []))

  it('trains, judges yesterday, tells the topic of the alerts, and imports the findings', async () => {
    const { path, imported } = fakeCli()
    const yesterday = day(1)
    const build = await runNight(sandbox, { env: fromCache(), path: [path] })
    assert.equal(build.status, 'SUCCEEDED', build.output)
    assert.ok(imported().length > 0)
    assert.match(build.output, new RegExp(`\n${imported().length} imported\n`))
    const [{ subject, message } = { subject: '', message: '' }, ...others] = codebuild.messages
    assert.deepEqual(others, [])
    assert.match(subject ?? '', /^prestage: [1-5] new alerts?$/)
    // The hour may end while the night runs.
    assert.match(message, new RegExp(`^cloudtrail (${yesterday}|${day(1)}): .*new tonight`))
    assert.match(
      message,
      /pairs judged[\s\S]*\nAll nights, with a report of each day:\ns3:\/\/.*\/reports\/cloudtrail\.html$/,
    )
    assert.match(JSON.stringify((await run('setup', ['--check'])).findings), /UTC SUCCEEDED after/)
  })

  it('tells the topic when none begins for more than a day', () => {
    lookAtAlarms(codebuild)
    const [build] = codebuild.builds
    Object.assign(build ?? {}, { started: new Date(Date.now() - 1.5 * DAY) })
    lookAtAlarms(codebuild)
    assert.match(codebuild.messages.at(-1)?.message ?? '', /No night of prestage began/)
  })

  it('tells the topic when it fails', () => {
    codebuild.end(codebuild.add('prestage-nightly'), 'STOPPED')
    assert.match(codebuild.messages.at(-1)?.message ?? '', /ended as STOPPED/)
  })

  describe('of all the calls', () => {
    let [policies, judgements]: [Policies, Judgement[]] = [{ identities: {}, names: {}, resources: {} }, []]
    const arnOf = (who: string) => Object.entries(policies.names).find(([, name]) => name === who)?.[0] ?? ''
    const own = ['night', 'start', 'OperatorNightlyPolicy']
    before(async () => {
      const stacks = ['prestage', 'prestage-nightly'].map((name) => cloudformation.stack(name))
      policies = policiesOf(stacks, { account: ACCOUNT, region: REGION, operator: OPERATOR_ARN })
      const accesses = s3.state.accesses.all.filter(({ principal }) => principal !== ADMIN_ARN)
      judgements = await judged(policies, ACCOUNT, accesses)
    })

    it('every one is allowed', () => {
      const who = new Set(judgements.map(({ access }) => policies.names[access.principal] ?? access.principal))
      for (const one of ['NightRole', 'ScheduleRole', 'codebuild.amazonaws.com', 'scheduler.amazonaws.com'])
        assert.ok(who.has(one), one)
      for (const one of ['events.amazonaws.com', 'cloudwatch.amazonaws.com']) assert.ok(who.has(one), one)
      assert.deepEqual(refused(judgements), [])
    })

    it('every action and every resource of the policies of the nights is needed by one', () => {
      const identities = Object.entries(policies.identities).map(([who, all]) => [
        who,
        Object.fromEntries(Object.entries(all).filter(([name]) => own.includes(name))),
      ])
      assert.deepEqual(
        needless({ ...policies, identities: Object.fromEntries(identities) }, judgements, exceptions),
        [],
      )
    })

    it('besides them, the role of the nights has the two policies of an operator, and nothing else', () =>
      assert.deepEqual(Object.keys(policies.identities.NightRole ?? {}).toSorted(), [
        'OperatorModelPolicy',
        'OperatorPolicy',
        'night',
      ]))

    it('nobody may touch what is not theirs', async () => {
      const [night, schedule, operator] = [arnOf('NightRole'), arnOf('ScheduleRole'), OPERATOR_ARN]
      const project = `arn:aws:codebuild:${REGION}:${ACCOUNT}:project`
      const topic = `arn:aws:sns:${REGION}:${ACCOUNT}`
      const rule = `arn:aws:events:${REGION}:${ACCOUNT}:rule/other`
      const [own = ''] = Object.keys(policies.resources).filter((arn) => arn.startsWith('arn:aws:sns:'))
      const from = (account: string) => ({ 'aws:SourceAccount': account })
      const strangers: [who: string, action: string, resource: string, context?: Access['context']][] = [
        [schedule, 'codebuild:StartBuild', `${project}/other`],
        [schedule, 'codebuild:StopBuild', `${project}/prestage-nightly`],
        [night, 'codebuild:UpdateProject', `${project}/prestage-nightly`],
        [night, 'codebuild:StartBuild', `${project}/prestage-nightly`],
        [night, 'sns:Publish', `${topic}:other`],
        [night, 'sns:Subscribe', own],
        [night, 'logs:PutLogEvents', `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:other:log-stream:a`],
        [night, 's3:GetObjectVersion', 'arn:aws:s3:::org-logs/AWSLogs/a'],
        [night, 'iam:PassRole', night, { 'iam:PassedToService': 'codebuild.amazonaws.com' }],
        [night, 'securityhub:BatchImportFindings', HUB.replace('/default', '/other')],
        [operator, 'codebuild:StartBuild', `${project}/prestage-nightly`],
        [operator, 'codebuild:BatchGetBuilds', `${project}/other`],
        [operator, 'sns:Publish', own],
        ['events.amazonaws.com', 'sns:Publish', own, { 'aws:SourceArn': rule }],
        ['cloudwatch.amazonaws.com', 'sns:Publish', own, { 'aws:SourceArn': rule.replace('events', 'cloudwatch') }],
        ['lambda.amazonaws.com', 'sts:AssumeRole', night, from(ACCOUNT)],
        ['codebuild.amazonaws.com', 'sts:AssumeRole', night, from('999999999999')],
        ['codebuild.amazonaws.com', 'sts:AssumeRole', schedule, from(ACCOUNT)],
        ['scheduler.amazonaws.com', 'sts:AssumeRole', schedule, from('999999999999')],
      ]
      const calls = strangers.map(([principal, action, resource, context = {}]): Access => {
        return { principal, action, resource, context, operation: 'a stranger' }
      })
      const allowed = (await judged(policies, ACCOUNT, calls)).filter(({ isAllowed }) => isAllowed)
      assert.deepEqual(
        allowed.map(({ says }) => says),
        [],
      )
    })
  })
})
