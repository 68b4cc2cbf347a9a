import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { silentContext } from '../../scripts/lib/cli/command.ts'
import type { BatchJob } from '../../scripts/lib/runs/checkpoints.ts'
import { writeLedger } from '../../scripts/lib/runs/ledger.ts'
import { openRun } from '../../scripts/lib/runs/workspace.ts'
import { sourceOf } from '../../scripts/lib/sources/registry.ts'
import { folderStore } from '../../scripts/lib/stores/folder.ts'
import { copierOf } from '../../scripts/stage/copy/choose.ts'
import type { Planned } from '../../scripts/stage/plan.ts'
import type { Task } from '../../scripts/stage/request.ts'
import { ledgerOf } from '../lib/runs/fixture/ledger.ts'
import { tempFolder } from '../support/temp.ts'
import { ROLE } from './sandbox.ts'

/** A run whose ledger notes this of a job. */
async function runWith(job: BatchJob | null) {
  const [workspace, { steps, ...ledger }] = [tempFolder(), ledgerOf()]
  const stage = { ...steps.stage!, checkpoint: { job } }
  await writeLedger(folderStore(`${workspace}/runs/${ledger.id}`), { ...ledger, steps: { ...steps, stage } })
  return openRun(workspace, ledger.id)
}

const OPTIONS = {
  workspace: 's3://org-staging/prestage',
  concurrency: 8,
  copy: 'auto' as 'auto' | 'batch' | 'direct',
  batchRole: ROLE as string | undefined,
  poll: 30,
  storageClass: undefined,
  kmsKey: undefined,
  copyTags: false,
  requesterPays: false,
  logsOwner: undefined,
}
/** Logs in a bucket. */
const { localPath: _, ...store } = folderStore('/')
const scope = { source: sourceOf('cloudtrail') }
const task = { scope, logs: { store, bucket: 'org-logs' } } as unknown as Task
const MANY = 10_000

describe('the way of copying within S3', () => {
  const [job, direct] = ['S3 Batch Operations', 'CopyObject']
  const cases: [
    what: string,
    left: number,
    note: BatchJob | null | undefined,
    change: Partial<typeof OPTIONS>,
    about: string,
  ][] = [
    ['many objects', MANY, undefined, {}, job],
    ['one less', MANY - 1, undefined, {}, direct],
    ['many, and no role', MANY, undefined, { batchRole: undefined }, direct],
    ['few that came late, of many', 3, null, {}, direct],
    ['few of which a job is at work', 3, { manifest: { key: 'k', etag: 'e', rows: 3 }, id: 'j' }, {}, job],
    ['many, and --copy direct', MANY, undefined, { copy: 'direct' }, direct],
    ['few, and --copy batch', 3, undefined, { copy: 'batch' }, job],
  ]
  for (const [what, objects, note, change, about] of cases)
    it(`for ${what}: ${about}`, async () => {
      const run = note === undefined ? undefined : await runWith(note)
      const left = { objects, bytes: objects }
      const options = { ...OPTIONS, ...change }
      const step = { task, planned: {} as Planned, options, aws: {}, context: silentContext(), existing: run }
      const chosen = await copierOf(step, left)
      assert.equal(chosen.about, about)
    })
})
