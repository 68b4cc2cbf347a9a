import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { scriptNames } from '../support/commands.ts'
import { ROOT, runProgram } from '../support/run-script.ts'
import { simulatedLogs } from '../support/simulated.ts'
import { tempFolder } from '../support/temp.ts'

/** Runs code that uses the commands as functions; what it returns is printed as JSON. */
async function ran(code: string, program = process.execPath) {
  const file = `${tempFolder()}/own.mjs`
  const text = `import * as prestage from ${JSON.stringify(`${ROOT}scripts/prestage.mjs`)}
const told = await (async () => { ${code} })()
process.stdout.write(JSON.stringify(told))`
  writeFileSync(file, text)
  const ended = await runProgram(program, [file], { cwd: tempFolder() })
  return { ...ended, told: ended.stdout === '' ? undefined : JSON.parse(ended.stdout) }
}

test('every command is a function', async () => {
  const { told, stderr } = await ran('return Object.keys(prestage)')
  assert.deepEqual(told?.toSorted(), scriptNames.toSorted(), stderr)
})

test('a call gives the JSON result; talk goes to standard error, and ids keep their zeros', async () => {
  const logs = await simulatedLogs()
  const { told, stderr, code } = await ran(`
    const window = { from: new Date('2026-03-02'), to: '2026-03-03' }
    const call = { source: 'cloudtrail', logs: ${JSON.stringify(logs)}, account: ['012345678901'], workspace: 'ws', ...window }
    return [await prestage.stage(call), await prestage.stage({ ...call, quiet: true })]`)
  assert.equal(code, 0, stderr)
  const [first, second] = told
  assert.match(first.run, /^cloudtrail-20260302T0000Z-20260303T0000Z-/)
  assert.ok(first.copied > 0)
  assert.equal(second.run, first.run)
  assert.match(stderr, /staging: .*objects.* in /)
})

const failing: [what: string, call: string, exitCode: number, hint: RegExp][] = [
  ['an unknown option', "prestage.stage({ sauce: 'waf' })", 2, /did you mean --source/],
  ['a missing run', "prestage.train({ workspace: 'nowhere' })", 2, /stage\.mjs/],
  ['a value that does not fit', "prestage.stage({ source: 'x', logs: '.', last: '1d' })", 2, /^$/],
]
for (const [what, call, exitCode, hint] of failing)
  test(`${what} throws, with the exit code and what to do`, async () => {
    const { told, stderr } = await ran(`
      try { return await ${call} } catch ({ message, exitCode, hint = '' }) { return { message, exitCode, hint } }`)
    assert.equal(told.exitCode, exitCode, JSON.stringify(told))
    assert.match(told.hint, hint)
    assert.equal(stderr, '')
  })

test('what nobody catches is shown by zx with its hint and without a stack', async () => {
  const { stderr, code } = await ran("return await prestage.stage({ sauce: 'waf' })", `${ROOT}node_modules/.bin/zx`)
  assert.equal(code, 1)
  assert.match(stderr, /unknown option --sauce[^\n]*\n {2}did you mean --source\?/)
  assert.doesNotMatch(stderr, /\n {4}at .*arguments\.ts/)
})
