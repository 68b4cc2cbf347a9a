import * as client from '@aws-sdk/client-s3-control'
import { AwsError, type Call, type Incoming, type Reply, type Service } from '../http.ts'
import { botocoreModel, haveModels } from '../model/botocore.ts'
import { checkXml } from '../model/check.ts'
import { sdkModel } from '../model/sdk.ts'
import type { Caller, S3State } from '../s3/state.ts'
import { toXml } from '../xml.ts'
import type { Control } from './control.ts'
import * as operations from './operations.ts'

const ROOT = '/v20180820/'
const NAMESPACE = 'http://awss3control.amazonaws.com/doc/2018-08-20/'

const [strict, loose] = [botocoreModel('s3control'), sdkModel(client)]

type Perform = (call: operations.ControlCall) => operations.Result | Promise<operations.Result>

/** Operation and what does it, by method and path after the version. */
const ROUTES: readonly (readonly [method: string, path: RegExp, name: string, run: Perform])[] = [
  ['POST', /^jobs$/, 'CreateJob', operations.createJob],
  ['GET', /^jobs$/, 'ListJobs', operations.listJobs],
  ['GET', /^jobs\/([^/]+)$/, 'DescribeJob', operations.describeJob],
  ['POST', /^jobs\/([^/]+)\/status$/, 'UpdateJobStatus', operations.updateJobStatus],
  ['POST', /^jobs\/([^/]+)\/priority$/, 'UpdateJobPriority', operations.updateJobPriority],
]

/** S3 Control: jobs of S3 Batch Operations over the buckets of a state. */
export function s3ControlService(s3: S3State, control: Control, identify: (request: Incoming) => Caller): Service {
  return {
    name: 's3control',
    refuse,
    match: (request) => {
      if (!request.path.startsWith(ROOT)) return undefined
      const path = request.path.slice(ROOT.length)
      for (const [method, pattern, name, run] of ROUTES) {
        const found = request.method === method ? pattern.exec(path) : null
        if (!found) continue
        const jobId = decodeURIComponent(found[1] ?? '')
        return callOf(request, name, jobId, async () => {
          const call = { s3, control, request, jobId, caller: identify(request) }
          operations.checkAccount(call)
          operations.allowJobs(call, name)
          return run(call)
        })
      }
      throw new AwsError('NotImplemented', 501, `${request.method} ${request.path} is not in this sandbox`)
    },
  }
}

function callOf(request: Incoming, operation: string, jobId: string, run: () => Promise<operations.Result>): Call {
  const model = haveModels ? (strict(operation) ?? loose(operation)) : undefined
  return {
    service: 's3control',
    operation,
    resource: jobId,
    checkRequest: async () => {
      if (!model) return []
      const { query, headers } = request
      const uri = { id: jobId, JobId: jobId }
      return checkXml(model, 'input', { query, headers, uri, body: (await request.bytes()).toString() })
    },
    checkReply: ({ status, headers, body }) =>
      model && status < 300 ? checkXml(model, 'output', { headers, body: typeof body === 'string' ? body : '' }) : [],
    run: async () => ({
      status: 200,
      headers: { 'content-type': 'application/xml' },
      body: toXml(`${operation}Result`, await run(), NAMESPACE),
    }),
    refuse,
  }
}

function refuse(error: AwsError, requestId: string): Reply {
  const document = { Error: { Code: error.code, Message: error.message, ...error.fields }, RequestId: requestId }
  return {
    status: error.status,
    headers: { 'content-type': 'application/xml', ...error.headers },
    body: toXml('ErrorResponse', document, NAMESPACE),
  }
}
