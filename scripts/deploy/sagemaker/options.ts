import { checkSagemakerOptions, type SagemakerOptions } from '../../lib/aws/sagemaker/options.ts'
import type { Range } from '../../lib/aws/sagemaker/scaling.ts'
import { UsageError } from '../../lib/cli/errors.ts'
import { flag, number, type Option, parsed, text } from '../../lib/cli/options.ts'
import { sagemakerOptions } from '../../lib/cli/shared-options.ts'
import { spanIn } from '../../lib/runs/window.ts'

/** @throws Error unless it is `MIN:MAX` */
export function rangeOf(input: string): Range {
  const [, low, high] = /^(\d{1,4}):(\d{1,4})$/.exec(input) ?? []
  const [min, max] = [Number(low ?? 0), Number(high ?? 0)]
  if (min < 1 || max < min) throw new Error('must be MIN:MAX, for example 1:4')
  return { min, max }
}

const span = (about: string): Option<number | undefined> =>
  parsed({
    about,
    value: 'SPAN',
    parse: (input): number => {
      const ms = spanIn(input)
      if (ms === undefined) throw new Error('must be a span: 30m, 2h, 1d')
      return ms
    },
  })

export const sagemakerDeployOptions = {
  endpoint: text({ about: 'in SageMaker: name of the endpoint (default: prestage-<source>)', value: 'NAME' }),
  memory: number({
    about: 'memory of a serverless endpoint, in MB (default: by the size of the model, 3072 at least)',
    value: 'MB',
    min: 1024,
    max: 6144,
    integer: true,
  }),
  maxConcurrency: number({
    about: 'requests that a serverless endpoint answers at once; the account has a quota for all of them (default: 2)',
    min: 1,
    max: 200,
    integer: true,
  }),
  ...sagemakerOptions,
  instanceCount: number({
    about: 'with --instance-type: number of instances',
    default: 1,
    min: 1,
    max: 100,
    integer: true,
  }),
  autoscale: parsed({
    about: 'with --instance-type: scale between MIN and MAX instances, by the number of requests',
    value: 'MIN:MAX',
    parse: rangeOf,
  }),
  alertsPerDay: number({
    about: 'in SageMaker: alert budget per day; sets the threshold',
    default: 10,
    min: 0,
  }),
  force: flag({ about: 'deploy a model that is worse than the one in service' }),
  rollback: flag({ about: 'return to the configuration that was in service before' }),
  deleteAfter: span('delete the endpoint after this time, or on Ctrl-C'),
}

/** "Valid values are in 1 GB increments", MemorySizeInMB, API reference. */
export const STEP_MB = 1024

export interface DeployOptions extends SagemakerOptions {
  readonly endpoint?: string | undefined
  readonly memory?: number | undefined
  readonly maxConcurrency?: number | undefined
  readonly instanceCount: number
  readonly autoscale?: Range | undefined
  readonly alertsPerDay: number
  readonly force: boolean
  readonly rollback: boolean
  readonly deleteAfter?: number | undefined
  readonly dryRun: boolean
  readonly overwrite: boolean
}

/** @throws UsageError when the options do not go together */
export function checkOptions(options: DeployOptions): void {
  checkSagemakerOptions(options)
  const { instanceType, autoscale, instanceCount, subnet, endpoint } = options
  if (endpoint !== undefined && !/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/.test(endpoint))
    throw new UsageError(`--endpoint "${endpoint}" cannot be a name`, 'letters, digits and hyphens, 63 at most')
  checkServerless(options)
  if (instanceType !== undefined) return
  if (autoscale !== undefined || instanceCount > 1)
    throw new UsageError(
      '--autoscale and --instance-count need --instance-type',
      'a serverless endpoint scales by itself',
    )
  if (subnet.length > 0)
    throw new UsageError('a serverless endpoint cannot be in a VPC', 'name an --instance-type, or leave --subnet out')
}

function checkServerless({ instanceType, memory, maxConcurrency }: DeployOptions): void {
  const option = memory !== undefined ? '--memory' : maxConcurrency !== undefined ? '--max-concurrency' : undefined
  if (instanceType !== undefined && option !== undefined)
    throw new UsageError(`${option} is for serverless endpoints, --instance-type for others`, 'leave one of them out')
  if (memory !== undefined && memory % STEP_MB !== 0)
    throw new UsageError(`--memory ${memory}: a serverless endpoint has 1024, 2048, 3072, 4096, 5120 or 6144 MB`)
}
