import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { UserError } from '../../../scripts/lib/cli/errors.ts'
import {
  endpointOf,
  IDENTITY_HEADER,
  knowsToken,
  noteSagemakerEndpoint,
  sagemakerEndpointOf,
  sagemakerNoteOf,
  stateOf,
  stopEndpoint,
  tokenDigest,
} from '../../../scripts/lib/runs/endpoint.ts'
import { paths } from '../../../scripts/lib/runs/paths.ts'
import { createRun } from '../../../scripts/lib/runs/workspace.ts'
import { tempFolder } from '../../support/temp.ts'
import { thisProcess } from '../../support/waiting.ts'
import { REQUEST } from './fixture/ledger.ts'

const TOKEN = 'a token'

async function listening(listener: RequestListener): Promise<{ url: string; close(): void }> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  after(close)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

const recordOf = (url: string) => ({ url, pid: 1, token: TOKEN, model: 'm' })
const says =
  (identity: string | undefined, asked: string[] = []): RequestListener =>
  (request, response) => {
    asked.push(`${request.method} ${request.url}`)
    if (identity !== undefined) response.setHeader(IDENTITY_HEADER, identity)
    response.end()
  }

/** Milliseconds that somebody is waited for who never answers; whoever answers has all the time that there is. */
const SILENCE = 200

const states: [what: string, listener: RequestListener, state: string, answerMs?: number][] = [
  ['itself', says(tokenDigest(TOKEN)), 'ours'],
  ['one with another token', says(tokenDigest('another')), 'foreign'],
  ['one that repeats the token itself', says(TOKEN), 'foreign'],
  ['any other server', says(undefined), 'foreign'],
  [
    'one that sends elsewhere',
    (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    'foreign',
  ],
  ['one that keeps silent', () => {}, 'silent', SILENCE],
  ['one that hangs up', (request) => request.socket.destroy(), 'gone'],
]

for (const [what, listener, state, answerMs] of states)
  test(`at the noted address is ${what}: ${state}`, async () => {
    const { url } = await listening(listener)
    assert.equal(await stateOf(recordOf(url), answerMs), state)
  })

test('nobody is there', async () => {
  const { url, close } = await listening(() => {})
  close()
  assert.equal(await stateOf(recordOf(url)), 'gone')
  assert.equal(await stopEndpoint(recordOf(url), thisProcess), 'gone')
})

test('who is silent, or does not stop, is named with what to do', async () => {
  const silent = await listening(() => {})
  await assert.rejects(stopEndpoint(recordOf(silent.url), thisProcess, SILENCE), (error) => {
    assert.ok(error instanceof UserError)
    assert.match(error.message, /does not answer/)
    assert.match(error.hint ?? '', /process 1 /)
    return true
  })
  const asked: string[] = []
  const stubborn = await listening(says(tokenDigest(TOKEN), asked))
  await assert.rejects(stopEndpoint(recordOf(stubborn.url), thisProcess, undefined, 100), /does not stop/)
  assert.ok(asked.includes('POST /stop'))
})

test('who falls silent when it is told to stop has not stopped', async () => {
  const asked: string[] = []
  const { url } = await listening((request, response) => {
    if (asked.includes('POST /stop')) return
    says(tokenDigest(TOKEN), asked)(request, response)
  })
  // Ten silences: the first answer must come in time.
  await assert.rejects(stopEndpoint(recordOf(url), thisProcess, 10 * SILENCE, 100), /does not stop/)
})

for (const given of ['', 'a toke', 'a token ', 'A token'])
  test(`"${given}" is not the token`, () => assert.equal(knowsToken(given, TOKEN), false))
test('the token is', () => assert.equal(knowsToken(TOKEN, TOKEN), true))

const unreadable: [what: string, change: object][] = [
  ['no address', { url: 'here' }],
  ['no whole process number', { pid: 1.5 }],
  ['no token', { token: '' }],
  ['an unknown member', { sagemaker: 'prestage' }],
]
for (const [what, change] of unreadable)
  test(`a note with ${what} is no endpoint`, async () => {
    const run = await createRun(tempFolder(), REQUEST)
    const note = (record: object) => run.store.write(paths.endpoint, JSON.stringify(record))
    const record = recordOf('http://127.0.0.1:8080')
    await note(record)
    assert.deepEqual(await endpointOf(run), record)
    await note({ ...record, ...change })
    assert.equal(await endpointOf(run), undefined)
  })

test('an endpoint in SageMaker is noted, and not taken for one on this machine', async () => {
  const run = await createRun(tempFolder(), REQUEST)
  assert.equal(await sagemakerEndpointOf(run), undefined)
  const record = { sagemaker: 'prestage-waf', region: 'eu-west-1', config: 'prestage-1', model: 'digest' }
  await noteSagemakerEndpoint(run, record)
  assert.deepEqual(await sagemakerEndpointOf(run), record)
  assert.equal(await endpointOf(run), undefined)
  for (const until of ['2026-11-01T00:00:00+01:00', '2026-11-31T00:00:00Z', 'never']) {
    await noteSagemakerEndpoint(run, { ...record, until })
    assert.equal(await sagemakerEndpointOf(run), undefined)
  }
  const over = { ...record, ending: true, ended: '2026-11-01T00:00:00Z' } as const
  await noteSagemakerEndpoint(run, over)
  assert.deepEqual([await sagemakerEndpointOf(run), await sagemakerNoteOf(run)], [undefined, over])
})
