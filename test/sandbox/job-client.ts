import assert from 'node:assert/strict'
import { afterEach, beforeEach } from 'node:test'
import * as control from '@aws-sdk/client-s3-control'
import { parse } from 'csv-parse/sync'
import type { PutSettings } from './s3/helpers.ts'
import { type Sandbox, startSandbox } from './start.ts'

export let sandbox: Sandbox
export let client: control.S3ControlClient
export const ACCOUNT = '111122223333'
export const ROLE = `arn:aws:iam::${ACCOUNT}:role/prestage-batch`

function clientFor({ url, env }: Sandbox, region = 'us-east-1'): control.S3ControlClient {
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = env
  return new control.S3ControlClient({
    region,
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey },
    // The client would put the account before the address.
    endpointProvider: () => ({ url: new URL(url), headers: {}, properties: {} }),
  })
}

beforeEach(async () => {
  sandbox = await startSandbox({ buckets: { logs: {}, staging: {} }, jobs: { pace: 'manual' } })
  client = clientFor(sandbox)
})

afterEach(async () => {
  client.destroy()
  await sandbox.close()
  assert.deepEqual(sandbox.violations, [])
})

/** Put objects and a manifest of them. @returns the manifest's ETag */
export function manifest(keys: readonly string[], settings: PutSettings = {}, put = true): string {
  if (put) for (const key of keys) sandbox.s3.put('logs', key, `content of ${key}`)
  const rows = keys.map((key) => `logs,${encodeURIComponent(key)}\n`).join('')
  return sandbox.s3.put('staging', 'run/manifest.csv', rows, settings).etag
}

export type Changes = Partial<control.CreateJobCommandInput> & { copy?: Partial<control.S3CopyObjectOperation> }

export const input = (ETag: string, { copy, ...changes }: Changes = {}): control.CreateJobCommandInput => ({
  AccountId: ACCOUNT,
  ClientRequestToken: 'token-1',
  Priority: 10,
  RoleArn: ROLE,
  Operation: { S3PutObjectCopy: { TargetResource: 'arn:aws:s3:::staging', TargetKeyPrefix: 'run/staged', ...copy } },
  Manifest: {
    Spec: { Format: 'S3BatchOperations_CSV_20180820', Fields: ['Bucket', 'Key'] },
    Location: { ObjectArn: 'arn:aws:s3:::staging/run/manifest.csv', ETag },
  },
  Report: {
    Enabled: true,
    Bucket: 'arn:aws:s3:::staging',
    Prefix: 'run/report',
    Format: 'Report_CSV_20180820',
    ReportScope: 'AllTasks',
  },
  ...changes,
})

export async function create(ETag: string, changes: Changes = {}): Promise<string> {
  const { JobId } = await client.send(new control.CreateJobCommand(input(ETag, changes)))
  return JobId ?? ''
}

export async function job(JobId: string): Promise<control.JobDescriptor> {
  const { Job } = await client.send(new control.DescribeJobCommand({ AccountId: ACCOUNT, JobId }))
  return Job ?? {}
}

export const update = (JobId: string, RequestedJobStatus: control.RequestedJobStatus) =>
  client.send(new control.UpdateJobStatusCommand({ AccountId: ACCOUNT, JobId, RequestedJobStatus }))

interface ReportManifest {
  Results: { TaskExecutionStatus: string; Bucket: string; Key: string; MD5Checksum: string }[]
  ReportSchema: string
}

/** Rows of the report by status; undefined when there is none. */
export async function report(JobId: string): Promise<Record<string, string[][]> | undefined> {
  const key = `run/report/job-${JobId}/manifest.json`
  if (!sandbox.s3.head('staging', key)) return undefined
  const { Results } = JSON.parse((await sandbox.s3.get('staging', key)).toString()) as ReportManifest
  const read = Results.map(async ({ TaskExecutionStatus, Key }) => {
    assert.match(Key, new RegExp(`^run/report/job-${JobId}/results/[0-9a-f]{40}\\.csv$`))
    return [TaskExecutionStatus, parse(await sandbox.s3.get('staging', Key)) as string[][]] as const
  })
  return Object.fromEntries(await Promise.all(read))
}

export const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `k${String(i).padStart(4, '0')}`)

export const fails = (asked: Promise<unknown>, name: string, status: number): Promise<void> =>
  assert.rejects(asked, (error: control.S3ControlServiceException) => {
    assert.equal(error.name, name, String(error))
    assert.equal(error.$metadata.httpStatusCode, status)
    return true
  })
