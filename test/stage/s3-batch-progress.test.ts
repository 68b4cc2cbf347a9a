import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { S3ControlClient } from '@aws-sdk/client-s3-control'
import { silentContext } from '../../scripts/lib/cli/command.ts'
import { folderStore } from '../../scripts/lib/stores/folder.ts'
import { batchCopier } from '../../scripts/stage/copy/batch/batch.ts'
import { tempFolder } from '../support/temp.ts'
import { ROLE } from './sandbox.ts'

/** An S3 Control that shows a job's states one after the other. */
function controlOf(states: readonly [status: string, succeeded: number][]): S3ControlClient {
  const left = [...states]
  const send = async (command: object) => {
    if (command.constructor.name !== 'DescribeJobCommand') return { JobId: 'job' }
    const [Status, NumberOfTasksSucceeded] = left.shift() ?? ['Complete', 3]
    return { Job: { JobId: 'job', Status, ProgressSummary: { NumberOfTasksSucceeded, TotalNumberOfTasks: 3 } } }
  }
  return { send } as unknown as S3ControlClient
}

it('a batch job is counted while it runs', async () => {
  const store = Object.assign(folderStore(tempFolder()), { uriOf: (key: string) => `s3://org-staging/${key}` })
  const { signal } = silentContext()
  const copier = batchCopier({
    control: controlOf([
      ['Active', 1],
      ['Active', 1],
      ['Active', 2],
      ['Complete', 3],
    ]),
    accountId: '111122223333',
    roleArn: ROLE,
    destination: {
      source: { bucket: 'org-logs', requesterPays: false },
      bucket: 'org-staging',
      prefix: 'staged/',
      tags: false,
    },
    run: 'run',
    plan: '2026-03-02T00:00:00Z',
    store,
    bucket: store,
    checkpoint: { saved: {}, save: async () => {} },
    pollSeconds: 1,
    signal,
    sleep: async () => {},
    direct: { name: 'none', copy: async () => {} },
  })
  const counted: number[] = []
  await copier.copy(
    (async function* () {
      for (const key of ['a', 'b', 'c']) yield { key, size: 1 }
    })(),
    { copied: (objects) => counted.push(objects), failed: () => assert.fail(), state: () => {} },
  )
  assert.deepEqual(counted.filter(Boolean), [1, 1, 1])
})
