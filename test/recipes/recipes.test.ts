import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { fewObjects } from '../support/few-objects.ts'
import { ROOT, runProgram } from '../support/run-script.ts'
import { simulatedLogs } from '../support/simulated.ts'
import { tempFolder } from '../support/temp.ts'

const ZX = `${ROOT}node_modules/.bin/zx`
const recipe = (name: string, args: readonly string[], env: Record<string, string> = {}) =>
  runProgram(ZX, [`${ROOT}scripts/recipes/${name}.mjs`, ...args], { cwd: tempFolder(), env })

const names = readdirSync(`${ROOT}scripts/recipes`).map((file) => file.replace(/\.mjs$/, ''))
const QUICK = ['--epochs', '1']
const lines = (text: string): string[] => text.trimEnd().split('\n')

test('the recipes that the documents name', () =>
  assert.deepEqual(names, ['backfill', 'compare', 'per-account', 'security-hub']))

for (const name of names) {
  test(`${name}: is short, and a script of zx`, () => {
    const text = readFileSync(`${ROOT}scripts/recipes/${name}.mjs`, 'utf8')
    assert.ok(text.startsWith('#!/usr/bin/env zx\n'))
    assert.ok(lines(text).length <= 80, `${lines(text).length} lines`)
  })

  test(`${name}: --help tells how it is called`, async () => {
    const { stdout, stderr, code } = await recipe(name, ['--help'])
    assert.deepEqual([stderr, code], ['', 0])
    assert.match(stdout, new RegExp(`^${name}: [\\s\\S]*npx zx scripts/recipes/${name}\\.mjs --`))
  })

  test(`${name}: without what it needs, it says what that is`, async () => {
    const { stdout, stderr, code } = await recipe(name, [])
    assert.deepEqual([stdout, code], ['', 2])
    assert.match(stderr, /--[a-z-]+ (and --[a-z-]+ are|is|needs|YYYY-MM is)[^\n]*\n {2}see --help/)
  })
}

test('backfill: the days of a month; a day without logs does not stop it, and a second time nothing is done again', async () => {
  // The day before the window has logs, too.
  const logs = await simulatedLogs({ sources: ['waf'], events: 800, from: '2026-02-28', to: '2026-03-01' })
  const workspace = tempFolder()
  const args = ['--month', '2026-02', '--source', 'waf', '--logs', logs, '--workspace', workspace]
  const first = await recipe('backfill', args)
  assert.equal(first.code, 1, first.stderr)
  const done = lines(first.stdout).map((line) => line.split(/ +/))
  assert.deepEqual(
    done.map(([day]) => day),
    ['2026-02-27', '2026-02-28'],
  )
  for (const [day = '', run = ''] of done) assert.match(run, new RegExp(`^waf-${day.replaceAll('-', '')}T0000Z-`))
  assert.match(first.stderr, /failed: 2026-02-01, .*, 2026-02-26; the same command tries them again/)
  const second = await recipe('backfill', args)
  assert.equal(second.stdout, first.stdout)
  assert.match(second.stderr, /train: done in .*, was done before/)
})

test('backfill: an option that the pipeline does not have ends it at once', async () => {
  const { stdout, stderr, code } = await recipe('backfill', ['--month', '2026-03', '--sauce', 'waf'])
  assert.deepEqual([stdout, code], ['', 1])
  assert.match(stderr, /unknown option --sauce[^\n]*\n {2}did you mean --source\?/)
  assert.doesNotMatch(stderr, /2026-03-02:/)
})

test('per-account: a run for each account, whose id keeps its zero', async () => {
  const logs = await fewObjects()
  const window = ['--from', '2026-03-02', '--to', '2026-03-04']
  const workspace = tempFolder()
  const args = ['--source', 'cloudtrail', '--logs', logs, '--workspace', workspace, ...window]
  const { stdout, stderr, code } = await recipe('per-account', args)
  assert.equal(code, 0, stderr)
  const rows = lines(stdout).map((line) => line.split(/ +/))
  assert.deepEqual(
    rows.map(([account]) => account),
    ['012345678901', '111122223333'],
  )
  for (const [account, , , run = ''] of rows) {
    const ledger = JSON.parse(readFileSync(`${workspace}/runs/${run}/run.json`, 'utf8'))
    assert.deepEqual(ledger.request.accounts, [account])
  }
})

