import * as client from '@aws-sdk/client-service-quotas'
import type { Incoming, Service } from '../http.ts'
import { jsonService } from '../json-service.ts'

/** Service Quotas, as far as it lists those of SageMaker: one a page. */
export const quotasService = (quotas: ReadonlyMap<string, number>, identify: (request: Incoming) => unknown): Service =>
  jsonService({
    name: 'service-quotas',
    target: 'ServiceQuotasV20190624',
    client,
    identify,
    resource: ({ ServiceCode }) => String(ServiceCode),
    operations: {
      ListServiceQuotas: ({ ServiceCode, NextToken }) => {
        const at = Number(NextToken ?? 0)
        const Quotas = [...quotas].slice(at, at + 1).map(([QuotaName, Value]) => ({ ServiceCode, QuotaName, Value }))
        return { Quotas, ...(at + 1 < quotas.size && { NextToken: String(at + 1) }) }
      },
    },
  })
