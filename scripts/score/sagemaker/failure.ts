import type { DescribeTransformJobCommandOutput } from '@aws-sdk/client-sagemaker'
import { UserError } from '../../lib/cli/errors.ts'

type Rule = readonly [reason: RegExp, why: string, hint: string]

/** What FailureReason of a batch transform says. */
const RULES: readonly Rule[] = [
  [
    /CapacityError|insufficient capacity|unable to provision/i,
    'AWS has no such instance free at the moment',
    'repeat this later, which starts another job, or name another --instance-type',
  ],
  [
    /AccessDenied|access denied|not authorized|\(403\)|assume role|KMS/i,
    'its role may not do what it needs',
    'it needs s3:GetObject, s3:PutObject and s3:ListBucket on the workspace, and the use of its KMS key; mend it and repeat this, which starts another job',
  ],
  [
    /out of memory|MemoryError|exit code:? ?137/i,
    'it ran out of memory',
    'name a larger --instance-type; the same command starts another job',
  ],
  [
    /download model data|health check|load/i,
    'the model cannot be loaded',
    'is it still where it was trained to? npx zx scripts/train.mjs makes it again',
  ],
]

/** Why a transform has no answers. */
export function failureOf(job: DescribeTransformJobCommandOutput): UserError {
  const name = job.TransformJobName ?? ''
  if (job.TransformJobStatus === 'Stopped')
    return new UserError(`transform job ${name} was stopped`, { hint: 'the same command starts another one' })
  const said = (job.FailureReason ?? '').replace(/\s+/g, ' ').trim()
  const rule = RULES.find(([reason]) => reason.test(said))
  const why = rule === undefined ? said || 'SageMaker does not say why' : `${rule[1]} (${said})`
  return new UserError(`transform job ${name} failed: ${why}`, {
    hint:
      rule?.[2] ??
      `its log says more: aws logs tail /aws/sagemaker/TransformJobs --log-stream-name-prefix ${name} --since 1d; the same command starts another job`,
  })
}
