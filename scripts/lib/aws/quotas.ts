import {
  paginateListAWSDefaultServiceQuotas,
  paginateListServiceQuotas,
  type ServiceQuotasClient,
} from '@aws-sdk/client-service-quotas'
import { explaining } from './errors.ts'

/** As applied to the account, and of every account. */
const LISTS = {
  ListServiceQuotas: paginateListServiceQuotas,
  ListAWSDefaultServiceQuotas: paginateListAWSDefaultServiceQuotas,
}

/**
 * Quotas of SageMaker by their names, `ml.m5.large for training job usage`, as far as AWS lists them. Some are not listed as applied to the
 * account ("only if available", ListServiceQuotas, API reference): of these it is what every account has.
 */
export async function sagemakerQuotas(
  client: ServiceQuotasClient,
  names: readonly string[],
): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  const isComplete = () => names.every((name) => found.has(name))
  const find = async (list: (typeof LISTS)[keyof typeof LISTS]) => {
    for await (const { Quotas = [] } of list({ client, pageSize: 100 }, { ServiceCode: 'sagemaker' })) {
      for (const { QuotaName = '', Value = 0 } of Quotas)
        if (names.includes(QuotaName) && !found.has(QuotaName)) found.set(QuotaName, Value)
      if (isComplete()) return
    }
  }
  for (const [action, list] of Object.entries(LISTS))
    if (!isComplete())
      await explaining(find(list), {
        what: 'quotas of SageMaker',
        action: `servicequotas:${action}`,
        resource: '*',
      })
  return found
}
