import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { type EndpointRecord, endpointOf, stateOf, stopEndpoint } from '../../scripts/lib/runs/endpoint.ts'
import type { Run } from '../../scripts/lib/runs/run.ts'
import { createRun, openRun } from '../../scripts/lib/runs/workspace.ts'
import { REQUEST } from '../lib/runs/fixture/ledger.ts'
import { type Ended, runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'
import { trainedRun } from '../support/trained-run.ts'
import { thisProcess } from '../support/waiting.ts'

const workspace = tempFolder()
let run: Run
before(async () => {
  run = await trainedRun(workspace)
})
after(async () => {
  const record = await endpointOf(run)
  if (record !== undefined) await stopEndpoint(record, thisProcess)
})

const script = (name: string, ...args: string[]): Promise<Ended> =>
  runScript(name, ['--workspace', workspace, '--run', run.id, '--output', 'json', ...args])
const detach = (...args: string[]) => script('deploy', '--port', '0', '--detach', ...args)

/** What is noted, while it runs. */
async function noted(): Promise<EndpointRecord> {
  const record = await endpointOf(run)
  return record ?? assert.fail('no endpoint is noted')
}

/** Some other server, which says yes to everything. */
async function foreignServer(): Promise<{ server: Server; url: string; asked: string[] }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`)
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

test('deploy --detach leaves it running and notes it; again it finds it; clean stops it', async () => {
  const first = await detach()
  assert.equal(first.code, 0, first.stderr)
  const { endpoint, status, pid, run: id } = JSON.parse(first.stdout)
  assert.deepEqual([id, status], [run.id, 'InService'])
  const record = await noted()
  assert.deepEqual([record.url, record.pid], [endpoint, pid])
  assert.equal(statSync(run.path('endpoint/endpoint.json')).mode & 0o077, 0)
  assert.equal((await openRun(workspace, run.id)).resultBy('local', 'deploy').token, record.token)
  assert.doesNotMatch(first.stdout + first.stderr, new RegExp(record.token))

  const answer = await fetch(`${endpoint}/invocations`, {
    method: 'POST',
    headers: { 'content-type': 'text/csv' },
    body: 'agent-5,192.0.2.1\nnobody,192.0.2.1',
  })
  assert.equal(((await answer.json()) as { predictions: object[] }).predictions.length, 2)

  const again = JSON.parse((await detach()).stdout)
  assert.deepEqual([again.endpoint, again.pid, again.repeated], [endpoint, pid, true])

  const scored = await script('score', '--endpoint', endpoint)
  assert.equal(scored.code, 0, scored.stderr)

  const cleaned = await script('clean', '--yes')
  assert.equal(cleaned.code, 0, cleaned.stderr)
  assert.equal(JSON.parse(cleaned.stdout).removed[0].what, `endpoint ${endpoint}`)
  assert.equal(await stateOf(record), 'gone')
  assert.equal(existsSync(run.path('endpoint/endpoint.json')), false)
  assert.match(readFileSync(run.path('endpoint/endpoint.log'), 'utf8'), /Stopped/)
})

test('one that was killed is started again, and after a new training the new model is served', async () => {
  await detach()
  const first = await noted()
  process.kill(first.pid, 'SIGKILL')
  while ((await stateOf(first)) !== 'gone');
  const again = JSON.parse((await detach()).stdout)
  assert.equal(again.repeated, false)
  const second = await noted()
  assert.notEqual(second.token, first.token)

  const trained = await script('train', '--overwrite', '--seed', '2', '--epochs', '2', '--vector-dim', '8')
  assert.equal(trained.code, 0, trained.stderr)
  assert.equal(JSON.parse((await detach()).stdout).repeated, false)
  const third = await noted()
  assert.notEqual(third.model, second.model)
  assert.equal(await stateOf(second), 'gone')
  assert.equal(await stopEndpoint(third, thisProcess), 'stopped')
})

test('a foreign server at the noted address is neither stopped nor told the token', async () => {
  const { url, asked } = await foreignServer()
  const record = { url, pid: process.pid, token: 'secret-token', model: 'm' }
  writeFileSync(run.path('endpoint/endpoint.json'), JSON.stringify(record))
  assert.equal(await stateOf(record), 'foreign')
  const cleaned = await script('clean', '--yes')
  assert.equal(cleaned.code, 0, cleaned.stderr)
  assert.deepEqual(
    JSON.parse(cleaned.stdout).removed.map(({ what }: { what: string }) => what),
    ['note of the endpoint'],
  )
  assert.ok(
    asked.every((line) => line === 'GET /ping '),
    asked.join('\n'),
  )
  assert.equal(existsSync(run.path('endpoint/endpoint.json')), false)
})

test('a note that cannot be read is no endpoint', async () => {
  writeFileSync(run.path('endpoint/endpoint.json'), '{"url":"http://127.0.0.1:1"')
  assert.equal(await endpointOf(run), undefined)
})

test('where it cannot listen, deploy says why and leaves nothing', async () => {
  const { url } = await foreignServer()
  const ended = await script('deploy', '--port', new URL(url).port, '--detach')
  assert.match(ended.stderr, /^deploy: the endpoint did not start: port \d+ of 127\.0\.0\.1 is taken/m)
  assert.equal(ended.code, 1)
  assert.equal(await endpointOf(run), undefined)
  const foreground = await script('deploy', '--port', new URL(url).port)
  assert.match(foreground.stderr, /port \d+ of 127\.0\.0\.1 is taken\n.*--port 0/)
  assert.equal(foreground.code, 1)
})

test('a redeployment that fails leaves the endpoint that ran; one at the same port takes its place', async () => {
  assert.equal((await detach()).code, 0)
  const first = await noted()
  const { url } = await foreignServer()
  const failed = await script('deploy', '--port', new URL(url).port, '--detach', '--overwrite')
  assert.match(failed.stderr, /did not start: .*port \d+ of 127\.0\.0\.1 is taken/)
  assert.equal(failed.code, 1)
  assert.deepEqual([await noted(), await stateOf(first)], [first, 'ours'])
  const replaced = await script('deploy', '--port', new URL(first.url).port, '--detach', '--overwrite')
  assert.equal(replaced.code, 0, replaced.stderr)
  const second = await noted()
  assert.deepEqual([second.url, second.pid === first.pid], [first.url, false])
  assert.deepEqual([await stateOf(second), await stopEndpoint(second, thisProcess)], ['ours', 'stopped'])
})

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  test(`in the foreground it serves until ${signal}`, async () => {
    let asked: Promise<number> | undefined
    const ended = await runScript('deploy', ['--workspace', workspace, '--run', run.id, '--port', '0'], {
      onStderr: (soFar, kill) => {
        const url = /serving run \S+ on (\S+); Ctrl-C stops it/.exec(soFar)?.[1]
        if (url === undefined || asked !== undefined) return
        asked = fetch(`${url}/ping`).then(async ({ status }) => {
          const stopped = await fetch(`${url}/stop`, { method: 'POST' })
          assert.equal(stopped.status, 404)
          kill(signal)
          return status
        })
      },
    })
    assert.equal(await asked, 200)
    assert.equal(ended.code, code, ended.stderr)
    assert.match(ended.stdout, /Stopped/)
    assert.equal(await endpointOf(run), undefined)
  })

test('deploy --dry-run serves nothing; a run without a model is told what to do', async () => {
  const dry = await script('deploy', '--dry-run')
  assert.equal(JSON.parse(dry.stdout).dryRun, true)
  const bare = await createRun(workspace, REQUEST)
  const ended = await runScript('deploy', ['--workspace', workspace, '--run', bare.id])
  assert.match(ended.stderr, /has no finished train/)
  assert.equal(ended.code, 1)
})

test('others than the loopback are warned about', async () => {
  const ended = await runScript(
    'deploy',
    ['--workspace', workspace, '--run', run.id, '--port', '0', '--host', '0.0.0.0'],
    {
      onStderr: (soFar, kill) => (/Ctrl-C stops it/.test(soFar) ? kill('SIGTERM') : undefined),
    },
  )
  assert.match(ended.stderr, /warning: everybody who reaches 0\.0\.0\.0/)
  assert.match(ended.stderr, /on http:\/\/127\.0\.0\.1:\d+;/)
  const left = await detach('--host', '0.0.0.0')
  assert.match(left.stderr, /warning: everybody who reaches 0\.0\.0\.0/)
  assert.equal(await stopEndpoint(await noted(), thisProcess), 'stopped')
})
