import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { ROOT, runProgram, runScript, scriptPath, TOY } from '../../support/run-script.ts'

const toy = (act: string, ...more: string[]) => runScript(TOY, ['--act', act, ...more])

const endings: [act: string, code: number, stdout: string, stderr: RegExp][] = [
  ['fails', 1, '', /^toy: copy s3:\/\/a\/b: connection lost\n {2}check the network\n$/],
  ['misuses', 2, '', /^toy: --name and --tag exclude each other\n$/],
  ['isDenied', 4, '', /^toy: list s3:\/\/a: AccessDenied\n$/],
  ['missesFile', 1, '', /^toy: ENOENT: no such file or directory, open '\/nowhere\/at\/all'\n$/],
  ['isForbidden', 4, '', /^toy: EACCES: permission denied, open '\/x'\n$/],
  [
    'fillsDisk',
    1,
    '',
    /^toy: ENOSPC: no space left on device, write\n {2}make room on the disk of the workspace .*\n$/,
  ],
  ['endsWith3', 3, 'half of it\n', /^$/],
  [
    'hasBug',
    1,
    '',
    /^toy: this is a bug in prestage \d.*Node v\d.*\nTypeError: undefined is not a pair\n.*acts\.ts:\d+/,
  ],
]

for (const [act, code, stdout, stderr] of endings)
  test(`exit code ${code}: ${act}`, async () => {
    const ended = await toy(act)
    assert.equal(ended.stdout, stdout)
    assert.match(ended.stderr, stderr)
    assert.equal(ended.code, code)
  })

for (const program of [process.execPath, `${ROOT}node_modules/.bin/zx`])
  test(`work that never ends is no success under ${program.replace(/.*\//, '')}`, async () => {
    const ended = await runProgram(program, [scriptPath(TOY), '--act', 'hangs'])
    assert.equal(ended.stdout, '')
    assert.notEqual(ended.code, 0)
  })

test('done is 0, the result alone is on standard output, what follows on standard error', async () => {
  const { stdout, stderr, code } = await runScript(TOY, ['--count', '3'])
  assert.deepEqual([stdout, stderr, code], ['count 3\n', 'next: npx zx scripts/next.mjs\n', 0])
})

test('--quiet leaves the result', async () => {
  const { stdout, stderr } = await runScript(TOY, ['-q'])
  assert.deepEqual([stdout, stderr], ['count 7\n', ''])
})

test('--output json is one JSON value, with ids as they were typed', async () => {
  const { stdout, stderr } = await runScript(TOY, ['-o', 'json', '--account', '012345678901,000000000001'])
  assert.deepEqual(JSON.parse(stdout).account, ['012345678901', '000000000001'])
  assert.equal(stderr, '')
})

const talks: [args: string[], stderr: string][] = [
  [[], 'a note\nwarning: a warning\n'],
  [['-v'], 'a note\nwarning: a warning\na detail\n'],
  [['-q'], 'warning: a warning\n'],
  [['-o', 'json'], 'a note\nwarning: a warning\n'],
]

for (const [args, stderr] of talks)
  test(`talk with ${args.join(' ') || 'nothing'}`, async () => {
    const ended = await toy('talks', ...args)
    assert.equal(ended.stdout, args.includes('json') ? '{\n  "said": "a result"\n}\n' : 'a result\n')
    assert.equal(ended.stderr, stderr)
  })

test('what strangers wrote cannot speak to the terminal', async () => {
  const { stdout, stderr } = await toy('printsEscapes')
  const clean = 'a\ufffd]0;owned\ufffdb\ufffd31m\ufffdc'
  assert.equal(stdout, `${clean}\n`)
  assert.ok(stderr.startsWith(`${clean}\n${clean}: 0 in `), stderr)
})

test('all of a long result arrives in a pipe', async () => {
  const { stdout, code } = await runProgram('sh', [
    '-c',
    `"${process.execPath}" "${scriptPath(TOY)}" --act printsMuch | wc -c`,
  ])
  assert.deepEqual([Number(stdout), code], [50_000 * 22, 0])
})

/** Runs the toy in a line of bash and shows its exit code and its standard error. */
const inBash = (line: string) =>
  runProgram('bash', ['-c', line.replaceAll('TOY', `"${process.execPath}" "${scriptPath(TOY)}"`)])

test('a reader that has seen enough is no failure', async () => {
  const { stdout, stderr } = await inBash('set -o pipefail; TOY --act printsMuch | head -1; echo "code $?"')
  assert.deepEqual([stdout, stderr], ['a line of some length\ncode 0\n', ''])
})

test('a closed standard error is none either', async () => {
  const { stdout } = await inBash('set -o pipefail; { TOY --act talks 2>&1 >&3 | true; } 3>&1; echo "code $?"')
  assert.equal(stdout, 'a result\ncode 0\n')
})

const fullDisk = { skip: existsSync('/dev/full') ? false : 'no /dev/full here' }

test('a full disk under what is said is none either', fullDisk, async () => {
  const { stdout } = await inBash('TOY --act talks 2> /dev/full; echo "code $?"')
  assert.equal(stdout, 'a result\ncode 0\n')
})

test('a full disk under the result is a failure', fullDisk, async () => {
  const { stdout, stderr } = await inBash('TOY > /dev/full; echo "code $?"')
  assert.match(stderr, /standard output: .*ENOSPC/)
  assert.equal(stdout, 'code 1\n')
})

test('a missing package says npm ci', async () => {
  // As if node_modules were not there.
  const hook = `data:text/javascript,${encodeURIComponent(`
    import { register } from 'node:module'
    register('data:text/javascript,' + encodeURIComponent(\`
      export const resolve = (specifier, context, next) => {
        if (specifier === 'fastest-levenshtein')
          throw Object.assign(new Error("Cannot find package 'fastest-levenshtein'"), { code: 'ERR_MODULE_NOT_FOUND' })
        return next(specifier, context)
      }
    \`))
  `)}`
  const { stdout, stderr, code } = await runProgram(process.execPath, ['--import', hook, scriptPath(TOY)])
  assert.equal(stdout, '')
  assert.match(stderr, /^Cannot find package 'fastest-levenshtein'.*: run "npm ci" in .* first\n$/)
  assert.equal(code, 1)
})
