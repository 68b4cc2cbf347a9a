import { SERVERLESS_CONCURRENCY } from '../../lib/aws/quota-names.ts'
import type { EndpointState } from '../../lib/aws/sagemaker/endpoints.ts'
import { cliFlags } from '../../lib/aws/sagemaker/options.ts'
import { UserError } from '../../lib/cli/errors.ts'
import { sagemakerEndpointOf } from '../../lib/runs/endpoint.ts'
import { type DeployStep, refuseServerless, variantOf } from './update.ts'

/** What serves now. @throws UserError when the endpoint cannot be made what is wanted, before anything is paid for */
export async function inService({ endpoints, spec, aws }: DeployStep, now: EndpointState | undefined) {
  const champion = now?.EndpointConfigName
  if (champion === undefined || now?.EndpointStatus === 'Failed') return { champion, isOneWay: false }
  const { endpoint, region, hardware } = spec
  const toServerless = 'memoryMB' in hardware
  const variant = await variantOf(endpoints, champion)
  await refuseServerless(endpoints, endpoint, {
    from: champion,
    toServerless,
    hint: `keep its instances: --instance-type ${variant?.InstanceType}; name another --endpoint; or delete it first:\n  aws sagemaker delete-endpoint --endpoint-name ${endpoint}${cliFlags(region, aws)}`,
  })
  return { champion, isOneWay: !toServerless && variant?.ServerlessConfig !== undefined }
}

/** Requests at once that all serverless endpoints of the account may have; undefined where that is of no matter, or cannot be read. */
export async function concurrencyQuota({ spec, aws }: DeployStep): Promise<number | undefined> {
  if ('instances' in spec.hardware) return undefined
  const [{ serviceQuotasClient }, { sagemakerQuotas }] = await Promise.all([
    import('../../lib/aws/clients.ts'),
    import('../../lib/aws/quotas.ts'),
  ])
  try {
    const found = await sagemakerQuotas(await serviceQuotasClient(aws, spec.region), [SERVERLESS_CONCURRENCY])
    return found.get(SERVERLESS_CONCURRENCY)
  } catch (error) {
    if (error instanceof UserError) return undefined
    throw error
  }
}

/** @throws UserError when the endpoint serves a model that others rely on */
export async function refuseToDelete({ run, spec }: DeployStep, config: string | undefined): Promise<void> {
  const note = await sagemakerEndpointOf(run)
  if (note?.config === config || run.ledger.steps.deploy?.checkpoint.created === config) return
  throw new UserError(`endpoint ${spec.endpoint} serves another model: --delete-after would delete that, too`, {
    hint: 'name another --endpoint for a temporary one',
  })
}
