import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { argumentsOf, parseArguments, type RawValues } from '../../../scripts/lib/cli/arguments.ts'
import { UsageError } from '../../../scripts/lib/cli/errors.ts'
import { tempFolder } from '../../support/temp.ts'
import { command } from './fixture/toy/command.ts'

const parse = (line: string | string[]) =>
  parseArguments(typeof line === 'string' ? line.split(' ').filter(Boolean) : line, command.options)

const lines: [line: string | string[], values: RawValues][] = [
  ['', {}],
  ['--name a', { name: 'a' }],
  ['--name=a', { name: 'a' }],
  ['--name=a=b', { name: 'a=b' }],
  ['--name=', { name: '' }],
  ['--name=--count', { name: '--count' }],
  ['--name -5', { name: '-5' }],
  ['--name -7d', { name: '-7d' }],
  ['--name -.5', { name: '-.5' }],
  ['--name -', { name: '-' }],
  [['--name', 'a b'], { name: 'a b' }],
  ['--account 012345678901', { account: ['012345678901'] }],
  ['--account=012345678901 --account 1e3,0x10', { account: ['012345678901', '1e3', '0x10'] }],
  [['--tag', 'a, b', '--tag', ' c'], { tag: ['a', 'b', 'c'] }],
  ['--tag a,,b', { tag: ['a', '', 'b'] }],
  ['-n -y', { dryRun: 'true', yes: 'true' }],
  ['-ny', { dryRun: 'true', yes: 'true' }],
  ['-nn -n', { dryRun: 'true' }],
  ['-o json', { output: 'json' }],
  ['-ojson', { output: 'json' }],
  ['--dry-run=false', { dryRun: 'false' }],
  ['--max-cost 1.50', { maxCost: '1.50' }],
  ['--aws-region eu-central-1', { awsRegion: 'eu-central-1' }],
  ['--name a --', { name: 'a' }],
]

for (const [line, values] of lines) test(`read: ${JSON.stringify(line)}`, () => assert.deepEqual(parse(line), values))

const mistakes: [line: string | string[], message: string, hint?: string][] = [
  ['--dry-rnu', 'unknown option --dry-rnu', 'did you mean --dry-run?'],
  ['--DRY-RUN', 'unknown option --DRY-RUN', 'did you mean --dry-run?'],
  ['--dryRun', 'unknown option --dryRun', 'did you mean --dry-run?'],
  ['--dry_run', 'unknown option --dry_run', 'did you mean --dry-run?'],
  ['--no-dry-run', 'unknown option --no-dry-run', 'did you mean --dry-run?'],
  ['--accont=012345678901', 'unknown option --accont', 'did you mean --account?'],
  ['--accounts 1', 'unknown option --accounts', 'did you mean --account?'],
  ['--max 3', 'unknown option --max', 'did you mean --max-cost?'],
  ['--frobnicate-everything', 'unknown option --frobnicate-everything', 'see --help for what is valid'],
  ['--__proto__=1', 'unknown option --__proto__', 'see --help for what is valid'],
  ['--constructor', 'unknown option --constructor'],
  ['-x', 'unknown option -x', 'see --help for what is valid'],
  ['-dry-run', 'unknown option -dry-run', 'did you mean --dry-run?'],
  ['-nx', 'unknown option -nx'],
  ['--name', '--name needs a value: --name TEXT'],
  ['--source', '--source needs a value: --source cloudtrail|waf'],
  ['-o', '-o needs a value: -o text|json'],
  [
    '--name --count 3',
    '--name needs a value (TEXT), and "--count" looks like an option',
    'if it is the value, write --name=--count',
  ],
  ['--name -n', '--name needs a value (TEXT), and "-n" looks like an option', 'if it is the value, write --name=-n'],
  ['--name a --name b', '--name is given twice'],
  ['--name a --name a', '--name is given twice'],
  ['-o json --output text', '--output is given twice'],
  ['--yes --yes=false', '--yes is given twice'],
  ['stray', 'stray argument "stray"', 'every input is an option: see --help'],
  ['-', 'stray argument "-"', 'every input is an option: see --help'],
  ['--yes true', 'stray argument "true"', 'every input is an option: see --help'],
  ['--name a b', 'stray argument "b"', 'every input is an option: see --help'],
  ['-- --name', 'stray argument "--name"', 'every input is an option: see --help'],
  [['--name', 'a', ''], 'stray argument ""', 'every input is an option: see --help'],
]

for (const [line, message, hint] of mistakes)
  test(`refused: ${JSON.stringify(line)}`, () =>
    assert.throws(
      () => parse(line),
      (error) => {
        assert.ok(error instanceof UsageError)
        assert.equal(error.exitCode, 2)
        assert.equal(error.message, message)
        if (hint !== undefined) assert.equal(error.hint, hint)
        return true
      },
    ))

const word = fc.oneof(
  fc.string(),
  fc.constantFrom(
    '--',
    '-',
    '--name',
    '--tag',
    '-n',
    '-o',
    '--yes=',
    '--=x',
    '-=',
    '--name=',
    '--\u0000',
    '--toString',
  ),
)

test('whatever is typed is read or refused in words', () =>
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (args) => {
      try {
        parse(args)
      } catch (error) {
        assert.ok(error instanceof UsageError, String(error))
      }
    }),
    { numRuns: 1000 },
  ))

test('a value behind = arrives untouched', () =>
  fc.assert(fc.property(fc.string(), (value) => assert.deepEqual(parse([`--name=${value}`]), { name: value }))))

test('arguments are those after the script, however it was started', () => {
  const folder = tempFolder()
  mkdirSync(`${folder}/real`)
  writeFileSync(`${folder}/real/x.mjs`, '')
  symlinkSync(`${folder}/real/x.mjs`, `${folder}/link.mjs`)
  symlinkSync(`${folder}/real`, `${folder}/linked`)
  const entry = pathToFileURL(`${folder}/real/x.mjs`).href
  const own = ['--verbose', '--name', 'a']
  for (const before of [
    [`${folder}/real/x.mjs`],
    [`${folder}/link.mjs`],
    [`${folder}/linked/x.mjs`],
    ['/bin/zx', `${folder}/real/x.mjs`],
    ['/bin/zx', '--verbose', '--shell', '/bin/bash', `${folder}/linked/x.mjs`],
  ])
    assert.deepEqual(argumentsOf(entry, ['/bin/node', ...before, ...own]), own, before.join(' '))
  assert.deepEqual(argumentsOf(entry, ['/bin/node', `${folder}/real/x.mjs`, `${folder}/real/x.mjs`]), [
    `${folder}/real/x.mjs`,
  ])
})
