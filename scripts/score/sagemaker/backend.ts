import { bucketKeyFor } from '../../lib/aws/bucket-key.ts'
import type { Context } from '../../lib/cli/command.ts'
import { UsageError, UserError } from '../../lib/cli/errors.ts'
import { bytes } from '../../lib/cli/format.ts'
import { answersUsd, INSTANCES, isSmallFor, modelBytesOf, servingInstance } from '../../lib/runs/cost.ts'
import { sagemakerEndpointOf } from '../../lib/runs/endpoint.ts'
import { nextCommand } from '../../lib/runs/next.ts'
import type { Run } from '../../lib/runs/run.ts'
import type { AwsSettings } from '../../lib/stores/open.ts'
import { locationOf } from '../../lib/stores/uri.ts'
import type { Backend, BackendInput, BackendOptions } from '../backend.ts'
import { sagemakerEndpoint } from './endpoint.ts'
import { reusableJobs, transform } from './transform.ts'

type SagemakerBackend = Omit<Backend, 'model'>

/** An endpoint: the one that is named, or the one that deploy noted for the run. @throws UserError when there is none */
export async function endpointBackend(named: string | undefined, input: BackendInput): Promise<SagemakerBackend> {
  const { run, target, context, aws } = input
  const { name, region, config } = await endpointOf(named, input)
  const expected = run !== undefined &&
    run.folder === undefined && {
      expected: {
        model: target.model.uri,
        ...(config !== undefined && { config }),
        hint: nextCommand('deploy', run),
      },
    }
  const { signal, sleep, now, talk } = context
  const host = { signal, sleep, now, warn: (text: string) => talk.warn(text) }
  const hardware = run?.ledger.steps.deploy?.settings ?? {}
  // Of an endpoint that another run, or somebody else, has deployed nothing is known.
  const isKnown = hardware.endpoint === name
  const memory = typeof hardware.memoryMB === 'number' ? hardware.memoryMB : undefined
  return {
    about: `through endpoint ${name} in ${region}`,
    ...(isKnown && { usd: (pairs: number) => answersUsd(pairs, memory), unasked: true }),
    open: () => sagemakerEndpoint({ name, region, aws, ...host, ...expected }),
  }
}

async function endpointOf(name: string | undefined, { run, context, aws }: BackendInput) {
  const noted = run === undefined ? undefined : await sagemakerEndpointOf(run)
  if (noted !== undefined && (name === undefined || name === noted.sagemaker))
    return { name: noted.sagemaker, region: noted.region, config: noted.config }
  if (name !== undefined) return { name, region: await regionFor(run, aws, context), config: undefined }
  if (run === undefined) throw new Error('without a run an endpoint is named')
  throw new UserError(`run ${run.id} has no endpoint`, {
    hint: `make one: ${nextCommand('deploy', run)}; or score without one: --via transform`,
  })
}

/** The region of the workspace, else the one that is named or configured. */
export async function regionFor(run: Run | undefined, aws: AwsSettings, { env }: Context): Promise<string> {
  const location = run === undefined ? undefined : locationOf(run.uri)
  if (location?.kind === 's3') {
    const { regionOf } = await import('../../lib/aws/clients.ts')
    return regionOf(aws, location.bucket)
  }
  const region = aws.awsRegion ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION
  if (region === undefined) throw new UsageError('in which region is the endpoint?', 'name it: --aws-region')
  return region
}

/** Hours for the start of a job, and pairs that an instance scores in one hour: guessed low. */
const START_HOURS = 0.1
const PAIRS_PER_HOUR = 5_000_000

/** The smallest instance for transforms: their price is mostly the start. */
const SMALLEST = 'ml.m5.xlarge'

/** By AWS's table, unless a type is named; and why, for the plan. */
function transformHardware(run: Run, named: string | undefined): { instanceType: string; why: string } {
  const { numEntityVectors, vectorDim } = run.result('train')
  const model = modelBytesOf(numEntityVectors, vectorDim)
  const wanted = isSmallFor(SMALLEST, model) ? servingInstance(model) : SMALLEST
  const why = `AWS's table has ${servingInstance(model)} for a model of ${bytes(model)}`
  const instanceType = named ?? wanted
  return { instanceType, why: isSmallFor(instanceType, model) ? `which may be too small: ${why}` : why }
}

/** A batch transform. @throws UsageError without a run in S3 */
export async function transformBackend(options: BackendOptions, input: BackendInput): Promise<SagemakerBackend> {
  const { run, target, prepared, context, aws } = input
  if (run === undefined || run.folder !== undefined)
    throw new UsageError('--via transform needs a run in S3', 'name it: --workspace s3://bucket/prefix')
  const { sagemakerRole: role, kmsKey, overwrite } = options
  const { instanceType, why } = transformHardware(run, options.instanceType)
  const [location, region] = [locationOf(run.uri), await regionFor(run, aws, context)]
  const { job, image, digest } = run.resultBy('sagemaker', 'train')
  const jobs = prepared.threshold === undefined ? 2 : 1
  const price = INSTANCES[instanceType]?.usdPerHour
  const base = {
    id: run.id,
    workspace: run.workspace,
    region,
    image,
    model: target.model.uri,
    digest,
    trainingJob: job,
    ...{ role, instanceType, kmsKey },
    bucketKey: location.kind === 's3' ? await bucketKeyFor(options, aws, location.bucket) : undefined,
  }
  const { signal, talk } = context
  return {
    about: `${jobs === 1 ? 'a batch transform' : 'two batch transforms, the first to calibrate,'} on ${instanceType} in ${region} (${why})`,
    usd: (pairs) => (price === undefined ? null : jobs * price * (START_HOURS + pairs / PAIRS_PER_HOUR)),
    paid: async (saved) => {
      const names = [saved.scoringJob, ...(jobs === 2 ? [saved.calibratingJob] : [])]
      const known = names.filter((name) => name !== undefined)
      return (await reusableJobs({ base, store: run.store, aws, signal }, known)) / jobs
    },
    open: async (checkpoint) => {
      const progress = context.progress('transform')
      return transform({
        ...{ base, store: run.store, aws, overwrite, signal },
        onState: (text) => progress.state(text),
        onJob: async (purpose, name) =>
          checkpoint?.save(purpose === 'scoring' ? { scoringJob: name } : { calibratingJob: name }),
        onLeft: (name) =>
          talk.warn(
            `transform job ${name} continues and is paid for; the same command finds it again. To stop it: aws sagemaker stop-transform-job --transform-job-name ${name} --region ${region}`,
          ),
      })
    },
  }
}
