import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { helpText } from '../../../scripts/lib/cli/help.ts'
import { ROOT, runScript, TOY } from '../../support/run-script.ts'
import { tempFolder } from '../../support/temp.ts'
import { command } from './fixture/toy/command.ts'

const HELP = helpText(command)

test('help says what it is, examples first, then options', () => {
  const parts = [
    'toy: do what',
    'Only for the tests',
    'Examples\n',
    '--count N',
    'Options of every script',
    'Exit codes: 0',
  ]
  const places = parts.map((part) => HELP.indexOf(part))
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  )
  assert.ok(!places.includes(-1), String(places))
})

const lines: RegExp[] = [
  /^ {6}--count N +a whole number \(default: 7\)$/m,
  /^ {6}--tag TEXT +words \(repeatable\)$/m,
  /^ {6}--source cloudtrail\|waf +kind of log$/m,
  /^ {6}--dedupe +a switch that may be set in the file$/m,
  /^ {2}-n, --dry-run +show what/m,
  /^ {6}--act WORD +what to do instead of showing the values: breaks, deletes, (.*,\n {10,})+[\w, ]*waits$/m,
  /^ {6}--workspace URI +where runs live.*\n +\(default: .\/workspace\)$/m,
  /^ {2}-o, --output text\|json +format of the result/m,
]

for (const line of lines) test(`help has ${line.source}`, () => assert.match(HELP, line))

test('help fits a terminal and names each option once', () => {
  const options = HELP.slice(HELP.indexOf('\nOptions\n'))
  for (const line of HELP.split('\n')) assert.ok(line.length <= 110, line)
  const named = [...options.matchAll(/^ {2}(?:-\w, | {4})--([a-z-]+)/gm)].map(([, name]) => name)
  assert.equal(named.length, Object.keys(command.options).length)
  assert.equal(new Set(named).size, named.length)
})

const asked: string[][] = [
  ['--help'],
  ['-h'],
  ['-nh'],
  ['--help=true'],
  ['--nonsense', '--help'],
  ['--count', 'many', '-h', 'stray'],
  ['--version', '--help'],
]

for (const args of asked)
  test(`help for ${args.join(' ')}`, async () => {
    const cwd = tempFolder()
    // Help must not need what it could help to mend.
    writeFileSync(`${cwd}/prestage.yaml`, 'broken: [')
    assert.deepEqual(await runScript(TOY, args, { cwd }), { stdout: HELP, stderr: '', code: 0, signal: undefined })
  })

test('--version', async () => {
  const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'))
  for (const args of [['--version'], ['-n', '--version']])
    assert.deepEqual((await runScript(TOY, args)).stdout, `prestage ${version}\n`)
})
