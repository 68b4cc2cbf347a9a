import assert from 'node:assert/strict'
import { cpSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { type Ended, ROOT, runProgram, scriptPath, TOY } from '../../support/run-script.ts'
import { tempFolder } from '../../support/temp.ts'

const BIN = `${ROOT}node_modules/.bin`
const zx = `${BIN}/zx`
const path = { PATH: `${BIN}:${process.env.PATH}` }
const toy = scriptPath(TOY)
const args = ['--account', '012345678901', '-o', 'json', '--name', '--verbose=1'.slice(2)]

const linked = (): string => {
  const link = `${tempFolder()}/short.mjs`
  symlinkSync(toy, link)
  return link
}

/** The project under another name: a link to it, or a copy, in a folder that shells and URLs read otherwise than it is meant. */
function moved(how: 'linked' | 'copied'): string {
  const project = `${tempFolder()}/it's "here" #1 ü %41 $(x)`
  if (how === 'linked') symlinkSync(ROOT, project)
  else {
    for (const part of ['package.json', 'scripts', dirname(TOY)])
      cpSync(`${ROOT}${part}`, `${project}/${part}`, { recursive: true })
    symlinkSync(`${ROOT}node_modules`, `${project}/node_modules`)
  }
  return `${project}/${TOY}`
}

function npmRun(): Promise<Ended> {
  const cwd = tempFolder()
  writeFileSync(`${cwd}/package.json`, JSON.stringify({ scripts: { toy: `zx ${toy}` } }))
  return runProgram('npm', ['run', '--silent', 'toy', '--', ...args], { cwd, env: path })
}

const starts: [how: string, start: () => Promise<Ended>][] = [
  ['npx zx scripts/x.mjs', () => runProgram('npx', ['zx', TOY, ...args])],
  ['zx from another folder', () => runProgram(zx, [toy, ...args], { cwd: tempFolder() })],
  ['zx from its own folder', () => runProgram(zx, ['toy.mjs', ...args], { cwd: dirname(toy) })],
  ['zx with options of its own', () => runProgram(zx, ['--verbose', '--shell=/bin/bash', toy, ...args])],
  ['zx over a link', () => runProgram(zx, [linked(), ...args])],
  ['zx in a project that is a link', () => runProgram(zx, [moved('linked'), ...args])],
  ['zx in a project whose folder has an odd name', () => runProgram(zx, [moved('copied'), ...args])],
  ['node in such a project', () => runProgram(process.execPath, [moved('copied'), ...args], { cwd: tempFolder() })],
  ['node', () => runProgram(process.execPath, [TOY, ...args])],
  ['node from another folder', () => runProgram(process.execPath, [toy, ...args], { cwd: tempFolder() })],
  ['the shebang', () => runProgram(toy, args, { env: path })],
  ['npm run', npmRun],
]

for (const [how, start] of starts)
  test(`started with ${how}`, async () => {
    const { stdout, code } = await start()
    const values = JSON.parse(stdout)
    assert.deepEqual([values.account, values.name, values.verbose, code], [['012345678901'], 'verbose=1', false, 0])
  })

for (const [how, start] of [
  ['zx', () => runProgram(zx, [toy, '--act', 'fails'])],
  ['the shebang', () => runProgram(toy, ['--act', 'fails'], { env: path })],
  ['node', () => runProgram(process.execPath, [toy, '--act', 'fails'])],
] as const)
  test(`a failure under ${how} has no stack and its own exit code`, async () => {
    const { stdout, stderr, code } = await start()
    assert.deepEqual([stdout, stderr, code], ['', 'toy: copy s3://a/b: connection lost\n  check the network\n', 1])
  })
