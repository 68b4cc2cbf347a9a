import { ListServiceQuotasCommand, type ServiceQuotasClient } from '@aws-sdk/client-service-quotas'
import { explained } from './errors.ts'

/** Quotas of SageMaker by their names, `ml.m5.large for training job usage`, as far as the account has any. */
export async function sagemakerQuotas(
  client: ServiceQuotasClient,
  names: readonly string[],
): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  let NextToken: string | undefined
  try {
    do {
      const page = await client.send(
        new ListServiceQuotasCommand({ ServiceCode: 'sagemaker', MaxResults: 100, ...(NextToken && { NextToken }) }),
      )
      for (const { QuotaName = '', Value = 0 } of page.Quotas ?? [])
        if (names.includes(QuotaName)) found.set(QuotaName, Value)
      NextToken = page.NextToken
    } while (NextToken !== undefined && found.size < names.length)
    return found
  } catch (error) {
    throw explained(error, { what: 'quotas of SageMaker', action: 'servicequotas:ListServiceQuotas', resource: '*' })
  }
}
