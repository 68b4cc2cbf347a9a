import * as serviceQuotas from '@aws-sdk/client-service-quotas'
import * as sts from '@aws-sdk/client-sts'
import type { Incoming, Service } from './http.ts'
import { allow, jsonService } from './json-service.ts'
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

/** Service Quotas: only the list for SageMaker, one quota per page. */
export const quotasService = (
  s3: S3State,
  quotas: ReadonlyMap<string, number>,
  identify: (request: Incoming) => Caller,
): Service =>
  jsonService({
    name: 'service-quotas',
    target: 'ServiceQuotasV20190624',
    client: serviceQuotas,
    identify: (request) => allow(s3, identify(request), 'servicequotas:ListServiceQuotas', 'sagemaker', { arn: '*' }),
    resource: ({ ServiceCode }) => String(ServiceCode),
    operations: {
      ListServiceQuotas: ({ ServiceCode, NextToken }) => {
        const at = Number(NextToken ?? 0)
        const Quotas = [...quotas].slice(at, at + 1).map(([QuotaName, Value]) => ({ ServiceCode, QuotaName, Value }))
        return { Quotas, ...(at + 1 < quotas.size && { NextToken: String(at + 1) }) }
      },
    },
  })
