import { mappedSource } from './own/source.ts'
import { presets } from './presets.ts'
import type { Source } from './source.ts'

/** Amazon API Gateway: which caller asked for what. No more than a mapping, which the configuration file may change. */
export const apigateway: Source = {
  ...mappedSource('apigateway', presets.apigateway),
  name: 'API Gateway',
  about: 'access logs of API Gateway as JSON, through Amazon Data Firehose',
}
