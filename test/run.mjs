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
const loader = Reflect.get(process.features, 'typescript') ? [] : ['--import', 'tsx']
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

/** Seconds that files take which take long; all others take about one. They only decide what starts first, and beside what. */
const SECONDS = {
  pipeline: {
    kills: 45,
    demo: 25,
    'several-aws': 21,
    stack: 19,
    aws: 11,
    expired: 9,
    several: 9,
    shared: 7,
    findings: 4,
  },
  recipes: { prestage: 19, recipes: 19 },
  extract: { athena: 29, 'athena-failures': 17, 'athena-workgroups': 13, files: 8, 'own-sources': 8, cloudtrail: 6 },
  nightly: { aws: 22, nightly: 19, month: 10 },
  'lib/cli': { scripts: 24, starts: 8, signals: 8, endings: 8 },
  'lib/engines': { aborts: 18, 'athena-sql': 7 },
  query: { query: 15, athena: 4 },
  clean: { 'batch-jobs': 14, aws: 13, running: 8 },
  score: { transform: 15, alerts: 10, 'findings/command': 10, 'transform-killed': 10, s3: 8, 'next-day': 4, score: 4 },
  deploy: {
    'sagemaker-killed': 12,
    'sagemaker-change': 9,
    'sagemaker-files': 7,
    sagemaker: 6,
    'sagemaker-failing': 5,
    detach: 5,
  },
  setup: { 'try-stopped': 7, doctor: 7, 'try-turned': 6, setup: 6, try: 5, 'nightly/check': 4 },
  report: { tools: 7, combined: 7, browser: 6, s3: 5 },
  'lib/stores': { 's3.contract': 8, 's3-faults': 6, folder: 4 },
}
const seconds = new Map(
  Object.entries(SECONDS).flatMap(([room, files]) =>
    Object.entries(files).map(([name, taken]) => [`test/${room}/${name}.test.ts`, taken]),
  ),
)
const secondsOf = (/** @type {string[]} */ group) => group.reduce((sum, file) => sum + (seconds.get(file) ?? 1), 0)

const [MOST_FILES, MOST_SECONDS] = [30, 45]

/** Loading a process and its modules takes longer than most files: neighbors share one. The groups that take longest come first. */
function groupsOf(/** @type {string[]} */ all) {
  const alone = all.filter((file) => hasImportedHooks(`${root}${file}`))
  /** @type {string[][]} */
  const shared = []
  for (const file of all) {
    if (alone.includes(file)) continue
    const last = shared.at(-1) ?? []
    if (last.length > 0 && last.length < MOST_FILES && secondsOf([...last, file]) <= MOST_SECONDS) last.push(file)
    else shared.push([file])
  }
  return [...alone.map((file) => [file]), ...shared].sort((a, b) => secondsOf(b) - secondsOf(a))
}

// Its hook looks at all that a process did, so that it stands outside of the suites of files.
const proofFile = `${root}test/support/rights-of-scripts.ts`
const proof = all && existsSync(proofFile) ? `import ${JSON.stringify(pathToFileURL(proofFile).href)}` : ''

const entries = groupsOf(files).map((group, n) => {
  // The runner starts them in the order of their names.
  const entry = join(scratch, `group-${String(n).padStart(3, '0')}.mjs`)
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
