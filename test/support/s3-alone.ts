import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'
import type { Sandbox } from '../sandbox/start.ts'

const refusal = (code: string) => `<?xml version="1.0"?><Error><Code>${code}</Code><Message>not here</Message></Error>`

/**
 * The sandbox's S3 behind a server that offers nothing else, as MinIO does without a KMS: it knows no encryption, and answers in XML what
 * is meant for another service. @returns the environment of a process that asks it
 */
export async function s3Alone({ url, env }: Sandbox): Promise<Record<string, string>> {
  const server = createServer((incoming, answer) => {
    const { method, headers } = incoming
    const refuse = (status: number, code: string) => {
      incoming.resume()
      answer.writeHead(status, { 'content-type': 'application/xml' }).end(refusal(code))
    }
    if (headers['x-amz-target'] !== undefined) return refuse(405, 'MethodNotAllowed')
    if (headers['x-amz-server-side-encryption'] !== undefined) return refuse(501, 'NotImplemented')
    const passed = request(`${url}${incoming.url}`, { method, headers }, (theirs) => {
      answer.writeHead(theirs.statusCode ?? 500, theirs.headers)
      theirs.pipe(answer)
    })
    incoming.pipe(passed)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => server.close())
  return { ...env, AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}