test('compare: two kinds of entity side by side', async () => {
  const logs = await fewObjects()
  const window = ['--from', '2026-03-02', '--to', '2026-03-04']
  const args = ['--entities', 'principal,account', '--source', 'cloudtrail', '--logs', logs, ...window]
  const { stdout, stderr, code } = await recipe('compare', args)
  assert.equal(code, 0, stderr)
  const table = Object.fromEntries(
    lines(stdout).map((line) => [line.slice(0, 34).trim(), line.slice(34).trim().split(/ +/)]),
  )
  assert.deepEqual(table[''], ['principal', 'account'])
  assert.equal(table.entities?.[1], '2')
  assert.ok(Number(table.entities?.[0]) > 2)
})

/** An `aws` that takes what it is given but for the last finding of a batch, and notes its arguments. */
function fakeCli(): { PATH: string; noted: string } {
  const folder = tempFolder()
  mkdirSync(`${folder}/bin`)
  const script = `#!/usr/bin/env node
const fs = require('node:fs')
const args = process.argv.slice(2)
fs.appendFileSync('${folder}/noted', JSON.stringify(args) + '\\n')
const findings = JSON.parse(fs.readFileSync(args[args.indexOf('--findings') + 1].replace('file://', ''), 'utf8'))
const failed = findings.slice(-1).map(({ Id }) => ({ Id, ErrorCode: 'InvalidInput', ErrorMessage: 'not this one' }))
console.log(JSON.stringify({ SuccessCount: findings.length - 1, FailedCount: 1, FailedFindings: failed }))
`
  writeFileSync(`${folder}/bin/aws`, script)
  chmodSync(`${folder}/bin/aws`, 0o755)
  return { PATH: `${folder}/bin:${process.env.PATH}`, noted: `${folder}/noted` }
}

test('security-hub: imports what score writes, and shows what is not taken', async () => {
  const logs = await fewObjects()
  const workspace = tempFolder()
  const script = (name: string, args: readonly string[]) =>
    runProgram(process.execPath, [`${ROOT}scripts/${name}.mjs`, '--workspace', workspace, ...args])
  const window = ['--from', '2026-03-02', '--to', '2026-03-04']
  for (const [name, args] of [
    ['stage', ['--source', 'cloudtrail', '--logs', logs, ...window]],
    ['extract', []],
    ['train', QUICK],
  ] as const) {
    const { code, stderr } = await script(name, args)
    assert.equal(code, 0, stderr)
  }
  const { PATH, noted } = fakeCli()
  const hub = ['--findings-account', '012345678901', '--findings-region', 'eu-west-1', '--alerts-per-day', '20']
  const args = ['--workspace', workspace, '--run', 'latest', ...hub]
  const asked = await recipe('security-hub', args, { PATH })
  assert.equal(asked.code, 3, asked.stderr)
  assert.match(asked.stderr, /nothing was imported; --yes imports without a question/)
  const { stdout, stderr, code } = await recipe('security-hub', [...args, '--yes'], { PATH })
  assert.equal(code, 1, stderr)
  const [, count = ''] = /^(\d+) findings in 1 batches for 012345678901, eu-west-1\n/.exec(stdout) ?? []
  assert.match(stdout, new RegExp(`\n${Number(count) - 1} imported\n`), stderr)
  assert.match(stderr, /: InvalidInput: not this one\n/)
  const [called] = lines(readFileSync(noted, 'utf8')).map((line) => JSON.parse(line))
  assert.deepEqual(called.slice(0, 5), ['securityhub', 'batch-import-findings', '--region', 'eu-west-1', '--findings'])
})

test('security-hub --night: imports what a night has found, as nightly prints it', async () => {
  const folder = tempFolder()
  const findings = [`${folder}/asff-1.json`, `${folder}/findings.ocsf.json`]
  writeFileSync(findings[0] ?? '', JSON.stringify([{ Id: 'a' }, { Id: 'b' }]))
  const nights = [{ judged: { findings } }, { judged: null }]
  const night = `${folder}/night.json`
  writeFileSync(night, JSON.stringify({ sources: { cloudtrail: { nights }, waf: { nights: [] } } }))
  const { PATH, noted } = fakeCli()
  const args = ['--night', night, '--findings-account', '012345678901', '--findings-region', 'eu-west-1', '--yes']
  const { stdout, stderr, code } = await recipe('security-hub', args, { PATH })
  assert.equal(code, 1, stderr)
  assert.equal(stdout, '2 findings in 1 batches for 012345678901, eu-west-1\n1 imported\n', stderr)
  assert.equal(lines(readFileSync(noted, 'utf8')).length, 1)
})
