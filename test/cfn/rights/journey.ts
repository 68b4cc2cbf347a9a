import assert from 'node:assert/strict'
import type { QueryErrorSettings } from '../../sandbox/athena/settings.ts'
import { catalogLake } from '../../support/iceberg.ts'
import type { RunOptions } from '../../support/run-script.ts'
import { ROOT } from '../../support/run-script.ts'
import { simulatedLogs } from '../../support/simulated.ts'
import { ACCOUNT, type Account, ADMIN_ARN, LAKE, LOGS_KEY, REGION } from './account.ts'

const FAST = ['--poll', '0.05']
const LOGS = ['--source', 'cloudtrail', '--logs', 's3://org-logs/AWSLogs', ...FAST]
/** Enough to train on. */
const SOME = ['--region', 'us-east-1']
const MONDAY = [...LOGS, ...SOME, '--from', '2026-03-02', '--to', '2026-03-03']
const TUESDAY = [...LOGS, ...SOME, '--from', '2026-03-03', '--to', '2026-03-04']
/** Of other logs, that nobody reads: an object that is copied in parts, and one with tags. */
const MARCH_9 = [...LOGS, '--from', '2026-03-09', '--to', '2026-03-10', '--account', ACCOUNT]
const key = (tail: string) =>
  `AWSLogs/${ACCOUNT}/CloudTrail/${REGION}/2026/03/09/${ACCOUNT}_CloudTrail_${REGION}_20260309T1005Z_${tail}.json.gz`

const LAKE_TABLE = 'aws/CLOUD_TRAIL_MGMT/2.0/metadata/'
const SMALL = ['--epochs', '3', '--vector-dim', '16']
const IN_VPC = ['--subnet', 'subnet-1', '--security-group', 'sg-1']
const SCALED = ['--instance-type', 'ml.m5.large', '--autoscale', '1:3']
const TRANSFORM = ['--via', 'transform', '--overwrite', '--yes']
const BUSY: QueryErrorSettings = { category: 1, type: 233, retryable: true, reason: 'Query exhausted resources' }

/** Ctrl-C as soon as this is said. */
const ctrlC = (said: RegExp): RunOptions => {
  let isDone = false
  return {
    onStderr: (soFar, kill) => {
      if (isDone || !said.test(soFar)) return
      isDone = true
      kill('SIGINT')
    },
  }
}

const LARGE = 11 * 2 ** 29
const ENCRYPTED = { encryption: { algorithm: 'aws:kms', keyId: LOGS_KEY } } as const

export type Step = readonly [name: string, take: (account: Account) => Promise<void>]

let [monday, tuesday] = ['', '']
const runs = () => ({ monday: ['--run', monday], tuesday: ['--run', tuesday] })

