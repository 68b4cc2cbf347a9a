import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Ended, ROOT, runProgram, runScript, scriptPath, TOY } from '../../support/run-script.ts'
import { onTerminal, TERMINAL } from '../../support/terminal.ts'

/** Runs an act, and sends each signal once standard error shows the text before it. */
function interrupted(
  act: string,
  steps: [after: RegExp, signal: NodeJS.Signals][],
  more: string[] = [],
): Promise<Ended> {
  const left = [...steps]
  return runScript(TOY, ['--act', act, ...more], {
    onStderr: (soFar, kill) => {
      const next = left[0]
      if (next === undefined || !next[0].test(soFar)) return
      left.shift()
      // Signals in the same tenth of a second are one press.
      void sleep(150).then(() => kill(next[1]))
    },
  })
}

const HINT = 'stopping; the same command resumes where it stopped. Again to quit at once.'

const stops: [act: string, signal: NodeJS.Signals, code: number][] = [
  ['waits', 'SIGINT', 130],
  ['waits', 'SIGTERM', 143],
  ['breaks', 'SIGINT', 130],
]

for (const [act, signal, code] of stops)
  test(`${signal} stops an act that ${act}: ${code}, and how to resume`, async () => {
    const ended = await interrupted(act, [[/waiting/, signal]])
    assert.deepEqual(ended, { stdout: '', stderr: `waiting\ntoy: ${signal}: ${HINT}\n`, code, signal: undefined })
  })

test('with --verbose, what broke on stopping is said', async () => {
  const { stderr, code } = await interrupted('breaks', [[/waiting/, 'SIGINT']], ['-v'])
  assert.match(stderr, /toy: socket hang up\n$/)
  assert.equal(code, 130)
})

test('an act that ends well on being stopped shows its result', async () => {
  const { stdout, code } = await interrupted('serves', [[/waiting/, 'SIGINT']])
  assert.deepEqual([stdout, code], ['served\n', 130])
})

test('a second signal quits one that does not listen', async () => {
  const { stdout, stderr, code } = await interrupted('ignores', [
    [/waiting/, 'SIGINT'],
    [/stopping/, 'SIGINT'],
  ])
  assert.deepEqual([stdout, stderr, code], ['', `waiting\ntoy: SIGINT: ${HINT}\n`, 130])
})

test('the second may be another', async () => {
  const { code } = await interrupted('ignores', [
    [/waiting/, 'SIGINT'],
    [/stopping/, 'SIGTERM'],
  ])
  assert.equal(code, 143)
})

test('a signal that arrives twice at once is one', async () => {
  const ended = await runScript(TOY, ['--act', 'waits'], {
    onStderr: (soFar, kill) => {
      if (soFar !== 'waiting\n') return
      kill('SIGINT')
      kill('SIGTERM')
    },
  })
  assert.match(ended.stderr, /stopping/)
  assert.equal(ended.stderr.split('stopping').length, 2)
})

const starters: [name: string, command: string[]][] = [
  ['node', [process.execPath, scriptPath(TOY)]],
  ['zx', [`${ROOT}node_modules/.bin/zx`, scriptPath(TOY)]],
  ['npx zx', ['npx', 'zx', scriptPath(TOY)]],
]

for (const [name, command] of starters)
  test(`Ctrl-C on a terminal under ${name} stops cleanly once`, { skip: TERMINAL.missing }, async () => {
    let pressed = false
    // The shell in between keeps the terminal after the signal, as a user's shell does.
    const line = `trap : INT; "$@"; echo "code $?"`
    const ended = await onTerminal(['bash', '-c', line, 'bash', ...command, '--act', 'waits'], {
      onSaid: (soFar, type) => {
        if (pressed || !soFar.includes('waiting')) return
        pressed = true
        type('\u0003')
      },
    })
    assert.equal(ended.said.split('SIGINT: stopping').length, 2, ended.said)
    assert.match(ended.said, /code 130\r\n$/)
  })

test('killed hard is killed: nothing pretends to have finished', async () => {
  const ended = await interrupted('waits', [[/waiting/, 'SIGKILL']])
  assert.deepEqual([ended.stdout, ended.code, ended.signal], ['', undefined, 'SIGKILL'])
  assert.equal((await runProgram('sh', ['-c', 'exit 0'])).code, 0)
})
