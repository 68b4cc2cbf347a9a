#!/usr/bin/env node
// Finds the test files and hands them to Node's own runner; its summary and a counting line come last.
// node test/run.mjs [--all] [--checks] [part of a path …] [--node-option …]
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const args = process.argv.slice(2)
const filters = args.filter((arg) => !arg.startsWith('-')).map((arg) => arg.replace(/^\.\//, ''))
const options = args.filter((arg) => arg.startsWith('-') && arg !== '--all' && arg !== '--checks')
const all = args.includes('--all')

// The tests of the loopback AWS, the proof of rights and a real Trino run only with --all, or when they are named.
const thorough = ['test/sandbox/', 'test/cfn/rights/', 'test/trino/']

const files = readdirSync(`${root}test`, { recursive: true, encoding: 'utf8' })
  .map((file) => `test/${file.replaceAll('\\', '/')}`)
  .filter((file) => file.endsWith('.test.ts'))
  .filter((file) =>
    filters.length > 0
      ? filters.some((part) => file.includes(part))
      : all || !thorough.some((folder) => file.startsWith(folder)),
  )
  .sort()

if (files.length === 0) {
  process.stderr.write(`no test file${filters.length > 0 ? ` matches ${filters.join(' or ')}` : ''}\n`)
  process.exit(1)
}

// A folder or a glob would be read differently by every version of Node, and no file at all would count as success.
const ofNode20 = ['--expose-internals', '--import', new URL('support/typescript.mjs', import.meta.url).href]
const ownLoader = process.versions.node.startsWith('20.') ? ofNode20 : ['--import', 'tsx']
const loader = Reflect.get(process.features, 'typescript') ? [] : ownLoader
const light = ['--import', new URL('support/light-hooks.mjs', import.meta.url).href]
// A test file allocates much and keeps little: with a larger young generation there is less to collect.
const memory = ['--min-semi-space-size=32', '--max-semi-space-size=32']
const limits = ['--test-concurrency=2', '--test-timeout=1800000', '--test-reporter=spec']
// A killed process cannot delete its temporary files, so every run gets its own temporary folder, which is deleted at the end.
const scratch = mkdtempSync(join(tmpdir(), 'prestage-tests-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))
// tsx keeps its cache in the temporary folder under this name; ours outlives the run.
const cache = join(root, 'node_modules/.cache/prestage/tsx')
mkdirSync(cache, { recursive: true })
symlinkSync(cache, join(scratch, `tsx-${process.geteuid?.() ?? userInfo().username}`), 'junction')
const env = {
  ...process.env,
  TMPDIR: scratch,
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  ...(all && { PRESTAGE_TEST_ALL: 'yes' }),
}

const HOOK = /^(before|after|beforeEach|afterEach)\(/m

/**
 * Whether a module in test/ that this file imports has hooks: they are meant for every file that imports it, and the module is
 * evaluated once a process.
 * @returns {boolean}
 */
const hasImportedHooks = (/** @type {string} */ file, seen = new Set([file])) =>
  [...readFileSync(file, 'utf8').matchAll(/\b(?:from|import) '(\.[^']+\.ts)'/g)]
    .map(([, name = '']) => join(dirname(file), name))
    .filter((name) => name.startsWith(`${root}test`) && !seen.has(name) && existsSync(name))
    .some((name) => HOOK.test(readFileSync(name, 'utf8')) || hasImportedHooks(name, seen.add(name)))

/** Loading a process and its modules takes longer than most files: those of a folder share one, a few at a time. */
function groupsOf(/** @type {string[]} */ all) {
  const alone = all.filter((file) => hasImportedHooks(`${root}${file}`))
  /** @type {Map<string, string[][]>} */
  const shared = new Map()
  for (const file of all) {
    if (alone.includes(file)) continue
    const groups = shared.get(dirname(file)) ?? []
    const last = groups.at(-1)
    if (last === undefined || last.length === MOST_FILES) groups.push([file])
    else last.push(file)
    shared.set(dirname(file), groups)
  }
  return [...alone.map((file) => [file]), ...[...shared.values()].flat()]
}

const MOST_FILES = 12

// Its hook looks at all that a process did, so that it stands outside of the suites of files.
const proofFile = `${root}test/support/rights-of-scripts.ts`
const proof = all && existsSync(proofFile) ? `import ${JSON.stringify(pathToFileURL(proofFile).href)}` : ''

const entries = groupsOf(files).map((group, n) => {
  if (group.length === 1) return `${root}${group[0]}`
  const entry = join(scratch, `group-${n}.mjs`)
  const urls = group.map((file) => [file, pathToFileURL(`${root}${file}`).href])
  // In a suite of its own, because hooks at the top of a file are for its tests alone. A file that cannot be loaded is a test that fails.
  writeFileSync(
    entry,
    `import { describe, test } from 'node:test'
${proof}
for (const [file, url] of ${JSON.stringify(urls)})
  await describe(file, async () => {
    await import(url).catch((error) => test('can be loaded', () => { throw error }))
  })
`,
  )
  return entry
})

const child = spawn(process.execPath, [...memory, ...light, ...loader, '--test', ...limits, ...options, ...entries], {
  cwd: root,
  env,
  stdio: ['ignore', 'pipe', 'inherit'],
})
const say = (/** @type {string} */ text) => process.stdout.write(`${text}\n`)
/** @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set([child])
process.stdout.on('error', () => child.kill())
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM']))
  process.on(signal, () => {
    for (const one of children) one.kill(signal)
  })

/** Runs the other checks of package.json one after the other, beside the tests. Gives the names of those that fail. */
async function runChecks() {
  const failed = []
  for (const name of ['types', 'lint', 'unused']) {
    if (child.signalCode !== null) break
    const check = spawn('npm', ['run', '--silent', name], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    children.add(check)
    const output = [check.stdout, check.stderr].map((stream) => stream.setEncoding('utf8').toArray())
    const [code] = await once(check, 'close')
    children.delete(check)
    if (code === 0) continue
    failed.push(name)
    say(`\nnpm run ${name}:\n${(await Promise.all(output)).flat().join('')}`)
  }
  return failed
}
const checks = args.includes('--checks') ? runChecks() : []

/** @type {Record<string, number>} */
const counts = {}
/** @type {string[]} */
const skips = []
for await (const line of createInterface({ input: child.stdout })) {
  process.stdout.write(`${line}\n`)
  const [, name, count] = /^ℹ (tests|pass|fail|cancelled|skipped|todo) (\d+)$/.exec(line) ?? []
  if (name !== undefined) counts[name] = Number(count)
  const [, skipped, reason] = /^\s*﹣ (.*) \([\d.]+ms\) # (.*)$/.exec(line) ?? []
  // What --test-name-pattern leaves out was not asked for.
  if (skipped !== undefined && reason !== 'test name does not match pattern') skips.push(`${skipped}: ${reason}`)
}
if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')

const failedChecks = await checks
const { tests = 0, pass = 0, fail = 0, cancelled = 0, skipped = 0, todo = 0 } = counts
if (skips.length > 0) say(`\nskipped:\n  ${skips.join('\n  ')}`)
if (tests - skipped === 0) say('\nno test ran')
for (const name of failedChecks) say(`\nnpm run ${name} fails`)
const failures = fail + cancelled + failedChecks.length
say(`\n${pass} passed, ${failures} failed, ${skipped + todo} skipped`)
process.exitCode = child.exitCode === 0 && tests - skipped > 0 && failures === 0 ? 0 : 1
