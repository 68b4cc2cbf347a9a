import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { ROOT, runProgram } from './support/run-script.ts'
import { tempFolder } from './support/temp.ts'

/** A project with these test files and the launcher. */
function project(files: Record<string, string>): string {
  const folder = tempFolder()
  mkdirSync(`${folder}/test`)
  const scripts = { types: 'true', lint: "node -e 'console.error(`no `+`style`);process.exit(7)'", unused: 'true' }
  writeFileSync(`${folder}/package.json`, JSON.stringify({ type: 'module', scripts }))
  symlinkSync(`${ROOT}node_modules`, `${folder}/node_modules`)
  mkdirSync(`${folder}/test/support`)
  for (const file of ['run.mjs', 'support/light-hooks.mjs'])
    copyFileSync(`${ROOT}test/${file}`, `${folder}/test/${file}`)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(`${folder}/test/${name}`), { recursive: true })
    writeFileSync(`${folder}/test/${name}`, `import { test } from 'node:test'\n${text}\n`)
  }
  return folder
}

const pass = "test('passes', () => {})"
const fail = "test('fails', () => { throw new Error('as it should') })"
const skip = "test('waits', { skip: 'no such thing here' }, () => {})"

const thorough = {
  'deep/a.test.ts': pass,
  'sandbox/deep/b.test.ts': pass,
  'cfn/rights/c.test.ts': pass,
  'trino/d.test.ts': pass,
}

const cases: [what: string, files: Record<string, string>, args: string[], last: string, code: number][] = [
  [
    'passing, with types in a test, beside other files',
    { 'a.test.ts': `const n: number = 1\n${pass}\nvoid n`, 'deep/b.test.ts': pass, 'helper.ts': fail },
    [],
    '2 passed, 0 failed, 0 skipped',
    0,
  ],
  ['one failing', { 'a.test.ts': pass, 'b.test.ts': fail }, [], '1 passed, 1 failed, 0 skipped', 1],
  [
    'one that cannot be read',
    { 'a.test.ts': pass, 'b.test.ts': 'import "./gone.ts"' },
    [],
    '1 passed, 1 failed, 0 skipped',
    1,
  ],
  [
    'beside one whose helper has hooks that fail',
    {
      'a.test.ts': `import './hooks.ts'\n${pass}`,
      'b.test.ts': pass,
      'hooks.ts': "import { afterEach } from 'node:test'\nafterEach(() => { throw new Error('as it should') })",
    },
    [],
    '1 passed, 1 failed, 0 skipped',
    1,
  ],
  [
    'beside one that has hooks that fail',
    {
      'a.test.ts': `import { afterEach } from 'node:test'\nafterEach(() => { throw new Error('as it should') })\n${pass}`,
      'b.test.ts': pass,
    },
    [],
    '1 passed, 1 failed, 0 skipped',
    1,
  ],
  ['one skipped', { 'a.test.ts': `${pass}\n${skip}` }, [], '1 passed, 0 failed, 1 skipped', 0],
  ['all skipped', { 'a.test.ts': skip }, [], '0 passed, 0 failed, 1 skipped', 1],
  ['a part of a path', { 'a.test.ts': fail, 'deep/b.test.ts': pass }, ['deep/'], '1 passed, 0 failed, 0 skipped', 0],
  [
    'a path',
    { 'a.test.ts': fail, 'deep/b.test.ts': pass },
    ['./test/deep/b.test.ts'],
    '1 passed, 0 failed, 0 skipped',
    0,
  ],
  [
    'one of several by its name',
    { 'a.test.ts': `${pass}\n${fail}` },
    ['--test-name-pattern=passes'],
    '1 passed, 0 failed, 1 skipped',
    0,
  ],
  ['without the thorough ones', thorough, [], '1 passed, 0 failed, 0 skipped', 0],
  ['all of them', thorough, ['--all'], '4 passed, 0 failed, 0 skipped', 0],
  ['a thorough one that is named', thorough, ['test/sandbox/deep'], '1 passed, 0 failed, 0 skipped', 0],
  ['a check that fails', { 'a.test.ts': pass }, ['--checks'], '1 passed, 1 failed, 0 skipped', 1],
  ['no file', { 'helper.ts': pass }, [], '', 1],
  ['no file of that name', { 'a.test.ts': pass }, ['b'], '', 1],
]

for (const [what, files, args, last, code] of cases)
  test(`the launcher: ${what}`, async () => {
    const ended = await runProgram(process.execPath, [`${project(files)}/test/run.mjs`, ...args], { cwd: tempFolder() })
    assert.equal(ended.stdout.trimEnd().split('\n').at(-1), last, ended.stdout)
    assert.equal(ended.code, code)
    if (last === '') assert.match(ended.stderr, /no test file/)
    assert.equal(/npm run lint:\nno style\n/.test(ended.stdout), args.includes('--checks'))
    const named = args.some((arg) => arg.startsWith('--test-name-pattern'))
    if (named) assert.doesNotMatch(ended.stdout, /\nskipped:/)
    else if (last.endsWith('1 skipped')) assert.match(ended.stdout, /\nskipped:\n {2}waits: no such thing here\n/)
  })
