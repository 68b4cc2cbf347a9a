import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { readConfig } from '../../../scripts/lib/cli/config.ts'
import { UsageError } from '../../../scripts/lib/cli/errors.ts'
import { tempFolder } from '../../support/temp.ts'

const mistakes: [yaml: string, says: string][] = [
  ['log: ./a', 'line 1: unknown setting "log" (did you mean logs?)'],
  ['acount: "1"\nlogs: a', 'line 1: unknown setting "acount" (did you mean account?)'],
  ['logs: a\nyes: true', 'line 2: unknown setting "yes" (valid: workspace, '],
  ['alertsPerDay: 3', 'line 1: unknown setting "alertsPerDay" (did you mean alerts-per-day?)'],
  [
    'log: a\nregio: b',
    'line 1: unknown setting "log" (did you mean logs?); line 2: unknown setting "regio" (did you mean region?)',
  ],
  [
    'account: 012345678901',
    'line 1: account must be text or a list of texts; put ids in quotes, or YAML turns them into numbers',
  ],
  ['account: [012345678901]', 'line 1: account must be text or a list of texts; put ids in quotes'],
  ['account: ["1", null]', 'line 1: account must be text or a list of texts'],
  ['profile: 1e3', 'line 1: profile must be text; put it in quotes, or YAML turns it into a number'],
  ['profile:', 'line 1: profile has no value: write one or delete the line'],
  ['account:', 'line 1: account has no value'],
  ['concurrency: "16"', 'line 1: concurrency must be a number'],
  ['dedupe: yes', 'line 1: dedupe must be true or false'],
  ['holdout: true', 'line 1: holdout must be text or a number'],
  ['max-cost: 5 USD', 'line 1: max-cost must be a number'],
  ['region: { a: b }', 'line 1: region must be text or a list of texts'],
  ['max-cost: .inf', 'line 1: max-cost must be a number'],
  ['max-cost: .nan', 'line 1: max-cost must be a number'],
  ['holdout: -.inf', 'line 1: holdout must be text or a number'],
  [
    'concurrency: no\nlogs:\nregio: b',
    'line 1: concurrency must be a number; line 2: logs has no value: write one or delete the line; line 3: unknown',
  ],
  ['__proto__: a', 'line 1: unknown setting "__proto__" (valid: workspace, '],
  ['constructor: a', 'line 1: unknown setting "constructor" ('],
  ['[]', 'the file must hold lines of the form "name: value"'],
  ['- logs', 'the file must hold lines of the form "name: value"'],
  ['just words', 'the file must hold lines of the form "name: value"'],
  ['logs: a\nlogs: b', 'not valid YAML: Map keys must be unique'],
  ['logs: "a', 'not valid YAML: '],
  ['logs: *nothing', 'not valid YAML: '],
  ['stack: a\nlogs: !env LOGS', 'not valid YAML: Unresolved tag: !env at line 2, column 7'],
]

const fileWith = (yaml: string): string => {
  const path = `${tempFolder()}/prestage.yaml`
  writeFileSync(path, yaml)
  return path
}

for (const [yaml, says] of mistakes)
  test(`configuration refused: ${JSON.stringify(yaml)}`, () => {
    const path = fileWith(yaml)
    assert.throws(
      () => readConfig(path),
      (error) => {
        assert.ok(error instanceof UsageError)
        assert.ok(error.message.startsWith(`configuration ${path}: ${says}`), error.message)
        return true
      },
    )
  })

test('configuration: a folder', () => {
  const path = `${tempFolder()}/prestage.yaml`
  mkdirSync(path)
  assert.throws(() => readConfig(path), /prestage.yaml: cannot be read: EISDIR/)
})

test('configuration: texts, numbers and lists come as they would be typed', () =>
  assert.deepEqual(
    readConfig(
      fileWith('account: ["012345678901"]\nlogs: s3://b\nholdout: 20%\nconcurrency: 16\ndedupe: false\nmax-cost: 0.5'),
    ),
    {
      account: { value: ['012345678901'], line: 1 },
      logs: { value: 's3://b', line: 2 },
      holdout: { value: '20%', line: 3 },
      concurrency: { value: '16', line: 4 },
      dedupe: { value: 'false', line: 5 },
      'max-cost': { value: '0.5', line: 6 },
    },
  ))
