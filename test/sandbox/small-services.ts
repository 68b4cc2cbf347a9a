import * as serviceQuotas from '@aws-sdk/client-service-quotas'
import * as sts from '@aws-sdk/client-sts'
import type { Incoming, Service } from './http.ts'
import { allow, jsonService, type Operation } from './json-service.ts'
import { queryService } from './query-service.ts'
import type { Caller, S3State } from './s3/state.ts'

/** STS: only GetCallerIdentity. */
export const stsService = (identify: (request: Incoming) => Caller): Service =>
  queryService({
    name: 'sts',
    version: '2011-06-15',
    namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
    client: sts,
    identify,
    resource: () => '',
    operations: {
      GetCallerIdentity: (_, { account, arn }) => ({ Arn: arn, UserId: 'AIDASANDBOX', Account: account }),
    },
  })

/** Quotas of SageMaker in an account. AWS leaves out those whose value is not available. */
export const appliedQuotas = (): Map<string, number> => new Map([['ml.m5.large for training job usage', 15]])

/** Those of every account. */
export const defaultQuotas = (): Map<string, number> =>
  new Map([
    ['ml.m5.large for training job usage', 15],
    ['ml.m5.large for spot training job usage', 10],
    ['ml.m5.xlarge for transform job usage', 5],
    ['Maximum total concurrency that can be allocated across all serverless endpoints', 10],
  ])

/** Service Quotas: only the lists for SageMaker, one quota per page. */
export function quotasService(
  s3: S3State,
  { applied, defaults }: Readonly<Record<'applied' | 'defaults', ReadonlyMap<string, number>>>,
  identify: (request: Incoming) => Caller,
): Service {
  const listing = (operation: string, all: ReadonlyMap<string, number>): Operation => {
    return ({ ServiceCode, NextToken }, request) => {
      allow(s3, identify(request), `servicequotas:${operation}`, 'sagemaker', { arn: '*' })
      const at = Number(NextToken ?? 0)
      const Quotas = [...all].slice(at, at + 1).map(([QuotaName, Value]) => ({ ServiceCode, QuotaName, Value }))
      return { Quotas, ...(at + 1 < all.size && { NextToken: String(at + 1) }) }
    }
  }
  return jsonService({
    name: 'service-quotas',
    target: 'ServiceQuotasV20190624',
    client: serviceQuotas,
    identify,
    resource: ({ ServiceCode }) => String(ServiceCode),
    operations: {
      ListServiceQuotas: listing('ListServiceQuotas', applied),
      ListAWSDefaultServiceQuotas: listing('ListAWSDefaultServiceQuotas', defaults),
    },
  })
}
