import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import type { RawValues } from '../../../scripts/lib/cli/arguments.ts'
import { configNames } from '../../../scripts/lib/cli/config.ts'
import { UsageError } from '../../../scripts/lib/cli/errors.ts'
import { resolveValues } from '../../../scripts/lib/cli/settings.ts'
import { runScript, TOY } from '../../support/run-script.ts'
import { tempFolder } from '../../support/temp.ts'
import { command } from './fixture/toy/command.ts'

type Env = Record<string, string>

async function resolved(yaml: string | undefined, env: Env, typed: RawValues = {}) {
  const warnings: string[] = []
  const path = `${tempFolder()}/settings.yaml`
  if (yaml !== undefined) writeFileSync(path, yaml)
  const config = yaml === undefined ? {} : { config: path }
  const values = await resolveValues(command, { ...config, ...typed }, env, (text) => warnings.push(text))
  return { values: values as Record<string, unknown>, warnings, path }
}

const orders: [what: string, yaml: string | undefined, env: Env, typed: RawValues, key: string, value: unknown][] = [
  ['nothing: the default', undefined, {}, {}, 'count', 7],
  ['nothing, no default', undefined, {}, {}, 'logs', undefined],
  ['the file', 'logs: ./a', {}, {}, 'logs', './a'],
  ['the variable over the file', 'logs: ./a', { PRESTAGE_LOGS: './b' }, {}, 'logs', './b'],
  ['the flag over all', 'logs: ./a', { PRESTAGE_LOGS: './b' }, { logs: './c' }, 'logs', './c'],
  ['the flag over the variable', undefined, { PRESTAGE_LOGS: './b' }, { logs: './c' }, 'logs', './c'],
  ['an empty variable is none', 'logs: ./a', { PRESTAGE_LOGS: '' }, {}, 'logs', './a'],
  ['a flag that says no', 'dedupe: true', {}, { dedupe: 'false' }, 'dedupe', false],
  ['a variable that says no', 'dedupe: true', { PRESTAGE_DEDUPE: 'no' }, {}, 'dedupe', false],
  ['a switch in the file', 'dedupe: true', {}, {}, 'dedupe', true],
  ['a number in the file', 'max-cost: 2.5', {}, {}, 'maxCost', 2.5],
  [
    'a list in the file',
    'account: ["012345678901", "000000000000"]',
    {},
    {},
    'account',
    ['012345678901', '000000000000'],
  ],
  ['a list in a line', 'region: us-east-1, eu-west-1', {}, {}, 'region', ['us-east-1', 'eu-west-1']],
  [
    'a list in a variable',
    undefined,
    { PRESTAGE_ACCOUNT: '012345678901, 000000000000' },
    {},
    'account',
    ['012345678901', '000000000000'],
  ],
  ['a list is replaced, not added to', 'region: [a, b]', {}, { region: ['c'] }, 'region', ['c']],
  ['an empty list', 'region: []', {}, {}, 'region', []],
  ['an empty file', '# nothing yet', {}, {}, 'count', 7],
  ['profile: the file', 'profile: org', {}, {}, 'profile', 'org'],
  ['profile: AWS_PROFILE is left to the SDK', 'profile: org', { AWS_PROFILE: 'me' }, {}, 'profile', undefined],
  ['profile: PRESTAGE_PROFILE', 'profile: org', { AWS_PROFILE: 'me', PRESTAGE_PROFILE: 'it' }, {}, 'profile', 'it'],
  ['profile: the flag', 'profile: org', { AWS_PROFILE: 'me' }, { profile: 'us' }, 'profile', 'us'],
  ['region to call: AWS_REGION', 'aws-region: a', { AWS_REGION: 'b' }, {}, 'awsRegion', undefined],
  [
    'endpoint: AWS_ENDPOINT_URL',
    'endpoint-url: http://a',
    { AWS_ENDPOINT_URL: 'http://b' },
    {},
    'endpointUrl',
    undefined,
  ],
  ['a setting of other scripts', 'alerts-per-day: 3', {}, {}, 'count', 7],
]

for (const [what, yaml, env, typed, key, value] of orders)
  test(`settings: ${what}`, async () => {
    const { values, warnings } = await resolved(yaml, env, typed)
    assert.deepEqual(values[key], value)
    assert.deepEqual(warnings, [])
  })

const mistakes: [what: string, yaml: string | undefined, env: Env, typed: RawValues, says: RegExp][] = [
  ['a flag', undefined, {}, { count: '101' }, /^--count "101": must be a whole number from 0 to 100$/],
  ['an account', undefined, {}, { account: ['1'] }, /^--account "1": must be 12 digits/],
  ['an empty part', undefined, {}, { tag: ['a', ''] }, /^--tag "": must not be empty$/],
  ['a variable', undefined, { PRESTAGE_SOURCE: 'elb' }, {}, /^PRESTAGE_SOURCE "elb": must be one of cloudtrail, waf$/],
  ['the file', 'source: elb', {}, {}, /settings.yaml: source "elb": must be one of cloudtrail, waf$/],
  [
    'several where one is meant',
    'source: [cloudtrail, waf]',
    {},
    {},
    /settings.yaml: source: this script takes only one$/,
  ],
  [
    'a file that is not there',
    undefined,
    {},
    { config: '/nowhere.yaml' },
    /^configuration \/nowhere.yaml: no such file$/,
  ],
  ['a file named by a variable', undefined, { PRESTAGE_CONFIG: '/nowhere.yaml' }, {}, /nowhere.yaml: no such file$/],
]

for (const [what, yaml, env, typed, says] of mistakes)
  test(`settings: a mistake names its place: ${what}`, () =>
    assert.rejects(resolved(yaml, env, typed), (error) => error instanceof UsageError && says.test(error.message)))

test('settings: unknown variables are warned about, with the nearest', async () => {
  const { warnings } = await resolved(undefined, {
    PRESTAGE_LOG: 'a',
    PRESTAGE_YES: '1',
    PRESTAGE_TEST_X: 'b',
    PRESTAGE_CONFIG: '',
  })
  assert.equal(warnings.length, 2)
  assert.match(warnings[0] ?? '', /PRESTAGE_LOG is not known and ignored \(did you mean PRESTAGE_LOGS\?\)/)
  assert.match(warnings[1] ?? '', /PRESTAGE_YES is not known/)
})

test('settings: what confirms, repeats or picks a run may not be set for good', () => {
  for (const name of ['yes', 'overwrite', 'dry-run', 'run', 'from', 'to', 'last', 'quiet', 'help'])
    assert.equal(configNames.includes(name), false, name)
})

test('settings: a required option names itself', () =>
  assert.rejects(
    resolveValues(
      { options: { pairs: { kind: 'text', about: 'the pairs', required: true, parse: String } } },
      {},
      {},
      () => {},
    ),
    { message: '--pairs is missing: the pairs', exitCode: 2 },
  ))

test('settings: prestage.yaml of the folder one is in counts', async () => {
  const cwd = tempFolder()
  writeFileSync(`${cwd}/prestage.yaml`, 'logs: ./here\nworkspace: ./w\n')
  const { stdout } = await runScript(TOY, ['-o', 'json'], { cwd })
  assert.equal(JSON.parse(stdout).logs, './here')
  assert.equal(JSON.parse(stdout).workspace, `${cwd}/w`)
  writeFileSync(`${cwd}/other.yaml`, 'logs: ./there\n')
  const other = await runScript(TOY, ['-o', 'json', '--config', 'other.yaml'], { cwd })
  assert.equal(JSON.parse(other.stdout).logs, './there')
})
