import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { UserError } from '../../scripts/lib/cli/errors.ts'
import { folderStore } from '../../scripts/lib/stores/folder.ts'
import { failedTask, failedTasks } from '../../scripts/stage/copy/batch/report.ts'
import { scratch, writeObjects } from './logs.ts'

describe('a row of a completion report', () => {
  const table: [string, string[], ReturnType<typeof failedTask>][] = [
    [
      'as documented',
      ['b', 'a%2Cb', '', 'failed', 'AccessDenied', '403', 'No'],
      { key: 'a,b', code: 'AccessDenied', status: '403', message: 'No' },
    ],
    [
      'as shown',
      ['b', 'a%2Cb', '', 'failed', '403', 'AccessDenied', 'No'],
      { key: 'a,b', code: 'AccessDenied', status: '403', message: 'No' },
    ],
    ['without a code', ['b', 'k', '', 'failed', '500', '', ''], { key: 'k', code: '', status: '500', message: '' }],
    ['that succeeded', ['b', 'k', '', 'succeeded', '200', '', 'Successful'], 'succeeded'],
    [
      'without a version, as AWS prints one',
      ['b', 'prefix/k', 'failed', '400', 'InvalidRequest', 'Task failed due to missing VersionId'],
      { key: 'prefix/k', code: 'InvalidRequest', status: '400', message: 'Task failed due to missing VersionId' },
    ],
    ['of few columns', ['b', 'k', '', 'failed'], { key: 'k', code: '', status: '', message: '' }],
    [
      'whose key is not encoded',
      ['b', '100%', '', 'failed', '503'],
      { key: '100%', code: '', status: '503', message: '' },
    ],
    ['of another shape', ['b', 'k'], undefined],
    ['whose status is elsewhere', ['b', 'k', '', '', '', 'failed'], undefined],
    [
      'with a header’s words',
      ['Bucket', 'Key', 'VersionId', 'TaskStatus', 'ErrorCode', 'HTTPStatusCode', 'ResultMessage'],
      undefined,
    ],
  ]
  for (const [name, row, expected] of table) it(name, () => assert.deepEqual(failedTask(row), expected))
})

describe('a completion report', () => {
  const manifest = (results: { status: string; key: string }[]) =>
    JSON.stringify({
      Format: 'Report_CSV_20180820',
      ReportSchema: 'Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage',
      Results: results.map(({ status, key }) => ({
        TaskExecutionStatus: status,
        Bucket: 'b',
        MD5Checksum: 'x',
        Key: key,
      })),
    })
  const read = async (objects: Record<string, string>) => {
    const bucket = scratch()
    writeObjects(bucket, objects)
    const found = []
    for await (const task of failedTasks(folderStore(bucket), 'jobs/1', 'id')) found.push([task.key, task.code])
    return found
  }

  it('gives the failed tasks of all its files', async () => {
    const found = await read({
      'jobs/1/job-id/manifest.json': manifest([
        { status: 'succeeded', key: 'jobs/1/job-id/results/a.csv' },
        { status: 'failed', key: 'jobs/1/job-id/results/b.csv' },
        { status: 'failed', key: 'elsewhere/c.csv' },
      ]),
      'jobs/1/job-id/results/a.csv': 'b,good,,succeeded,200,,Successful\n',
      'jobs/1/job-id/results/b.csv':
        'b,one%0Atwo,,failed,403,AccessDenied,"No, ""never"""\nb,x,,failed,503,SlowDown,\n',
      'elsewhere/c.csv': 'b,y,,failed,NoSuchKey,404,\n',
    })
    assert.deepEqual(found, [
      ['one\ntwo', 'AccessDenied'],
      ['x', 'SlowDown'],
      ['y', 'NoSuchKey'],
    ])
  })

  it('is missed when it is not there', () =>
    assert.rejects(read({ other: '' }), /the completion report of job id is missing/))

  for (const [what, text, says] of [
    ['is cut off', '{"Format": "Rep', /manifest\.json cannot be read: .*JSON/],
    [
      'has another format',
      '{"Format": "Report_CSV_2030", "Results": [{"Bucket": "b"}]}',
      /: Format: expected "Report_CSV_20180820", found "Report_CSV_2030"; Results\[0\]\.TaskExecutionStatus: is missing; /,
    ],
  ] as const)
    it(`is refused when its manifest ${what}`, () =>
      assert.rejects(read({ 'jobs/1/job-id/manifest.json': text }), (error) => {
        assert.ok(error instanceof UserError)
        assert.match(error.message, says)
        return true
      }))

  it('leaves out rows that make no sense', async () =>
    assert.deepEqual(
      await read({
        'jobs/1/job-id/manifest.json': manifest([{ status: 'failed', key: 'r.csv' }]),
        'r.csv': 'what,is,this\nb,k,,failed,503,SlowDown,He said "no\n"b,x\nb,"y,,failed\n',
      }),
      [['k', 'SlowDown']],
    ))
})
