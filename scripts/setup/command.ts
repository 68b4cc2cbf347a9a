import { resolve } from 'node:path'
import { partitionOf, urisOfObjects } from '../lib/aws/arn.ts'
import { SERVERLESS_CONCURRENCY } from '../lib/aws/quota-names.ts'
import { awsOf } from '../lib/aws/settings.ts'
import { type CommandResult, type Context, defineCommand } from '../lib/cli/command.ts'
import { UsageError, UserError } from '../lib/cli/errors.ts'
import { facts } from '../lib/cli/format.ts'
import { choice, flag, list, number, parsed, text, type Values } from '../lib/cli/options.ts'
import { awsOptions, guardOptions } from '../lib/cli/shared-options.ts'
import { ownSources } from '../lib/sources/own/own.ts'
import { bucketStatements, keyStatements } from './bucket-policy.ts'
import { checkSetup, type Finding, type Quota } from './check/check.ts'
import { forgetStack, type Noted, namesStack, noteStack } from './config-file.ts'
import { type NightlySetup, openNights, setUpNights, takeNightsAway, warnOfOlderNights } from './nightly/nightly.ts'
import { checkNightly, nightlyOptions } from './nightly/options.ts'
import {
  checkRetention,
  defaultsIn,
  keyArn,
  lakeUri,
  logsUri,
  parametersOf,
  parameterValues,
  shippedTemplate,
  vpcId,
} from './parameters.ts'
import { checkPolicies } from './policy-size.ts'
import { currentStack, type OpenStack, openStack, setUp, takeDown } from './setup.ts'

const { overwrite: _, ...guards } = guardOptions
const CONFIG = 'prestage.yaml'

const stackName = (input: string): string => {
  if (!/^[A-Za-z][A-Za-z0-9-]{0,59}$/.test(input)) throw new Error('must be letters, digits and -, at most 60')
  return input
}

const options = {
  ...awsOptions,
  stack: parsed({
    about: 'name of the stack',
    value: 'NAME',
    parse: stackName,
    default: 'prestage',
    defaultText: 'prestage',
  }),
  readLogs: list({
    about: 'logs that may be read: s3://bucket[/prefix], every one of them',
    value: 'URI',
    parse: logsUri,
  }),
  logsKey: list({ about: 'KMS keys that the logs are encrypted with', value: 'ARN', parse: keyArn }),
  metadataTables: choice(['on', 'off'], {
    about:
      'whether there is a policy to query the S3 Metadata tables of this account, for --keys metadata (default: off)',
  }),
  readLake: list({
    about:
      'Security Lake that Athena may read in place and whose tables may be looked up in Glue: s3://bucket[/prefix]; none takes that back',
    value: 'URI',
    parse: lakeUri,
  }),
  prefix: text({ about: 'key prefix of the workspace (default: prestage)', value: 'WORD' }),
  retentionDays: number({
    about: 'days after which what is staged and extracted expires (default: 90)',
    min: 1,
    max: 3650,
    integer: true,
  }),
  resultsRetentionDays: number({
    about: 'days after which models, verdicts and reports expire; longer than any endpoint stays (default: 3650)',
    min: 1,
    max: 3650,
    integer: true,
  }),
  encryption: choice(['s3', 'kms'], {
    about: 'of the staging bucket: keys of S3 or a KMS key of its own (default: s3)',
  }),
  database: text({ about: 'Glue database (default: prestage)', value: 'NAME' }),
  scanCutoff: number({ about: 'gigabytes that one query may scan (default: 1000)', value: 'GB', min: 0.01 }),
  permissionsBoundary: text({
    about: 'policy that bounds the roles, where an organization asks for one',
    value: 'ARN',
  }),
  allowVpc: parsed({
    about: 'VPC that the role of SageMaker may work in, for --subnet of train and deploy; none takes that back',
    value: 'ID',
    parse: vpcId,
  }),
  restore: flag({ about: 'also restore resources that were changed or deleted outside of the stack' }),
  check: flag({ about: 'check that everything a run needs exists; change nothing' }),
  try: flag({
    about:
      'with --check: also compare AWS with what prestage believes of it, by a few small jobs that are removed again (about 30 cents); writes prestage-try.md',
  }),
  what: {
    ...choice(['endpoint'], {
      about: 'with --try: train on 2,000 made-up pairs and ask a serverless endpoint as well',
    }),
    argument: true,
  },
  ...nightlyOptions,
  delete: flag({ about: 'delete the stack; the staging bucket stays' }),
  printBucketPolicy: flag({ about: 'print what the policies of logs in another account must allow' }),
  poll: number({ about: 'seconds between two queries of CloudFormation', default: 2, min: 0.05, max: 600 }),
  quota: list({ about: 'SageMaker quotas that --check looks up', value: 'NAME' }),
  ...guards,
  maxCost: number({ about: 'with --nightly: what a night may cost', value: 'USD', min: 0 }),
}

type Chosen = Values<typeof options>

/** What train, deploy and score use when they are told nothing else. */
const QUOTAS: readonly Quota[] = [
  { name: 'ml.m5.large for training job usage' },
  { name: SERVERLESS_CONCURRENCY },
  { name: 'ml.m5.large for spot training job usage', only: 'train --spot' },
  { name: 'ml.m5.xlarge for transform job usage', only: 'score --via transform' },
]

