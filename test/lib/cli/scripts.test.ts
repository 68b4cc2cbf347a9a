import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { configNames } from '../../../scripts/lib/cli/config.ts'
import { helpText } from '../../../scripts/lib/cli/help.ts'
import { kebab, type OptionSpecs } from '../../../scripts/lib/cli/options.ts'
import * as shared from '../../../scripts/lib/cli/shared-options.ts'
import { commandLinesIn, faultIn } from '../../support/command-lines.ts'
import { commandOf, ORDER, scriptNames } from '../../support/commands.ts'
import { ROOT, runProgram, runScript, scriptPath, TOY } from '../../support/run-script.ts'
import { tempFolder } from '../../support/temp.ts'

const HEAVY = /node_modules\/(@duckdb|fastify|@observablehq|linkedom|@aws-sdk|@smithy)\//

/** Runs a script and gives back the addresses of everything that it imported. */
async function loadedBy(script: string, args: string[]) {
  const noted = `${tempFolder()}/loaded`
  writeFileSync(noted, '')
  const hook = ['--import', `${ROOT}test/lib/cli/fixture/note-loads.mjs`]
  const ended = await runProgram(process.execPath, [...hook, scriptPath(script), ...args], { env: { LOADED: noted } })
  return { ...ended, loaded: readFileSync(noted, 'utf8').split('\n') }
}

test('every script has its place in the order', () => assert.deepEqual(scriptNames, ORDER))

test('what is loaded is noticed', async () => {
  const { loaded } = await loadedBy(TOY, ['--act', 'loadsMuch'])
  assert.ok(loaded.some((url) => HEAVY.test(url)))
  assert.ok(loaded.some((url) => url.endsWith('/acts.ts')))
})

for (const name of scriptNames) {
  test(`${name}: --help is quick: it loads no heavy library`, async () => {
    const command = await commandOf(name)
    const { stdout, stderr, code, loaded } = await loadedBy(name, ['--help'])
    assert.deepEqual([stdout, stderr, code], [helpText(command), '', 0])
    assert.ok(loaded.some((url) => url.endsWith(`/${name}/command.ts`)))
    assert.deepEqual(
      loaded.filter((url) => HEAVY.test(url)),
      [],
    )
  })

  test(`${name}: is called by its name and tells what it does`, async () => {
    const command = await commandOf(name)
    assert.equal(command.name, name)
    assert.match(command.summary, /^[a-z].*[^.]$/)
    assert.ok(command.examples.length > 0)
  })

  test(`${name}: its examples would be taken`, async () => {
    const command = await commandOf(name)
    for (const { run } of command.examples) {
      const lines = commandLinesIn(run)
      assert.ok(lines.length > 0 && run.startsWith('npx zx scripts/'), run)
      for (const line of lines) assert.equal(await faultIn(line), undefined)
    }
    assert.ok(command.examples.some(({ run }) => run.startsWith(`npx zx scripts/${name}.mjs`)))
  })

  test(`${name}: an unknown option is 2, with the nearest valid one, and nothing on standard output`, async () => {
    const { stdout, stderr, code } = await runScript(name, ['--outptu', 'json'], { cwd: tempFolder() })
    assert.deepEqual([stdout, stderr, code], ['', `${name}: unknown option --outptu\n  did you mean --output?\n`, 2])
  })

  test(`${name}: a stray argument is 2`, async () => {
    const takesOne = Object.values((await commandOf(name)).options).some(({ argument }) => argument)
    const words = takesOne ? ['one', 'stray'] : ['stray']
    const { stdout, stderr, code } = await runScript(name, words, { cwd: tempFolder() })
    assert.match(stderr, new RegExp(`^${name}: stray argument "stray"\n`))
    assert.deepEqual([stdout, code], ['', 2])
  })

  test(`${name}: every option is explained in a phrase`, async () => {
    const command = await commandOf(name)
    for (const [key, { about, value, kind }] of Object.entries(command.options)) {
      assert.match(about, /\S/, key)
      assert.doesNotMatch(about, /\.$|\n/, key)
      if (kind === 'flag') assert.equal(value, undefined, key)
    }
  })

  test(`${name}: the same option means the same as everywhere`, async () => {
    const command = await commandOf(name)
    const common: OptionSpecs = Object.assign({}, ...Object.values(shared))
    for (const [key, spec] of Object.entries(command.options)) {
      // A run has one source: stage takes one of those that other scripts take several of.
      const usual = name === 'stage' && key === 'source' ? undefined : common[key]
      if (usual !== undefined) assert.deepEqual([spec.kind, spec.short], [usual.kind, usual.short], key)
      else assert.equal(spec.short, undefined, `${key}: only common options have short names`)
    }
  })
}

test('every setting of the configuration file is an option of some script', async () => {
  const commands = await Promise.all(scriptNames.map(commandOf))
  const options = new Set(commands.flatMap(({ options }) => Object.keys(options).map(kebab)))
  assert.deepEqual(
    configNames.filter((name) => !options.has(name)),
    [],
  )
})

test('an option of one name takes one kind of value in all scripts', async () => {
  const kinds = new Map<string, string>()
  for (const { name, options } of await Promise.all(scriptNames.map(commandOf)))
    for (const [key, { kind }] of Object.entries(options)) {
      // A source is chosen for a run, several may be looked for.
      if (key === 'source') continue
      assert.equal(kinds.get(key) ?? kind, kind, `${name} --${kebab(key)}`)
      kinds.set(key, kind)
    }
})
