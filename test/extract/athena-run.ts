import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import type { Sandbox } from '../sandbox/start.ts'
import { athenaSandbox, linesAt } from '../support/athena-sandbox.ts'
import { placeInS3 } from '../support/run-places.ts'
import { stagedRun } from '../support/staged-run.ts'
import { tempFolder } from '../support/temp.ts'

export const KEY =
  'AWSLogs/012345678901/CloudTrail/us-east-1/2026/03/02/012345678901_CloudTrail_us-east-1_20260302T1005Z_a.json.gz'

export const event = (hour: number, name: string, ip: string) => ({
  eventTime: `2026-03-02T${String(hour).padStart(2, '0')}:00:00Z`,
  eventID: `${hour}-${name}-${ip}`,
  eventType: 'AwsApiCall',
  sourceIPAddress: ip,
  userIdentity: {
    type: 'IAMUser',
    principalId: name,
    arn: `arn:aws:iam::012345678901:user/${name}`,
    accountId: '012345678901',
  },
})

export const EVENTS = [
  event(1, 'AIDA1', '8.8.8.8'),
  event(2, 'AIDA1', '8.8.8.8'),
  event(3, 'o.x', '8.8.4.4'),
  event(22, 'AIDA1', '9.9.9.9'),
]
const TRAIN = ['AIDA1,8.8.8.8', 'AIDA1,8.8.8.8', 'o%2Ex,8.8.4.4']
const HOLDOUT = ['AIDA1,9.9.9.9']

export const fileOf = (records: readonly unknown[]): Buffer => gzipSync(JSON.stringify({ Records: records }))

/** A run that is staged in S3: in the workspace `prestage`, or in another one. */
export async function stagedIn(sandbox: Sandbox, workspace: string, body: Buffer): Promise<string> {
  const run = await stagedRun(tempFolder(), { [KEY]: body })
  const put = (key: string, content: Buffer) =>
    sandbox.s3.put('org-staging', `${workspace}/${placeInS3(run.id, key)}`, content)
  put(`staged/${KEY}`, body)
  put('run.json', readFileSync(run.path('run.json')))
  return run.id
}

/** A sandbox with a run that is staged, and what extraction should make of it. */
export async function fixture(settings: Parameters<typeof athenaSandbox>[0] = {}, body: Buffer = fileOf(EVENTS)) {
  const { sandbox, run } = await athenaSandbox(settings)
  const id = await stagedIn(sandbox, 'prestage', body)
  const extract = (args: readonly string[] = ['--yes'], options: Parameters<typeof run>[2] = {}) =>
    run('extract', args, options)
  const assertExtracted = async (tables = ['prestage.cloudtrail']) => {
    assert.deepEqual(await linesAt(sandbox, id, 'pairs/train/'), TRAIN)
    assert.deepEqual(await linesAt(sandbox, id, 'pairs/holdout/'), HOLDOUT)
    assert.deepEqual(await linesAt(sandbox, id, 'entities.csv'), ['AIDA1,2,1', 'o%2Ex,1,1'])
    assert.equal((await linesAt(sandbox, id, 'times/')).length, 4)
    assert.deepEqual(sandbox.athena.catalog.names().sort(), tables)
    assert.deepEqual(sandbox.s3.keys('org-staging', `prestage/bulk/${id}/tmp/`), [])
    assert.deepEqual(sandbox.violations, [])
  }
  return { sandbox, id, extract, assertExtracted }
}

/** Statements of a kind that were started. */
export const startedOf = ({ sandbox }: Awaited<ReturnType<typeof fixture>>, text: RegExp): number =>
  sandbox.athena.queries.all.filter((query) => text.test(query.text)).length