export const command = defineCommand({
  name: 'setup',
  summary: 'create what runs in AWS need: one CloudFormation stack with least privilege',
  description:
    'Creates or updates a stack with the staging bucket, the roles of jobs, the policy of those who run them, an Athena workgroup and a database, and shows every change before it is made. Afterwards prestage.yaml names the stack, and every other script takes its settings from it.',
  examples: [
    { run: 'npx zx scripts/setup.mjs --read-logs s3://org-logs --dry-run', does: 'shows what would be made' },
    {
      run: 'npx zx scripts/setup.mjs --read-logs s3://org-logs/AWSLogs --read-logs s3://org-waf-logs',
      does: 'makes it, for two buckets',
    },
    { run: 'npx zx scripts/setup.mjs --retention-days 30', does: 'changes one setting; the others stay' },
    { run: 'npx zx scripts/setup.mjs --check', does: 'says what is missing, if anything' },
    { run: 'npx zx scripts/setup.mjs --check --try', does: 'tries in AWS what prestage believes of it' },
    { run: 'npx zx scripts/setup.mjs --check --try endpoint', does: 'trains a small model for that, and asks it' },
    {
      run: 'npx zx scripts/setup.mjs --nightly 02:30 --source cloudtrail,waf --notify security@example.com --max-cost 2',
      does: 'judges every day at night, without a server of yours',
    },
    { run: 'npx zx scripts/setup.mjs --nightly off', does: 'takes that away again' },
    { run: 'npx zx scripts/setup.mjs --restore', does: 'restores what somebody deleted or changed by hand' },
    { run: 'npx zx scripts/setup.mjs --print-bucket-policy', does: 'for logs in another account' },
    { run: 'npx zx scripts/setup.mjs --delete', does: 'deletes the stack, after you have typed its name' },
  ],
  ownSources,
  options,
  async run(context, chosen) {
    const modes = [chosen.check, chosen.delete, chosen.printBucketPolicy, chosen.nightly].filter(Boolean).length
    if (modes > 1) throw new UsageError('--check, --delete, --print-bucket-policy and --nightly exclude each other')
    checkTry(chosen)
    checkNightly(chosen)
    const settings = awsOf(chosen, context)
    const stack = await openStack(chosen.stack, settings, chosen.poll * 1000, context)
    const nights = await openNights(stack, settings, chosen.poll * 1000, context)
    const nightly = { main: stack, nights, settings, dryRun: chosen.dryRun }
    if (chosen.nightly === 'off') return takeNightsAway(context, nightly)
    if (chosen.nightly !== undefined) return setUpNights(context, nightly, chosen)
    if (chosen.check) return checked(context, nightly, chosen)
    if (chosen.delete) return deleted(context, { stack, nights }, chosen)
    if (chosen.printBucketPolicy) return policyFor(stack, chosen)
    return made(context, { stack, nights }, chosen)
  },
})

/** A stack, and that of its nights. */
type Stacks = Readonly<Record<'stack' | 'nights', OpenStack>>

async function made(context: Context, { stack, nights }: Stacks, chosen: Chosen): Promise<CommandResult> {
  const { dryRun, awsRegion, restore, retentionDays, resultsRetentionDays } = chosen
  checkRetention(retentionDays, resultsRetentionDays)
  const path = resolve(CONFIG)
  const existing = await currentStack(stack, context.talk)
  const [partition, template] = [partitionOf(stack.region), await shippedTemplate()]
  const defaults = defaultsIn(template)
  const parameters = parametersOf(chosen, existing, defaults, partition)
  const values = parameterValues(parameters, existing, defaults)
  checkPolicies(template, { stack: stack.name, region: stack.region, partition, values })
  checkRetention(Number(values.RetentionDays), Number(values.ResultsRetentionDays))
  const after = [`then note stack: ${stack.name} in ${path}`]
  const tags = { 'prestage:stack': stack.name }
  const done = await setUp(context, { stack, existing, template, parameters, restore, tags, dryRun, after })
  const action = existing === undefined ? 'created' : done.changes === undefined ? 'unchanged' : 'updated'
  if (done.stack === undefined)
    return { json: { stack: stack.name, dryRun, changes: done.changes }, text: ['would', ...done.plan].join('\n') }
  if (dryRun)
    return { json: { stack: stack.name, dryRun, changes: [] }, text: `stack ${stack.name}: nothing to change` }
  const noted = await noteStack(path, {
    stack: stack.name,
    ...(awsRegion !== undefined && { 'aws-region': awsRegion }),
  })
  if (noted.how === 'other')
    context.talk.warn(`${path} names stack ${noted.stack}, and was left alone: add --stack ${stack.name} to commands`)
  await warnOfOlderNights(context, nights, stack)
  const { outputs } = done.stack
  return {
    json: { stack: stack.name, region: stack.region, action, changes: done.changes ?? [], outputs, config: path },
    text: facts([
      ['stack', `${stack.name} in ${stack.region}: ${action === 'unchanged' ? 'nothing to change' : action}`],
      ['workspace', outputs.Workspace ?? ''],
      ['policies', `${outputs.OperatorPolicyArn ?? ''} (attach to whoever runs the scripts)`],
      ['', `${outputs.OperatorModelPolicyArn ?? ''} (besides, to train and score)`],
      outputs.OperatorMetadataPolicyArn === undefined
        ? undefined
        : ['', `${outputs.OperatorMetadataPolicyArn} (besides, for --keys metadata)`],
      ['settings', `${path}${notedText(noted)}`],
    ]),
    next: 'npx zx scripts/setup.mjs --check',
  }
}