/** Everything that the scripts do in AWS, by somebody who may only do what the stack's policies say. */
export const journey: readonly Step[] = [
  [
    'setup',
    async ({ sandbox, setup }) => {
      await sandbox.s3.load('org-logs', await simulatedLogs())
      await sandbox.s3.load(LAKE, `${ROOT}test/stage/fixture/iceberg`)
      const tagged =
        sandbox.s3.keys('org-logs', 'AWSLogs/').find((one) => /CloudTrail\/us-east-1\/2026\/03\/02\//.test(one)) ?? ''
      const body = await sandbox.s3.get('org-logs', tagged)
      sandbox.s3.put('org-logs', tagged, body, { ...ENCRYPTED, tags: { team: 'audit' } })
      sandbox.s3.put('org-logs', key('large'), LARGE, ENCRYPTED)
      sandbox.s3.put('org-logs', key('tagged'), 'x', { ...ENCRYPTED, tags: { team: 'audit' } })
      await setup([
        '--read-logs',
        's3://org-logs/AWSLogs',
        '--read-lake',
        `s3://${LAKE}/aws`,
        '--logs-key',
        LOGS_KEY,
        '--encryption',
        'kms',
        '--allow-vpc',
        'vpc-0a1b2c3d',
        '--metadata-tables',
        'on',
        ...FAST,
        '--yes',
      ])
    },
  ],
  ['setup --check', async ({ run }) => void (await run('setup', ['--check']))],
  ['inventory', async ({ run }) => void (await run('inventory', ['--logs', 's3://org-logs/AWSLogs']))],
  [
    'stage by a batch job that is found again',
    async ({ sandbox, run, attempt }) => {
      const stage = [...MONDAY, '--copy', 'batch', '--copy-tags', '--yes']
      const fault = sandbox.faults.add({ operation: 'CreateJob', times: 1, cut: 'after' })
      await attempt('stage', stage, { killWhen: () => fault.struck() > 0 })
      monday = String((await run('stage', stage)).run)
      assert.equal(sandbox.control.jobs().length, 1)
    },
  ],
  [
    'find keys in the inventory table of S3 Metadata',
    async ({ sandbox, run }) => {
      sandbox.s3.state.bucket('org-logs').metadata = { inventory: { state: 'ENABLED', status: 'ACTIVE' } }
      const columns = ['key', 'size', 'e_tag', 'storage_class'].map((name) => ({ name, type: 'varchar' }))
      const rows = sandbox.s3.list('org-logs', 'AWSLogs/').map((one) => [one.key, String(one.size), null, null])
      sandbox.athena.settings.answer = (sql) => (sql.includes('s3tablescatalog') ? { columns, rows } : undefined)
      await run('stage', [...MONDAY, '--keys', 'metadata', '--dry-run'])
    },
  ],
  [
    'read a Security Lake in place, whose catalog says what is current',
    async ({ sandbox, run }) => {
      const current = sandbox.s3.keys(LAKE, LAKE_TABLE).find((one) => /\/00004-[^/]*\.metadata\.json$/.test(one)) ?? ''
      catalogLake(sandbox, { bucket: LAKE, source: 'cloud_trail_mgmt_2_0', key: current })
      const lake = ['--source', 'securitylake', '--logs', `s3://${LAKE}/aws`]
      const window = ['--from', '2026-03-02', '--to', '2026-03-03']
      const staged = await run('stage', [...lake, ...window, '--yes'])
      assert.deepEqual([staged.inPlace, staged.objects], [true, 3])
      const extracted = await run('extract', ['--run', String(staged.run), '--yes'])
      assert.equal(extracted.pairs, 6)
      await run('clean', ['--run', String(staged.run), '--everything', '--yes'])
    },
  ],
  [
    'stage by copies, some in parts, interrupted',
    async ({ sandbox, run, attempt }) => {
      const stage = [...MARCH_9, '--copy', 'direct', '--copy-tags', '--yes']
      const upload = sandbox.faults.add({ operation: 'UploadPartCopy', nth: 3, times: 1, cut: 'after' })
      await attempt('stage', stage, { killWhen: () => upload.struck() > 0 })
      assert.equal(sandbox.requests.of('CompleteMultipartUpload'), 0)
      const staged = await run('stage', stage)
      await run('clean', ['--run', String(staged.run), '--everything', '--yes'])
    },
  ],
  [
    'extract, stopped by Ctrl-C and taken up again',
    async ({ sandbox, run, attempt }) => {
      const { settings } = sandbox.athena
      settings.failures.push({ when: 'ctas', stage: 'queued', becomes: 'QUEUED', times: 1000, error: BUSY })
      await attempt('extract', [...runs().monday, '--yes'], ctrlC(/classifying/))
      assert.equal(sandbox.requests.of('StopQueryExecution'), 1)
      settings.failures = []
      const lost = sandbox.faults.add({ operation: 'StartQueryExecution', cut: 'after' })
      await attempt('extract', [...runs().monday, '--yes'], { killWhen: () => lost.struck() > 0 })
      sandbox.faults.clear()
      await run('clean', [...runs().monday, '--dry-run'])
      await run('extract', [...runs().monday, '--yes'])
    },
  ],
  ['query', async ({ run }) => void (await run('query', ['busiest-hour', ...runs().monday, '--yes']))],
  ['train in a VPC', async ({ run }) => void (await run('train', [...runs().monday, ...SMALL, ...IN_VPC, '--yes']))],
  ['deploy', async ({ run }) => void (await run('deploy', [...runs().monday, '--yes']))],
  ['score', async ({ run }) => void (await run('score', [...runs().monday, '--yes']))],
  ['report', async ({ run }) => void (await run('report', runs().monday))],
  [
    'pipeline: another model takes the place at the endpoint',
    async ({ sandbox, run }) => {
      tuesday = String((await run('pipeline', [...TUESDAY, '--copy', 'direct', '--yes'])).run)
      assert.equal(sandbox.requests.of('UpdateEndpoint'), 1)
    },
  ],
  ['deploy --rollback', async ({ run }) => void (await run('deploy', [...runs().tuesday, '--rollback', '--yes']))],
  [
    'deploy on instances that scale, for a while',
    async ({ sandbox, attempt }) => {
      const args = [
        ...runs().monday,
        ...SCALED,
        '--delete-after',
        '8h',
        '--endpoint',
        'prestage-while',
        '--overwrite',
        '--yes',
      ]
      const { stderr } = await attempt('deploy', args, ctrlC(/is deleted at/))
      assert.equal(sandbox.requests.of('DeregisterScalableTarget'), 1, stderr)
    },
  ],
  [
    'deploy on other instances than those that scale, and --rollback',
    async ({ sandbox, run }) => {
      const there = ['--endpoint', 'prestage-scaled', '--overwrite', '--yes']
      await run('deploy', [...runs().monday, ...SCALED, ...there])
      await run('deploy', [...runs().tuesday, '--instance-type', 'ml.m5.xlarge', ...there])
      assert.equal(sandbox.sagemaker.scaling.targets.size, 0)
      await run('deploy', [...runs().tuesday, '--rollback', '--yes'])
      assert.equal(sandbox.sagemaker.scaling.targets.size, 1)
    },
  ],
  ['score in a batch transform', async ({ run }) => void (await run('score', [...runs().tuesday, ...TRANSFORM]))],
  [
    'clean while jobs run',
    async ({ sandbox, run, attempt }) => {
      const { settings, models } = sandbox.sagemaker
      // Of another team, that has the word in a name of its own.
      const [{ request } = { request: {} }] = models.all.values()
      models.create({ ...request, ModelName: 'fraud-prestage', Tags: [] }, { account: ACCOUNT, arn: ADMIN_ARN })
      settings.hold = { kind: 'training', stage: 'Training' }
      await attempt('train', [...runs().monday, '--epochs', '2', '--overwrite', '--yes'], ctrlC(/Training: /))
      settings.hold = { kind: 'transform', stage: 'Transforming' }
      await attempt('score', [...runs().tuesday, ...TRANSFORM, '--instance-type', 'ml.m5.large'], ctrlC(/InProgress/))
      for (const args of [runs().monday, runs().tuesday]) await run('clean', [...args, '--yes'])
      for (const stop of ['StopTrainingJob', 'StopTransformJob']) assert.equal(sandbox.requests.of(stop), 1, stop)
      assert.deepEqual(sandbox.sagemaker.names().models, ['fraud-prestage'])
    },
  ],
  [
    'setup --check --try endpoint',
    async ({ sandbox, run }) => {
      const { settings } = sandbox.sagemaker
      settings.coldStart = { invocations: 1000, delay: 20 }
      await run('setup', ['--check', '--try', 'endpoint', ...FAST, '--yes'])
      settings.coldStart = undefined
    },
  ],
]
