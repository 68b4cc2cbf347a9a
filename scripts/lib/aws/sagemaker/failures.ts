import { UserError } from '../../cli/errors.ts'

export type Kind = 'training' | 'transform' | 'endpoint'

/** Why something in SageMaker has failed. */
export interface Failure {
  readonly why: string
  readonly hint: string
  /** Whether the same request may succeed another time. */
  readonly passes: boolean
}

interface Rule extends Failure {
  /** Default: all. */
  readonly of?: readonly Kind[]
  readonly reason: RegExp
}

/** What FailureReason says. The first rule that fits counts. */
const RULES: readonly Rule[] = [
  {
    of: ['training'],
    reason: /Unable to parse entity|tokenizing data|CParserError/i,
    why: 'the algorithm cannot read the pairs: it splits rows at dots, so an entity with a dot, comma or quote breaks them',
    hint: 'entities must be percent-encoded (john.doe is john%2Edoe), as extract writes them: extract again with --overwrite',
    passes: false,
  },
  {
    of: ['training'],
    reason: /out of memory|OutOfMemory|MemoryError|bad_alloc|exit code:? ?137|larger than 8 GB/i,
    why: 'it ran out of memory',
    hint: 'name a larger --instance-type, or lower --num-entity-vectors, --vector-dim or --mini-batch-size',
    passes: false,
  },
  {
    of: ['training'],
    reason: /hyperparameter|must be (at most|at least|a whole|a number)/i,
    why: 'the algorithm refuses a hyperparameter',
    hint: 'choose another value; train --help has the ranges',
    passes: false,
  },
  {
    reason: /capacity|unable to provision/i,
    why: 'AWS has no such instance free at the moment',
    hint: 'repeat this later, or name another --instance-type',
    passes: true,
  },
  {
    reason: /\bec2:\w+|network interface/i,
    why: 'the role of --sagemaker-role may not make network interfaces in the VPC of --subnet',
    hint: 'with the role of a stack: npx zx scripts/setup.mjs --allow-vpc ID; then repeat this',
    passes: true,
  },
  {
    of: ['endpoint'],
    reason: /AccessDenied|access denied|not authorized|assume role|model data|download/i,
    why: 'the role of --sagemaker-role cannot fetch the model',
    hint: 'it needs s3:GetObject on the workspace (and the use of its KMS key), and must trust sagemaker.amazonaws.com',
    passes: true,
  },
  {
    reason: /AccessDenied|access denied|not authorized|\(403\)|assume role|KMS/i,
    why: 'the role of --sagemaker-role may not do what is needed',
    hint: 'it needs s3:GetObject, s3:PutObject and s3:ListBucket on the workspace, and the use of its KMS key; grant that and repeat this, which starts another attempt',
    passes: true,
  },
  {
    of: ['transform'],
    reason: /out of memory|MemoryError|exit code:? ?137/i,
    why: 'it ran out of memory',
    hint: 'name a larger --instance-type',
    passes: false,
  },
  {
    of: ['transform'],
    reason: /download model data|health check|load/i,
    why: 'the model cannot be loaded',
    hint: 'check that it is still where it was trained to; npx zx scripts/train.mjs makes it again',
    passes: false,
  },
  {
    of: ['endpoint'],
    reason: /health check|memory/i,
    why: 'the model did not start',
    hint: 'where its memory was too small there are two ways: --memory 4096 to 6144, for which a new account needs a larger quota (Service Quotas, Amazon SageMaker: memory of serverless endpoints), or instances, --instance-type ml.m5.large; its log: aws logs tail /aws/sagemaker/Endpoints/NAME',
    passes: false,
  },
  {
    reason: /Internal ?Server ?Error|InternalError|internal error|service unavailable/i,
    why: 'SageMaker itself failed',
    hint: 'repeat this: it starts another attempt',
    passes: true,
  },
]

const LOGS: Readonly<Record<Kind, string>> = {
  training: '/aws/sagemaker/TrainingJobs --log-stream-name-prefix NAME --since 1d; --overwrite starts another attempt',
  transform:
    '/aws/sagemaker/TransformJobs --log-stream-name-prefix NAME --since 1d; the same command starts another job',
  endpoint: '/aws/sagemaker/Endpoints/NAME',
}

/** A FailureReason in words. @param name of the job or endpoint */
export function failureFor(kind: Kind, name: string, reason = ''): Failure {
  const said = reason.replace(/\s+/g, ' ').trim()
  const rule = RULES.find(({ of, reason: pattern }) => (of?.includes(kind) ?? true) && pattern.test(said))
  if (rule !== undefined) return { ...rule, why: `${rule.why} (${said})`, hint: rule.hint.replace('NAME', name) }
  return {
    why: said === '' ? 'SageMaker does not say why' : said,
    hint: `its log says more: aws logs tail ${LOGS[kind].replace('NAME', name)}`,
    passes: false,
  }
}

/** Why a job was stopped, by its secondary status. */
const STOPS: Readonly<Record<string, Failure>> = {
  MaxRuntimeExceeded: {
    why: 'it was stopped: it ran longer than --max-runtime',
    hint: 'give it more time, or name a larger --instance-type or fewer --epochs',
    passes: false,
  },
  MaxWaitTimeExceeded: {
    why: 'it was stopped: no spot instance was free for long enough within --max-wait',
    hint: 'repeat this later, or leave --spot out',
    passes: true,
  },
  Interrupted: {
    why: 'its spot instance was taken away, and the algorithm keeps no checkpoints',
    hint: 'repeat this, or leave --spot out',
    passes: true,
  },
}
const STOPPED: Failure = { why: 'somebody stopped it', hint: 'repeat this: it starts another attempt', passes: true }

export const stopFor = (secondaryStatus = ''): Failure => STOPS[secondaryStatus] ?? STOPPED

/** @param now what serves after the failure */
export function endpointFailure(name: string, what: string, reason: string | undefined, now: string): UserError {
  const { why, hint } = failureFor('endpoint', name, reason)
  return new UserError(`endpoint ${name}: ${what}: ${why}; ${now}`, { hint })
}