const notedText = ({ how }: Noted): string =>
  ({ made: ', made', added: ', the stack was added', there: ' names the stack', other: ' names another stack' })[how]

async function deleted(context: Context, { stack, nights }: Stacks, { dryRun }: Chosen): Promise<CommandResult> {
  const path = resolve(CONFIG)
  const isNamed = await namesStack(path, stack.name)
  const after = isNamed ? [`  then take stack: ${stack.name} out of ${path}`] : []
  const nightly = await nights.find()
  const first = nightly === undefined ? undefined : { stack: nights, found: nightly }
  const done = await takeDown(context, stack, { dryRun, first, after })
  // Also when an earlier attempt died between the stack and the line.
  if (isNamed && !dryRun) await forgetStack(path)
  if (done === undefined)
    return { json: { stack: stack.name, deleted: false }, text: `there is no stack ${stack.name} in ${stack.region}` }
  const { plan, bucket = null } = done
  if (dryRun) return { json: { stack: stack.name, dryRun, keeps: bucket }, text: ['would', ...plan].join('\n') }
  const kept = plan.slice(1).filter((line) => !after.includes(line))
  const taken = isNamed ? [`  ${path} no longer names it`] : []
  return {
    json: { stack: stack.name, deleted: true, keeps: bucket },
    text: [`stack ${stack.name} is deleted`, ...kept, ...taken].join('\n'),
  }
}

async function policyFor(stack: OpenStack, { readLogs: logs }: Chosen): Promise<CommandResult> {
  const found = await stack.find()
  const { BatchRoleArn: batchRole, LogsObjectArns = '', LogsKeyArns } = found?.outputs ?? {}
  if (batchRole === undefined)
    throw new UserError(`there is no finished stack ${stack.name} in ${stack.region}, and the policies name its role`, {
      hint: 'npx zx scripts/setup.mjs makes one first; or name another --stack',
    })
  const [, partition = 'aws', , , account = ''] = batchRole.split(':')
  const readers = { batchRole, account, partition }
  const uris = logs.length > 0 ? logs : urisOfObjects(LogsObjectArns)
  const buckets = uris.map((uri) => ({ logs: uri, statements: bucketStatements(uri, readers) }))
  const key = LogsKeyArns === undefined ? undefined : keyStatements(readers)
  const blocks = buckets.map(
    ({ logs: uri, statements }) => `add to the policy of the bucket of ${uri}:\n${JSON.stringify(statements, null, 2)}`,
  )
  const ofKey = key === undefined ? [] : [`add to the policy of ${LogsKeyArns}:\n${JSON.stringify(key, null, 2)}`]
  return {
    json: {
      stack: stack.name,
      buckets,
      ...(key !== undefined && { keys: LogsKeyArns?.split(','), keyStatements: key }),
    },
    text: [...blocks, ...ofKey].join('\n\n'),
  }
}

/** @throws UsageError when the word after --try stands alone */
function checkTry({ check, try: isTry, what }: Chosen): void {
  if (isTry && !check) throw new UsageError('--try belongs to --check', 'npx zx scripts/setup.mjs --check --try')
  if (what !== undefined && !isTry)
    throw new UsageError(
      `stray argument "${what}"`,
      'it belongs to --try: npx zx scripts/setup.mjs --check --try endpoint',
    )
}

async function checked(context: Context, setup: NightlySetup, chosen: Chosen): Promise<CommandResult> {
  const { main: stack, nights, settings } = setup
  const quotas = chosen.quota.length > 0 ? chosen.quota.map((name) => ({ name })) : QUOTAS
  const findings = await checkSetup({ stack, nights, settings, nodeVersion: process.version, quotas })
  const isOk = findings.every(({ ok }) => ok)
  const check = { json: { stack: stack.name, ok: isOk, findings }, text: findings.map(findingText).join('\n') }
  const found = chosen.try ? await stack.find() : undefined
  if (found === undefined || !stack.isUsable(found)) return { ...check, exitCode: isOk ? 0 : 1 }
  const { triedResult } = await import('./try/result.ts')
  const { region } = stack
  const options = {
    settings,
    region,
    withEndpoint: chosen.what !== undefined,
    poll: chosen.poll,
    dryRun: chosen.dryRun,
  }
  return triedResult(context, found, check, options)
}

const findingText = ({ what, ok, says, hint }: Finding): string =>
  `${ok ? 'ok  ' : 'FAIL'}  ${what}: ${says}${hint === undefined ? '' : `\n      ${hint}`}`
