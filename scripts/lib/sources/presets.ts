import type { Mapped } from './own/schema.ts'

/** Mappings that come with prestage. The configuration file may change any part of them. */
export const presets = {
  /**
   * API Gateway has no fixed form: whoever sets it up names the members. These are the names of the JSON example in "Set up CloudWatch
   * logging for REST APIs in API Gateway", and names in its style for what that leaves out. Streams must be named `amazon-apigateway-…`:
   * "Log REST API calls to Amazon Data Firehose", API Gateway developer guide.
   */
  apigateway: {
    keys: '{yyyy}/{MM}/{dd}/{HH}/amazon-apigateway-{stream}-{version}-{yyyy}-{MM}-{dd}-{HH}-{mm}-{ss}-',
    before: 15,
    after: 15,
    late: 24,
    format: 'json',
    time: 'requestTime',
    'time-format': 'clf',
    address: 'ip',
    id: 'requestId',
    entities: { caller: 'caller', 'api-key': 'apiKey', 'user-agent': 'userAgent', authorizer: 'authorizer' },
    details: { user: 'user', method: 'httpMethod', path: 'resourcePath', status: 'status' },
  },
} satisfies Record<string, Mapped>
