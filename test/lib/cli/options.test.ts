import assert from 'node:assert/strict'
import { test } from 'node:test'
import { suggestion } from '../../../scripts/lib/cli/nearest.ts'
import { choice, flag, kebab, list, number, type Option, text, variable } from '../../../scripts/lib/cli/options.ts'
import { scopeOptions, workspaceOption } from '../../../scripts/lib/cli/shared-options.ts'

const whole = number({ about: '', min: 1, max: 64, integer: true })
const share = number({ about: '', min: 0 })
const any = number({ about: '' })
const colour = choice(['red', 'green'], { about: '' })

const readings: [option: Option<unknown>, input: string, value: unknown][] = [
  [text({ about: '' }), ' a ', ' a '],
  [whole, '1', 1],
  [whole, '064', 64],
  [whole, '1e1', 10],
  [share, '0', 0],
  [share, '.5', 0.5],
  [share, '5.', 5],
  [any, '-1.5e-3', -0.0015],
  [colour, 'red', 'red'],
  [flag({ about: '' }), 'TRUE', true],
  [flag({ about: '' }), 'off', false],
  [list({ about: '' }), '012345678901', '012345678901'],
  [scopeOptions.account, '012345678901', '012345678901'],
  [workspaceOption.workspace, 's3://b/p//', 's3://b/p'],
  [workspaceOption.workspace, '/w/../x/', '/x'],
]

for (const [option, input, value] of readings)
  test(`value ${JSON.stringify(input)}`, () => assert.equal(option.parse(input), value))

const refusals: [option: Option<unknown>, input: string, says: string][] = [
  [text({ about: '' }), '', 'must not be empty'],
  [whole, '0', 'must be a whole number from 1 to 64'],
  [whole, '65', 'must be a whole number from 1 to 64'],
  [whole, '1.5', 'must be a whole number from 1 to 64'],
  [share, '-1', 'must be a number from 0 on'],
  [share, '1e999', 'must be a number from 0 on'],
  [share, 'Infinity', 'must be a number from 0 on'],
  [share, 'NaN', 'must be a number from 0 on'],
  [share, '$5', 'must be a number from 0 on'],
  [share, '1,5', 'must be a number from 0 on'],
  [share, '0x10', 'must be a number from 0 on'],
  [share, '', 'must be a number from 0 on'],
  [number({ about: '', max: 9 }), '10', 'must be a number up to 9'],
  [any, 'seven', 'must be a number'],
  [colour, 'Red', 'must be one of red, green'],
  [flag({ about: '' }), 'maybe', 'must be true or false'],
  [scopeOptions.account, '12345678901', 'must be 12 digits (leading zeros included)'],
  [scopeOptions.account, '1234567890123', 'must be 12 digits (leading zeros included)'],
  [workspaceOption.workspace, 'https://b/p', 'must be a folder or s3://bucket[/prefix]'],
]

for (const [option, input, says] of refusals)
  test(`no value: ${JSON.stringify(input)}: ${says}`, () => assert.throws(() => option.parse(input), { message: says }))

const names: [key: string, name: string, variable: string][] = [
  ['logs', 'logs', 'PRESTAGE_LOGS'],
  ['maxCost', 'max-cost', 'PRESTAGE_MAX_COST'],
  ['alertsPerDay', 'alerts-per-day', 'PRESTAGE_ALERTS_PER_DAY'],
]

for (const [key, name, env] of names)
  test(`option ${key}`, () => assert.deepEqual([kebab(key), variable(key)], [name, env]))

const words = ['from', 'to', 'last', 'logs', 'account', 'alerts-per-day', 'aws-region', 'region']
const slips: [typed: string, says: string][] = [
  ['form', 'did you mean from?'],
  ['lsat', 'did you mean last?'],
  ['log', 'did you mean logs?'],
  ['Account', 'did you mean account?'],
  ['alerts', 'did you mean alerts-per-day?'],
  ['alert-per-day', 'did you mean alerts-per-day?'],
  ['regoin', 'did you mean region?'],
  ['qqqqqqqq', `valid: ${words.join(', ')}`],
]

for (const [typed, says] of slips) test(`slip ${typed}`, () => assert.equal(suggestion(typed, words), says))
