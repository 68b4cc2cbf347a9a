import { resolve } from 'node:path'
import { choice, flag, list, number, parsed, text } from './options.ts'

/** Options of every script. */
export const commonOptions = {
  config: text({ about: 'configuration file (default: prestage.yaml where it exists)', value: 'FILE' }),
  output: choice(['text', 'json'], { about: 'format of the result on standard output', short: 'o', default: 'text' }),
  quiet: flag({ about: 'print no progress and no notes, only warnings and errors', short: 'q' }),
  verbose: flag({ about: 'print more details on standard error', short: 'v' }),
  help: flag({ about: 'show this help', short: 'h' }),
  version: flag({ about: 'show the version' }),
}

/** How AWS is reached; only needed where an s3:// URI is named. Credentials are never flags. */
export const awsOptions = {
  profile: text({ about: 'named profile of the AWS configuration files', value: 'NAME' }),
  awsRegion: text({ about: 'AWS region to call (default: that of the bucket)', value: 'REGION' }),
  endpointUrl: text({ about: 'endpoint of all AWS services, in place of their own', value: 'URL' }),
  stack: text({ about: 'take logs, workspace, roles, workgroup and database from this stack of setup', value: 'NAME' }),
}

/** Options of the steps that run in SageMaker; without effect on this machine. */
export const sagemakerOptions = {
  sagemakerRole: text({ about: 'role with which SageMaker reads and writes the workspace', value: 'ARN' }),
  instanceType: text({ about: 'SageMaker instance, for example ml.m5.xlarge', value: 'TYPE' }),
  subnet: list({ about: 'in SageMaker: run in these subnets of a VPC', value: 'ID' }),
  securityGroup: list({ about: 'with --subnet: security groups of the VPC', value: 'ID' }),
  kmsKey: text({
    about:
      'encrypt what SageMaker writes, and its disks, with this key (default: what it writes, with the key of the bucket)',
    value: 'ARN',
  }),
  tag: list({ about: 'tags of everything created in SageMaker', value: 'KEY=VALUE', parse: keyAndValue }),
}

function keyAndValue(input: string): string {
  if (!/^[^=]{1,128}=.{0,256}$/.test(input)) throw new Error('must be KEY=VALUE')
  if (/^(aws|prestage):/i.test(input)) throw new Error('keys that begin with aws: or prestage: are taken')
  return input
}

const workspaceUri = (input: string): string => {
  if (input.startsWith('s3://')) return input.replace(/\/+$/, '')
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(input)) throw new Error('must be a folder or s3://bucket[/prefix]')
  return resolve(input)
}

export const workspaceOption = {
  workspace: {
    ...parsed({
      about: 'where runs live: a folder (embedded) or s3://bucket[/prefix] (AWS)',
      value: 'URI',
      parse: workspaceUri,
      default: '',
      defaultText: './workspace',
    }),
    // Of the folder in which the command runs, not of that in which this file was loaded.
    get fallback() {
      return resolve('workspace')
    },
  },
}

/** Options of the steps that change or spend something. */
export const guardOptions = {
  dryRun: flag({ about: 'show what would be done, without writing anything', short: 'n' }),
  yes: flag({ about: 'do not ask before money is spent or something is deleted', short: 'y' }),
  maxCost: number({ about: 'do not ask while the estimate is at most this', value: 'USD', min: 0 }),
  overwrite: flag({ about: 'do it again even if it is done' }),
}

/** Options of a step that works on an existing run. */
export const runOptions = {
  ...workspaceOption,
  run: text({
    about: 'id of a run, or latest: the run that a command named last',
    value: 'ID',
    default: 'latest',
  }),
  source: list({ about: 'with --run latest: the latest run of this source', value: 'NAME' }),
  ...guardOptions,
}

/** Of the steps that show addresses. */
export const networksOption = {
  networks: list({
    about:
      "says whose networks addresses are in: a MaxMind DB (.mmdb), a table as iptoasn.com has it, or AWS's ip-ranges.json; see docs/alerts.md",
    value: 'FILE',
  }),
}

export const ipv6Option = {
  ipv6: choice(['yes', 'no'], {
    about: 'whether accesses from IPv6 addresses are kept and judged, by evidence alone: IP Insights cannot take them',
    default: 'yes',
  }),
}

export const windowOptions = {
  from: text({ about: 'start of the window, UTC, for example 2026-11-20 or 2026-11-20T13:00', value: 'TIME' }),
  to: text({ about: 'end of the window, exclusive', value: 'TIME' }),
  last: text({
    about:
      'window up to the newest events that are delivered by now: 90m, 24h, 7d. It ends as long ago as delivery normally takes (an hour for cloudtrail, see docs/local.md; with several sources the longest), rounded down to five minutes, so that the windows of two nights meet',
    value: 'SPAN',
  }),
}

const accountId = (input: string): string => {
  if (!/^\d{12}$/.test(input)) throw new Error('must be 12 digits (leading zeros included)')
  return input
}

/** Which part of the logs to read. */
export const scopeOptions = {
  logs: text({
    about:
      'where the logs are: s3://bucket[/prefix] or a folder with the same keys; of several s3://…, separated by commas, the one that has the source',
    value: 'URI',
  }),
  account: list({ about: 'only these accounts', value: 'ID', parse: accountId }),
  region: list({ about: 'only logs of these regions', value: 'REGION' }),
}
