import type { DescribeTrainingJobCommandOutput } from '@aws-sdk/client-sagemaker'
import { UserError } from '../../lib/cli/errors.ts'

interface Why {
  readonly why: string
  readonly hint: string
  /** Whether the same job may do better another time. */
  readonly passes: boolean
}

type Rule = readonly [reason: RegExp, why: Why]

/** What FailureReason says, in the order in which it is looked for. */
const REASONS: readonly Rule[] = [
  [
    /Unable to parse entity|tokenizing data|CParserError/i,
    {
      why: 'the algorithm cannot read the pairs: it splits rows at dots, so an entity with a dot, comma or quote breaks them',
      hint: 'entities must be percent-encoded (john.doe is john%2Edoe), as extract writes them: extract again with --overwrite',
      passes: false,
    },
  ],
  [
    /out of memory|OutOfMemory|MemoryError|bad_alloc|exit code:? ?137|larger than 8 GB/i,
    {
      why: 'it ran out of memory',
      hint: 'name a larger --instance-type, or lower --num-entity-vectors, --vector-dim or --mini-batch-size',
      passes: false,
    },
  ],
  [
    /hyperparameter|must be (at most|at least|a whole|a number)/i,
    {
      why: 'the algorithm refuses a hyperparameter',
      hint: 'name another value; train --help has the ranges',
      passes: false,
    },
  ],
  [
    /CapacityError|insufficient capacity|unable to provision/i,
    {
      why: 'AWS has no such instance free at the moment',
      hint: 'repeat this later, which starts another attempt, or name another --instance-type',
      passes: true,
    },
  ],
  [
    /\bec2:\w+|network interface/i,
    {
      why: 'the role of --sagemaker-role may not make network interfaces in the VPC of --subnet',
      hint: 'with the role of a stack: npx zx scripts/setup.mjs --allow-vpc ID; then repeat this, which starts another attempt',
      passes: true,
    },
  ],
  [
    /AccessDenied|access denied|not authorized|\(403\)|assume role|KMS/i,
    {
      why: 'the role of --sagemaker-role may not do what training needs',
      hint: 'it needs s3:GetObject, s3:PutObject and s3:ListBucket on the workspace, and the use of its KMS key; mend it and repeat this, which starts another attempt',
      passes: true,
    },
  ],
  [
    /Internal ?Server ?Error|InternalError|internal error|service unavailable/i,
    { why: 'SageMaker itself failed', hint: 'repeat this: it starts another attempt', passes: true },
  ],
]

const STOPS: Readonly<Record<string, Why>> = {
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
  Stopped: { why: 'somebody stopped it', hint: 'repeat this: it starts another attempt', passes: true },
}

type Job = Pick<
  DescribeTrainingJobCommandOutput,
  'TrainingJobName' | 'TrainingJobStatus' | 'SecondaryStatus' | 'FailureReason'
>

/** Why a job has no model. */
export function whyOf({ TrainingJobName: name, TrainingJobStatus, SecondaryStatus, FailureReason = '' }: Job): Why {
  if (TrainingJobStatus === 'Stopped') return STOPS[SecondaryStatus ?? ''] ?? (STOPS.Stopped as Why)
  const said = FailureReason.replace(/\s+/g, ' ').trim()
  const rule = REASONS.find(([reason]) => reason.test(said))?.[1]
  if (rule !== undefined) return { ...rule, why: `${rule.why} (${said})` }
  return {
    why: said === '' ? 'SageMaker does not say why' : said,
    hint: `its log says more: aws logs tail /aws/sagemaker/TrainingJobs --log-stream-name-prefix ${name} --since 1d; --overwrite starts another attempt`,
    passes: false,
  }
}

export function failureOf(job: Job, again: boolean): UserError {
  const { why, hint, passes } = whyOf(job)
  const once = again && !passes ? ', and the same job would fail again' : ''
  return new UserError(`training job ${job.TrainingJobName} failed${once}: ${why}`, { hint })
}
