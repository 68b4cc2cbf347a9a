import { paginateListServiceQuotas, type ServiceQuotasClient } from '@aws-sdk/client-service-quotas'
import { explaining } from './errors.ts'

/** Quotas of SageMaker by their names, `ml.m5.large for training job usage`, as far as the account has any. */
export const sagemakerQuotas = (
  client: ServiceQuotasClient,
  names: readonly string[],
): Promise<Map<string, number>> => {
  const find = async () => {
    const found = new Map<string, number>()
    for await (const { Quotas = [] } of paginateListServiceQuotas(
      { client, pageSize: 100 },
      { ServiceCode: 'sagemaker' },
    )) {
      for (const { QuotaName = '', Value = 0 } of Quotas) if (names.includes(QuotaName)) found.set(QuotaName, Value)
      if (found.size >= names.length) break
    }
    return found
  }
  return explaining(find(), {
    what: 'quotas of SageMaker',
    action: 'servicequotas:ListServiceQuotas',
    resource: '*',
  })
}
