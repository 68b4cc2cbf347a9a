import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'

/** How an endpoint answers one request about so many pairs. */
export type Answer = (response: ServerResponse, pairs: number) => void

const lines = (pairs: number, line: (i: number) => string): string =>
  Array.from({ length: pairs }, (_, i) => `${line(i)}\n`).join('')

/** Number i as the answer to pair i. */
export const honest: Answer = (response, pairs) => response.end(lines(pairs, (i) => `{"dot_product":${i}}`))

export const status =
  (code: number, body = ''): Answer =>
  (response) => {
    response.statusCode = code
    response.end(body)
  }

export const text =
  (line: (i: number) => string, more = 0): Answer =>
  (response, pairs) =>
    response.end(lines(pairs + more, line))

/** Headers and a part of the body, then the connection is gone. */
export const cut: Answer = (response) => {
  response.writeHead(200, { 'content-length': '1000' })
  response.write('{"dot_product":1}\n', () => response.destroy())
}

export const hangUp: Answer = (response) => void response.socket?.destroy()

export const never: Answer = () => {}

/** Writes for ever. */
export const endless: Answer = (response) => {
  const chunk = 'x'.repeat(65_536)
  const more = () => {
    while (!response.destroyed && response.write(chunk));
    if (!response.destroyed) response.once('drain', more)
  }
  response.on('error', () => {})
  more()
}

/** Answers each request in turn with the next answer, and the last one from then on. Counts what was asked. */
export async function faultyEndpoint(...answers: Answer[]) {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', () => {
      const answer = answers[Math.min(bodies.length, answers.length - 1)] ?? never
      bodies.push(body)
      answer(response, body.split('\n').length - 1)
    })
    request.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies, server }
}
