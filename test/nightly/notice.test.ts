import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { publishNotice } from '../../scripts/lib/aws/sns.ts'
import type { Judged, Night } from '../../scripts/lib/runs/nights.ts'
import { type End, noticeOf } from '../../scripts/nightly/render.ts'
import { type Sandbox, startSandbox } from '../sandbox/start.ts'

const JUDGED: Judged = {
  run: 'cloudtrail-a',
  model: 'cloudtrail-m',
  trained: null,
  events: 10,
  accesses: 9,
  dropped: {},
  scored: 8,
  unseen: 1,
  sparse: 0,
  flagged: 0,
  unfit: 0,
  budget: 5,
  told: [],
  goingOn: 0,
  capped: 0,
  drift: null,
  report: 'runs/cloudtrail-m/report-a.html',
  findings: [],
}
const ALERT = { entity: 'a', ip: '203.0.113.9', name: 'ann\n', account: '', call: '', anomalyScore: 1, reason: '' }
const DRIFT = { isTold: true, kinds: [], reasons: ['all moved'], accounts: [], entities: [], networks: [] }

const night = (judged: Judged | null): Night => ({
  version: 1,
  source: 'cloudtrail',
  from: '2026-03-05T00:00:00.000Z',
  to: '2026-03-06T00:00:00.000Z',
  at: '2026-03-06T02:30:00.000Z',
  state: judged === null ? 'no-logs' : 'judged',
  judged,
})
const ended = (...nights: Night[]): End => ({
  source: 'cloudtrail',
  nights,
  model: undefined,
  page: 's3://ws/reports/cloudtrail.html',
})

describe('what a topic is told of a night', () => {
  it('nothing when there is nothing to look at', () => {
    assert.equal(noticeOf([ended(night(JUDGED), night({ ...JUDGED, drift: { ...DRIFT, isTold: false } }))]), undefined)
    assert.equal(noticeOf([ended()]), undefined)
  })

  const told: [what: string, judged: Judged | null, subject: string, text: RegExp][] = [
    [
      'alerts',
      { ...JUDGED, told: [ALERT, ALERT] },
      'prestage: 2 new alerts',
      /203\.0\.113\.9[\s\S]*\ns3:\/\/ws\/reports\/cloudtrail\.html$/,
    ],
    ['drift', { ...JUDGED, drift: DRIFT }, 'prestage: the model no longer fits', /all moved/],
    ['a day without logs', null, 'prestage: a day was not judged', /nothing was judged: there are no logs of it\n/],
  ]
  for (const [what, judged, subject, text] of told)
    it(what, () => {
      const notice = noticeOf([ended(night(judged))])
      assert.equal(notice?.subject, subject)
      assert.match(notice?.text ?? '', text)
    })

  it('all at once, and what has failed besides', () => {
    const failure = {
      source: 'waf',
      message: 'no such bucket',
      hint: 'name another',
      exitCode: 1,
      bug: undefined,
    } as const
    const nights = ended(night(null), night({ ...JUDGED, told: [ALERT], drift: DRIFT }))
    const notice = noticeOf([nights, failure])
    assert.equal(notice?.subject, 'prestage: 1 new alert, the model no longer fits, a day was not judged')
    assert.match(notice?.text ?? '', /\nwaf: failed: no such bucket\n {2}name another\n/)
  })
})

describe('a notice', () => {
  let sandbox: Sandbox
  const topic = 'arn:aws:sns:eu-west-1:111122223333:nights'
  before(async () => {
    sandbox = await startSandbox()
    for (const [name, value] of Object.entries(sandbox.env)) if (name !== 'AWS_ENDPOINT_URL') process.env[name] = value
  })
  after(() => sandbox.close())
  const send = (subject: string, text: string) => publishNotice({ endpointUrl: sandbox.url }, topic, { subject, text })

  it('is cut to what SNS takes', async () => {
    await send(`ä${'b'.repeat(200)}`, 'ä'.repeat(200_000))
    const [{ subject, message } = { subject: '', message: '' }] = sandbox.codebuild.messages
    assert.equal(subject, `?${'b'.repeat(98)}`)
    assert.ok(Buffer.byteLength(message) <= 262_144)
    assert.deepEqual(sandbox.violations, [])
  })

  it('that may not be sent says which right is missing', async () => {
    sandbox.s3.deny({ action: 'sns:Publish' })
    await assert.rejects(send('a', 'b'), /topic arn:aws:sns.*lacks sns:Publish/)
  })
})
