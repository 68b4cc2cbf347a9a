import { createHash, createHmac } from 'node:crypto'
import type { Incoming } from './http.ts'

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=[^/]+\/(?<day>\d{8})\/(?<region>[^/]+)\/(?<service>[^/]+)\/aws4_request,\s*SignedHeaders=(?<signed>[^,]+),\s*Signature=(?<signature>[0-9a-f]{64})$/

const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

/** Whether a request carries the Signature Version 4 that this secret gives for it. The path is signed as it was sent. */
export function isSigned(request: Incoming, secret: string): boolean {
  const match = AUTHORIZATION.exec(request.headers.authorization ?? '')
  const { day = '', region = '', service = '', signed = '', signature = '' } = match?.groups ?? {}
  const query = request.parameters.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).sort()
  const headers = signed.split(';').map((name) => `${name}:${(request.headers[name] ?? '').trim().replace(/ +/g, ' ')}`)
  const path = service === 's3' ? request.path : request.path.split('/').map(encoded).join('/')
  const canonical = [request.method, path, query.join('&'), ...headers, '', signed, request.payloadHash()].join('\n')
  const scope = `${day}/${region}/${service}/aws4_request`
  const text = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, sha256(canonical)].join('\n')
  const key = [day, region, service, 'aws4_request'].reduce(hmac, Buffer.from(`AWS4${secret}`))
  return hmac(key, text).toString('hex') === signature
}
