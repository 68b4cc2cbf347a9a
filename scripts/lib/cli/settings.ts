import { existsSync } from 'node:fs'
import { type RawValues, splitList } from './arguments.ts'
import type { Command } from './command.ts'
import type { ConfigSection } from './config.ts'
import { messageOf, UsageError, UserError } from './errors.ts'
import { suggestion } from './nearest.ts'
import { kebab, type OptionSpecs, type Values, variable } from './options.ts'

const DEFAULT_CONFIG = 'prestage.yaml'

/** What the AWS SDK reads from the environment by itself: the file only must not win over it. */
const AWS_VARIABLES = {
  profile: 'AWS_PROFILE',
  'aws-region': 'AWS_REGION',
  'endpoint-url': 'AWS_ENDPOINT_URL',
} as const

/** Settings that a stack of `setup` has, by the outputs that hold them. The key is optional. */
const OF_STACK: Readonly<Record<string, string>> = {
  logs: 'Logs',
  workspace: 'Workspace',
  'batch-role': 'BatchRoleArn',
  'sagemaker-role': 'SageMakerRoleArn',
  workgroup: 'Workgroup',
  database: 'Database',
  'kms-key': 'KmsKeyArn',
}
const OPTIONAL = 'KmsKeyArn'

/**
 * Values of all options: flag, else environment (PRESTAGE_…, AWS_…), else configuration file, else stack, else default.
 * @throws UsageError naming where the bad value came from
 */
export async function resolveValues<S extends OptionSpecs>(
  command: Pick<Command<S>, 'options' | 'stackOutputs'>,
  typed: RawValues,
  env: NodeJS.ProcessEnv,
  warn: (text: string) => void,
): Promise<Values<S>> {
  const lower = await settingsBelowFlags(typed, env, warn)
  const { options: specs } = command
  for (const [name, given] of await settingsOfStack(command, typed, lower)) lower.set(name, given)
  const values: Record<string, unknown> = {}
  for (const [key, spec] of Object.entries(specs)) {
    const name = kebab(key)
    const typedAs = spec.argument ? (spec.value ?? name) : `--${name}`
    const given = typed[key] !== undefined ? { from: typedAs, value: typed[key] } : lower.get(name)
    if (given === undefined) {
      if (spec.required) throw new UsageError(`--${name} is missing: ${spec.about}`)
      values[key] = spec.fallback
      continue
    }
    const parse = (text: string): unknown => {
      try {
        return spec.parse(text)
      } catch (error) {
        throw new UsageError(`${given.from} "${text}": ${messageOf(error)}`)
      }
    }
    const { value } = given
    if (spec.kind === 'list') values[key] = (Array.isArray(value) ? value : splitList(value)).map(parse)
    else if (Array.isArray(value)) throw new UsageError(`${given.from}: this script takes only one`)
    else values[key] = parse(value)
  }
  return values as Values<S>
}

/** Values from a stack for options that have none otherwise. AWS is asked only if there are such options, and never for work on a folder. */
async function settingsOfStack(
  { options: specs, stackOutputs }: Pick<Command, 'options' | 'stackOutputs'>,
  typed: RawValues,
  lower: ReadonlyMap<string, Given>,
): Promise<Map<string, Given>> {
  const given = (name: string): string | undefined => {
    const value = typed[camel(name)] ?? lower.get(name)?.value
    return typeof value === 'string' ? value : undefined
  }
  const [stack, workspace] = [given('stack'), given('workspace')]
  const isHere = workspace !== undefined && !workspace.startsWith('s3://')
  const offline = Object.entries(specs).some(
    ([key, spec]) => spec.offline && typed[key] !== undefined && typed[key] !== 'false',
  )
  const wanted = Object.keys(specs)
    .map(kebab)
    .filter((name) => Object.hasOwn(OF_STACK, name) && given(name) === undefined)
    // Logs may be read from AWS for work on a folder; the other outputs have no use there.
    .filter((name) => name === 'logs' || !isHere)
  if (stack === undefined || stackOutputs === undefined || offline || wanted.length === 0) return new Map()
  const settings = { profile: given('profile'), awsRegion: given('aws-region'), endpointUrl: given('endpoint-url') }
  const outputs = await stackOutputs(stack, settings).catch((error: unknown) => {
    const { place, from } = lower.get('stack') ?? {}
    if (typed.stack !== undefined || from === undefined || !(error instanceof UserError)) throw error
    const { hint, exitCode } = error
    const where = `${place ?? from} names stack ${stack}: remove it, or add --workspace ./workspace, to work on this machine`
    throw new UserError(error.message, { hint: [hint, where].filter(Boolean).join('\n  '), exitCode, cause: error })
  })
  return new Map(
    wanted.flatMap((name): [string, Given][] => {
      const output = OF_STACK[name] ?? ''
      const value = outputs[output]
      if (value !== undefined) return [[name, { from: `stack ${stack}: ${output}`, value }]]
      if (output === OPTIONAL) return []
      throw new UsageError(`stack ${stack} has no output ${output}: setup did not make it`, 'name another --stack')
    }),
  )
}

/** `batch-role` → `batchRole` */
const camel = (name: string): string => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())

type Given = { from: string; value: string | string[]; place?: string }

/** The configuration file that counts: the one that is named, or the one that is there. */
function configPath(typed: RawValues, env: NodeJS.ProcessEnv): string | undefined {
  const named = typed.config ?? (env.PRESTAGE_CONFIG || undefined)
  return typeof named === 'string' ? named : existsSync(DEFAULT_CONFIG) ? DEFAULT_CONFIG : undefined
}

/** The section `sources` of the configuration file, if there are both. */
export async function sourcesSection(typed: RawValues, env: NodeJS.ProcessEnv): Promise<ConfigSection | undefined> {
  const path = configPath(typed, env)
  if (path === undefined) return undefined
  const { readSection } = await import('./config.ts')
  return readSection(path, 'sources')
}

async function settingsBelowFlags(
  typed: RawValues,
  env: NodeJS.ProcessEnv,
  warn: (text: string) => void,
): Promise<Map<string, Given>> {
  const found = new Map<string, Given>()
  const path = configPath(typed, env)
  // An empty variable is none.
  const variables = Object.keys(env).filter(
    (name) => name.startsWith('PRESTAGE_') && !/^PRESTAGE_(CONFIG|TEST_.*)$/.test(name) && env[name] !== '',
  )
  // The schema library loads only when there is something to check: help stays quick.
  if (path === undefined && variables.length === 0) return found
  const { configNames, readConfig } = await import('./config.ts')
  if (path !== undefined)
    for (const [name, { value, line }] of Object.entries(readConfig(path)))
      found.set(name, { from: `${path}: ${name}`, value, place: `line ${line} of ${path}` })
  for (const [name, awsVariable] of Object.entries(AWS_VARIABLES)) if (env[awsVariable]) found.delete(name)
  const nameOf = new Map(configNames.map((name) => [variable(name), name]))
  for (const key of variables) {
    const name = nameOf.get(key)
    if (name === undefined)
      warn(`environment variable ${key} is not known and ignored (${suggestion(key, [...nameOf.keys()])})`)
    else found.set(name, { from: key, value: env[key] ?? '' })
  }
  return found
}
