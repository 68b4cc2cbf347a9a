import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { defineCommand } from '../../../scripts/lib/cli/command.ts'
import { Interrupted, type StopSignal } from '../../../scripts/lib/cli/errors.ts'
import type { Host } from '../../../scripts/lib/cli/host.ts'
import { callCommand, runCommand } from '../../../scripts/lib/cli/run.ts'
import { awsOptions } from '../../../scripts/lib/cli/shared-options.ts'
import { thisProcess } from '../../support/waiting.ts'
import { command } from './fixture/toy/command.ts'

/** A host of its own streams, which is stopped already if a reason is given. */
function hostStoppedBy(reason?: unknown) {
  const controller = new AbortController()
  if (reason !== undefined) controller.abort(reason)
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const host: Host = { ...thisProcess, env: {}, stdin, stdout, stderr, signal: controller.signal }
  const said = () => [stdout, stderr].map((stream) => String(stream.read() ?? ''))
  return { host, said }
}

const reasons: [what: string, reason: unknown, signal: StopSignal, code: number][] = [
  ['Ctrl-C', new Interrupted('SIGINT'), 'SIGINT', 130],
  ['SIGTERM', new Interrupted('SIGTERM'), 'SIGTERM', 143],
  ['something else', new Error('enough'), 'SIGINT', 130],
]

for (const [what, reason, signal, code] of reasons)
  test(`a command that is stopped by ${what} before it begins does nothing and says so`, async () => {
    const { host, said } = hostStoppedBy(reason)
    assert.equal(await runCommand(command, ['--act', 'waits'], host), code)
    const [stdout, stderr] = said()
    assert.equal(stdout, '')
    assert.match(stderr ?? '', new RegExp(`^toy: ${signal}: stopping; the same command resumes`))
    assert.doesNotMatch(stderr ?? '', /waiting/)
  })

test('called by other code, a stopped command throws the reason', async () => {
  const reason = new Interrupted('SIGTERM')
  const { host } = hostStoppedBy(reason)
  await assert.rejects(callCommand(command, { act: 'waits' }, host), (error) => error === reason)
})

test('a hint in JSON repeats what was typed, as the printed ones do; what strangers wrote stays', async () => {
  const text = 'npx zx scripts/train.mjs --run a'
  const hints = defineCommand({
    ...{ name: 'hints', summary: '', examples: [], options: awsOptions },
    run: async () => ({ json: { failed: { waf: { hint: text } }, agent: text }, text: '' }),
  })
  const { host, said } = hostStoppedBy()
  assert.equal(await runCommand(hints, ['--profile', 'audit', '-o', 'json'], host), 0)
  assert.deepEqual(JSON.parse(said()[0] ?? ''), {
    failed: { waf: { hint: 'npx zx scripts/train.mjs --profile audit --run a' } },
    agent: text,
  })
})
