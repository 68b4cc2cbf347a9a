import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import type { Stack } from '../lib/aws/cloudformation/stack.ts'
import { UsageError } from '../lib/cli/errors.ts'
import { plural } from '../lib/cli/format.ts'

/** Settings that differ from those of the stack, or of the template. */
export interface SetupOptions {
  /** `s3://bucket[/prefix]` */
  readonly readLogs: readonly string[]
  readonly logsKey: readonly string[]
  readonly metadataTables?: 'on' | 'off' | undefined
  /** Of Security Lake: `s3://bucket[/prefix]`; `none` takes the right away again. */
  readonly readLake: readonly string[]
  readonly prefix?: string | undefined
  readonly retentionDays?: number | undefined
  readonly resultsRetentionDays?: number | undefined
  readonly encryption?: 's3' | 'kms' | undefined
  readonly database?: string | undefined
  readonly scanCutoff?: number | undefined
  readonly permissionsBoundary?: string | undefined
  /** Id of a VPC; `none` takes the right away again. */
  readonly allowVpc?: string | undefined
}

/** By name; undefined keeps what the stack has. */
export type Parameters = Readonly<Record<string, string | undefined>>

const GB = 1_000_000_000

/**
 * The template's parameters. What is not asked for stays as the stack has it, or as the template does; what an older template had, and
 * this one has not, goes.
 * @param defaults of this template
 * @throws UsageError when a new stack has no logs
 */
export function parametersOf(
  options: SetupOptions,
  existing: Stack | undefined,
  defaults: Stack['parameters'],
  partition: string,
): Parameters {
  const { readLogs: logs, readLake, logsKey } = options
  if (logs.length === 0 && existing === undefined)
    throw new UsageError('no logs', 'add --read-logs s3://bucket[/prefix], of every bucket that is to be read')
  const asked: Parameters = {
    ...(logs.length > 0 && placesOf('Logs', logs, partition)),
    ...(readLake.length > 0 && placesOf('Lake', readLake.includes('none') ? [] : readLake, partition)),
    ...(logsKey.length > 0 && { LogsKeyArns: unique(logsKey).join() }),
    QueryMetadata: options.metadataTables && String(options.metadataTables === 'on'),
    Prefix: options.prefix,
    RetentionDays: options.retentionDays?.toString(),
    ResultsRetentionDays: options.resultsRetentionDays?.toString(),
    CreateKey: options.encryption && String(options.encryption === 'kms'),
    DatabaseName: options.database,
    ScanCutoffBytes: options.scanCutoff === undefined ? undefined : String(Math.round(options.scanCutoff * GB)),
    PermissionsBoundaryArn: options.permissionsBoundary,
    AllowVpc: options.allowVpc === 'none' ? '' : options.allowVpc,
  }
  const given = Object.entries(asked).filter(([, value]) => value !== undefined)
  const kept = Object.keys(existing?.parameters ?? {})
    .filter((name) => Object.hasOwn(defaults, name))
    .map((name) => [name, undefined])
  return Object.fromEntries([...kept, ...given])
}

const placesOf = (of: 'Logs' | 'Lake', uris: readonly string[], partition: string): Parameters => ({
  [`${of}BucketArns`]: unique(uris.map((uri) => `arn:${partition}:s3:::${bucketAndPrefix(uri).bucket}`)).join(),
  [`${of}ObjectArns`]: unique(uris.map((uri) => objectsArn(uri, partition))).join(),
})

/** What the parameters come to: as asked for, else as the stack has them, else as the template does. */
export function parameterValues(parameters: Parameters, existing: Stack | undefined, defaults: Stack['parameters']) {
  const asked = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return { ...defaults, ...existing?.parameters, ...Object.fromEntries(asked) }
}

/**
 * A template cannot compare numbers: nobody else would say so.
 * @throws UsageError when results expire before what they were made of
 */
export function checkRetention(days: number | undefined, resultsDays: number | undefined): void {
  if (days === undefined || resultsDays === undefined || resultsDays >= days) return
  throw new UsageError(
    `results would expire after ${plural(resultsDays, 'day')}, before what they were made of, which stays ${days}`,
    'give --results-retention-days at least as many as --retention-days',
  )
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)]

export function bucketAndPrefix(uri: string): { bucket: string; prefix: string } {
  const [, bucket = '', path = ''] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(uri) ?? []
  return { bucket, prefix: path === '' || path.endsWith('/') ? path : `${path}/` }
}

/** The objects below a URI. */
export function objectsArn(uri: string, partition = 'aws'): string {
  const { bucket, prefix } = bucketAndPrefix(uri)
  return `arn:${partition}:s3:::${bucket}/${prefix}*`
}

export function logsUri(text: string): string {
  if (!/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[^*?,]*)?$/.test(text))
    throw new Error('must be s3://bucket[/prefix]')
  return text.replace(/\/+$/, '')
}

export const lakeUri = (text: string): string => (text === 'none' ? text : logsUri(text))

export function keyArn(text: string): string {
  if (!/^arn:aws[\w-]*:kms:[\w-]+:\d{12}:key\/[\w-]+$/.test(text)) throw new Error('must be the ARN of a KMS key')
  return text
}

export function vpcId(text: string): string {
  if (!/^(vpc-[0-9a-f]+|none)$/.test(text)) throw new Error('must be the id of a VPC, vpc-…, or none')
  return text
}

/** The same options have the same change set. */
export const changeSetName = (template: string, parameters: Parameters): string =>
  `prestage-${createHash('sha256')
    .update(JSON.stringify([template, parameters]))
    .digest('hex')
    .slice(0, 16)}`

const TEMPLATE = new URL('../../cfn/prestage.yaml', import.meta.url)

/** The template of this version. */
export const shippedTemplate = (): Promise<string> => readFile(TEMPLATE, 'utf8')

/** What parameters of a template are when nobody says otherwise. */
export function defaultsIn(template: string): Record<string, string> {
  const { Parameters } = read(template)
  return Object.fromEntries(Object.entries(Parameters).map(([name, { Default = '' }]) => [name, String(Default)]))
}

/** The digest that a template has of itself. A stack keeps it as its output `Template`, so that it tells what it was made from. */
export const digestIn = (template: string): string => read(template).Outputs.Template.Value

interface Read {
  readonly Parameters: Readonly<Record<string, { readonly Default?: string | number }>>
  readonly Outputs: { readonly Template: { readonly Value: string } }
}

const templates = new Map<string, Read>()

/** What CloudFormation's short forms mean does not matter here. Parsed once a process, since that takes a tenth of a second. */
function read(template: string): Read {
  const parsed = templates.get(template) ?? (parse(template, { logLevel: 'silent', prettyErrors: false }) as Read)
  templates.set(template, parsed)
  return parsed
}
