import { UserError } from '../../lib/cli/errors.ts'

/** FailureReason of an endpoint, in words. */
const REASONS: readonly [RegExp, string, string][] = [
  [
    /capacity/i,
    'AWS has no such instance free at the moment',
    'repeat this later, or name another --instance-type; serverless needs none',
  ],
  [
    /\bec2:\w+|network interface/i,
    'the role of --sagemaker-role may not make network interfaces in the VPC of --subnet',
    'with the role of a stack: npx zx scripts/setup.mjs --allow-vpc ID',
  ],
  [
    /AccessDenied|access denied|not authorized|assume role|model data|download/i,
    'the role of --sagemaker-role cannot fetch the model',
    'it needs s3:GetObject on the workspace (and the use of its KMS key), and must trust sagemaker.amazonaws.com',
  ],
  [
    /ping health check|health check|out of memory|memory/i,
    'the model did not start',
    'more memory helps where that ran out: --memory 6144, or an --instance-type; its log: aws logs tail /aws/sagemaker/Endpoints/NAME',
  ],
]

/** @param now what serves after the failure */
export function endpointFailure(name: string, what: string, reason: string | undefined, now: string): UserError {
  const said = (reason ?? '').replace(/\s+/g, ' ').trim()
  const rule = REASONS.find(([pattern]) => pattern.test(said))
  const why = said === '' ? 'SageMaker does not say why' : rule === undefined ? said : `${rule[1]} (${said})`
  const hint = rule?.[2] ?? 'its log says more: aws logs tail /aws/sagemaker/Endpoints/NAME'
  return new UserError(`endpoint ${name}: ${what}: ${why}; ${now}`, { hint: hint.replace('NAME', name) })
}
