import assert from 'node:assert/strict'
import { test } from 'node:test'
import { barProgress, lineProgress, noProgress } from '../../../scripts/lib/cli/progress.ts'
import { runProgram, runScript, scriptPath, TOY } from '../../support/run-script.ts'
import { onTerminal, TERMINAL } from '../../support/terminal.ts'

const CLEAR = '\r\u001b[K'

function bar(total: number | undefined, columns = 200) {
  let now = 0
  const written: string[] = []
  const screen = { write: (text: string) => void written.push(text), columns }
  const progress = barProgress(screen, { label: 'copy', total, unit: 'objects' }, () => now)
  return { progress, written, wait: (ms: number) => (now += ms) }
}

test('a bar is there at once', () =>
  assert.equal(bar(4).written.join(''), `${CLEAR}copy ${'░'.repeat(24)} 0/4 objects`))

test('a bar shows share, count and time left', () => {
  const { progress, written, wait } = bar(4)
  wait(3000)
  progress.advance()
  assert.equal(written.at(-1), `${CLEAR}copy ${'█'.repeat(6)}${'░'.repeat(18)} 1/4 objects · 9.0 s left`)
  wait(3000)
  progress.set(4)
  assert.equal(written.at(-1), `${CLEAR}copy ${'█'.repeat(24)} 4/4 objects`)
  progress.end()
  assert.equal(written.at(-1), `${CLEAR}copy: 4 objects in 6.0 s\n`)
})

test('a bar is not drawn more often than can be seen', () => {
  const { progress, written, wait } = bar(100_000)
  for (let i = 0; i < 10_000; i++) {
    progress.advance()
    wait(1)
  }
  assert.ok(written.length > 50 && written.length <= 101, String(written.length))
})

test('a change of state is drawn at once', () => {
  const { progress, written } = bar(4)
  progress.state('Preparing')
  assert.match(written.at(-1) ?? '', /0\/4 objects · Preparing$/)
})

test('more than all is all', () => {
  const { progress, written, wait } = bar(4)
  wait(1000)
  progress.set(9)
  assert.equal(written.at(-1), `${CLEAR}copy ${'█'.repeat(24)} 9/4 objects`)
})

test('one is no many', () => {
  const { progress, written, wait } = bar(1)
  wait(1000)
  progress.set(1)
  assert.equal(written.at(-1), `${CLEAR}copy ${'█'.repeat(24)} 1/1 object`)
  progress.end()
  assert.equal(written.at(-1), `${CLEAR}copy: 1 object in 1.0 s\n`)
})

test('without a total there is a count', () => {
  const { progress, written, wait } = bar(undefined)
  wait(1000)
  progress.set(1234)
  assert.equal(written.at(-1), `${CLEAR}copy: 1,234 objects`)
})

test('a bar never wraps and never obeys what it is told', () => {
  const { progress, written } = bar(4, 40)
  progress.state(`s3://${'x'.repeat(99)}\u001b[2J`)
  for (const text of written)
    assert.ok(text.slice(CLEAR.length).length < 40 && !text.slice(CLEAR.length).includes('\u001b'))
})

test('off a terminal there is a line per change of state and one at the end', () => {
  let now = 0
  let written = ''
  const write = (text: string) => {
    written += text
  }
  const progress = lineProgress({ write }, { label: 'copy', unit: 'objects' }, () => now)
  progress.state('Preparing')
  progress.state('Preparing')
  for (let i = 0; i < 1000; i++) progress.advance()
  progress.state('Active')
  now = 12_000
  progress.end()
  assert.equal(written, 'copy: Preparing\ncopy: Active\ncopy: 1,000 objects in 12 s\n')
})

test('no progress says nothing', () => {
  noProgress.advance()
  noProgress.set(1)
  noProgress.state('')
  noProgress.end()
})

test('toy --act progresses: lines on standard error', async () => {
  const { stdout, stderr } = await runScript(TOY, ['--act', 'progresses'])
  assert.equal(stdout, 'copied\n')
  assert.match(stderr, /^copy: Preparing\na note between\ncopy: Active\ncopy: 3 objects in [\d.]+ s\n$/)
})

test('toy --act progresses --quiet: silence', async () =>
  assert.equal((await runScript(TOY, ['--act', 'progresses', '--quiet'])).stderr, ''))

const terminals: [what: string, args: string[], env: Record<string, string>, drawn: boolean][] = [
  ['a terminal', [], { TERM: 'xterm' }, true],
  ['a terminal without colour', [], { TERM: 'xterm', NO_COLOR: '1' }, true],
  ['a dumb terminal', [], { TERM: 'dumb' }, false],
  ['--output json', ['-o', 'json'], { TERM: 'xterm' }, false],
]

for (const [what, args, env, drawn] of terminals)
  test(`progress on ${what}: ${drawn ? 'a bar' : 'lines'}`, { skip: TERMINAL.missing }, async () => {
    const { said } = await onTerminal([process.execPath, scriptPath(TOY), '--act', 'progresses', ...args], { env })
    assert.equal(said.includes('░'), drawn, said)
    // The note stands on a line of its own, not behind half a bar.
    if (drawn) assert.ok(said.includes(`${CLEAR}a note between\r\n`), said)
    // No colours in any case.
    assert.doesNotMatch(said.replaceAll('\u001b', '^'), /\^\[[\d;]*m/)
  })

test('on a terminal whose output goes to a file the bar is on the terminal', { skip: TERMINAL.missing }, async () => {
  const line = `"${process.execPath}" "${scriptPath(TOY)}" --act progresses > /dev/null`
  assert.ok((await onTerminal(['sh', '-c', line], { env: { TERM: 'xterm' } })).said.includes('░'))
  const both = await runProgram('sh', ['-c', `${line} 2>&1`])
  assert.equal(both.stdout, '')
})
