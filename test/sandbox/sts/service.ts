import * as client from '@aws-sdk/client-sts'
import type { Incoming, Service } from '../http.ts'
import { queryService } from '../query-service.ts'
import type { Caller } from '../s3/state.ts'

/** STS, as far as it says who is calling. */
export const stsService = (identify: (request: Incoming) => Caller): Service =>
  queryService({
    name: 'sts',
    version: '2011-06-15',
    namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
    client,
    identify,
    resource: () => '',
    operations: {
      GetCallerIdentity: (_, { account, arn }) => ({ Arn: arn, UserId: 'AIDASANDBOX', Account: account }),
    },
  })
