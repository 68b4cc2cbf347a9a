import { setFlagsFromString } from 'node:v8'
import { awsOf, stackOutputs } from '../lib/aws/settings.ts'
import { defineCommand } from '../lib/cli/command.ts'
import { UsageError } from '../lib/cli/errors.ts'
import { choice, flag, number, text, word } from '../lib/cli/options.ts'
import { awsOptions, guardOptions, scopeOptions, windowOptions, workspaceOption } from '../lib/cli/shared-options.ts'
import { athenaOptions } from '../lib/engines/athena/athena.ts'
import { isArchived, STORAGE_CLASSES } from '../lib/runs/read-cost.ts'
import { findRun, touchRun } from '../lib/runs/workspace.ts'
import { ownSources } from '../lib/sources/own/own.ts'
import { knownIds } from '../lib/sources/registry.ts'
import { planStage } from './plan.ts'
import { renderStaged } from './render.ts'
import { taskOf } from './request.ts'
import { stage } from './stage.ts'

const storageClass = choice(STORAGE_CLASSES, {
  about: 'storage class of the copies in S3, no archive (default: STANDARD)',
})

function parseStorageClass(input: string): unknown {
  if (isArchived({ storageClass: input })) throw new Error('is an archive, from which Athena reads nothing')
  return storageClass.parse(input)
}

const options = {
  source: word(knownIds, { about: 'kind of log' }),
  ...scopeOptions,
  ...windowOptions,
  ...workspaceOption,
  keys: choice(['list', 'digest', 'inventory', 'metadata'], {
    about:
      'how keys are found: by listing, from CloudTrail digests, from an S3 Inventory report, or from S3 Metadata tables',
    default: 'list',
  }),
  inventory: text({ about: 'manifest.json of the inventory report', value: 'URI' }),
  keysFile: text({
    about: 'copy exactly these keys: one per line, or a manifest if the file ends in .csv',
    value: 'FILE',
  }),
  workgroup: athenaOptions.workgroup,
  queryTimeout: athenaOptions.queryTimeout,
  verify: choice(['size', 'full'], {
    about:
      'how copies are checked: by size, or also by the SHA-256 in the digests; a copy that fails is copied and checked again by every later stage',
    default: 'size',
  }),
  concurrency: number({ about: 'requests in flight at once', default: 16, min: 1, max: 256, integer: true }),
  copy: choice(['auto', 'batch', 'direct'], {
    about:
      'how to copy within S3: an S3 Batch Operations job or CopyObject; auto starts a job from 10,000 objects on, if there is a role',
    default: 'auto',
  }),
  batchRole: text({ about: 'role of the batch job, in the account of the workspace', value: 'ARN' }),
  poll: number({ about: 'seconds between two looks at a running job', default: 30, min: 0.05, max: 3600 }),
  storageClass: { ...storageClass, parse: parseStorageClass },
  kmsKey: text({ about: 'encrypt the copies in S3 with this key (default: as their bucket does)', value: 'ARN' }),
  copyTags: flag({ about: 'copy the tags of objects as well; needs s3:GetObjectTagging and s3:PutObjectTagging' }),
  requesterPays: flag({ about: 'pay for reading logs from a Requester Pays bucket' }),
  logsOwner: text({ about: 'account that must own the bucket of the logs', value: 'ID' }),
  ...guardOptions,
  ...awsOptions,
}

export const command = defineCommand({
  name: 'stage',
  summary: 'copy the log objects of a time window into a run',
  description:
    'Finds the keys that may hold events of the window without listing everything else, writes them as a manifest, copies the objects under their own keys, and checks that every row of the manifest has arrived. The time in a key is the time of delivery: keys from a margin before the window to a margin after it, both ends inclusive, are copied, and extract drops events outside the window. The same request is the same run: existing copies are not copied again. Links that lead out of a folder of logs are skipped with a warning.',
  examples: [
    {
      run: 'npx zx scripts/stage.mjs --source cloudtrail --logs ./logs --from 2026-03-02 --to 2026-03-12 --dry-run',
      does: 'shows what ten days come to; copies nothing',
    },
    {
      run: 'npx zx scripts/stage.mjs --source waf --logs ./logs --from 2026-03-02T13:00 --to 2026-03-02T14:00',
      does: 'one hour of WAF logs',
    },
    {
      run: 'npx zx scripts/stage.mjs --source cloudtrail --logs s3://org-logs --last 24h --max-cost 1',
      does: 'downloads the last day to this machine, and nothing else',
    },
    {
      run: 'npx zx scripts/stage.mjs --source cloudtrail --logs s3://org-logs --last 24h --workspace s3://org-staging/prestage --batch-role arn:aws:iam::111122223333:role/prestage-batch',
      does: 'copies it within S3, by a batch job where that is worth it',
    },
    {
      run: 'npx zx scripts/stage.mjs --source cloudtrail --logs ./logs --last 24h --account 012345678901 --region us-east-1',
      does: 'the last day of one account in one region',
    },
  ],
  stackOutputs,
  ownSources,
  options,
  async run(context, values) {
    // Millions of rows pass and none stays: V8 would let the heap grow to several times of what lives before it collects.
    setFlagsFromString('--heap-growing-percent=40')
    if (values.verify === 'full' && values.keys !== 'digest')
      throw new UsageError('--verify full needs the hashes that only digests name', 'add --keys digest')
    const aws = awsOf(values, context)
    const { requesterPays, logsOwner: expectedBucketOwner } = values
    const task = await taskOf(values, context.now(), { ...aws, requesterPays, expectedBucketOwner })
    const existing = await findRun(values.workspace, task.request, aws)
    const planned = await planStage({ task, options: values, context }, existing)
    if (planned === 'done' && existing !== undefined) {
      if (!values.dryRun) await touchRun(existing, aws)
      return renderStaged(existing, existing.result('stage'), true)
    }
    if (planned === 'done') throw new Error('a run that does not exist cannot be done')
    try {
      return await stage({ task, planned, options: values, aws, context, existing })
    } finally {
      await planned.dispose()
    }
  },
})
