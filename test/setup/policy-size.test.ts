import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  defaultsIn,
  parametersOf,
  parameterValues,
  type SetupOptions,
  shippedTemplate,
} from '../../scripts/setup/parameters.ts'
import { type Built, checkPolicies, policySizes } from '../../scripts/setup/policy-size.ts'
import { parseTemplate, Resolver } from '../sandbox/cloudformation/template.ts'
import { fixture } from './sandbox.ts'

const TEXT = await shippedTemplate()
const TEMPLATE = parseTemplate(TEXT)
const MOST = 6144

function built(stack: string, [partition, region]: readonly [string, string], options: SetupOptions): Built {
  const defaults = defaultsIn(TEXT)
  const values = parameterValues(parametersOf(options, undefined, defaults, partition), undefined, defaults)
  return { stack, region, partition, values }
}

/** The policies as CloudFormation renders them, with the longest names that it gives. */
function rendered({ stack, region, partition, values }: Built): Record<string, number> {
  const named = (id: string, most: number) => `${stack}-${id}-ABCDEFGHIJKLM`.slice(0, most)
  const account = '111122223333'
  const resolver = new Resolver(TEMPLATE, {
    parameters: values,
    pseudo: {
      'AWS::Partition': partition,
      'AWS::Region': region,
      'AWS::AccountId': account,
      'AWS::StackName': stack,
      'AWS::StackId': '',
    },
    ref: (id) => ({ StagingBucket: named(id, 63), Workgroup: stack, Database: values.DatabaseName })[id],
    att: (id) =>
      ({
        StagingBucket: `arn:${partition}:s3:::${named(id, 63)}`,
        Key: `arn:${partition}:kms:${region}:${account}:key/01234567-89ab-cdef-0123-456789abcdef`,
      })[id] ?? `arn:${partition}:iam::${account}:role/${named(id, 64)}`,
  })
  const policies = Object.entries(TEMPLATE.Resources).filter(([, { Type }]) => Type === 'AWS::IAM::ManagedPolicy')
  return Object.fromEntries(
    policies.map(([id, { Properties }]) => [
      id,
      JSON.stringify(resolver.value(Properties?.PolicyDocument ?? null)).length,
    ]),
  )
}

const place = fc.constantFrom(
  ['aws', 'us-east-1'] as const,
  ['aws', 'ap-southeast-2'] as const,
  ['aws-cn', 'cn-north-1'] as const,
  ['aws-us-gov', 'us-gov-west-1'] as const,
)
const logs = fc
  .tuple(
    fc.stringMatching(/^[a-z][a-z0-9]{2,40}$/),
    fc.constantFrom('', '/AWSLogs', '/AWSLogs/o-0123456789/012345678901'),
  )
  .map(([bucket, prefix]) => `s3://${bucket}${prefix}`)
const key = fc.uuid().map((id) => `arn:aws:kms:us-east-1:111122223333:key/${id}`)
const optionSets = fc.record({
  readLogs: fc.array(logs, { minLength: 1, maxLength: 60 }),
  logsKey: fc.array(key, { maxLength: 4 }),
  prefix: fc.constantFrom(undefined, 'teams-runs'),
  database: fc.constantFrom(undefined, 'security_of_ours'),
  encryption: fc.constantFrom(undefined, 'kms' as const),
  readLake: fc.array(logs, { maxLength: 2 }),
})
const names = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,59}$/)

describe('the size of policies', () => {
  it('is that of what CloudFormation renders', () =>
    fc.assert(
      fc.property(names, place, optionSets, (stack, where, options) => {
        const one = built(stack, where, options)
        assert.deepEqual(policySizes(TEXT, one), rendered(one))
      }),
      { numRuns: 40 },
    ))

  it('is refused above what IAM takes, with the number of logs that fit', () =>
    fc.assert(
      fc.property(names, place, optionSets, (stack, where, options) => {
        const readLogs = [...new Set(options.readLogs)]
        const size = (some: number) =>
          Math.max(...Object.values(rendered(built(stack, where, { ...options, readLogs: readLogs.slice(0, some) }))))
        const check = () => checkPolicies(TEXT, built(stack, where, options))
        if (size(readLogs.length) <= MOST) return check()
        assert.throws(check, ({ message }: Error) => {
          const [, fit = 0] = /the first (\d+) fit/.exec(message) ?? []
          assert.ok(size(Number(fit) + 1) > MOST, message)
          assert.ok(fit === 0 ? /none fits/.test(message) : size(Number(fit)) <= MOST, message)
          return true
        })
      }),
      { numRuns: 40 },
    ))

  const many = (count: number) =>
    Array.from({ length: count }, (_, n) => ['--read-logs', `s3://organization-trail-logs-${100 + n}/AWSLogs`]).flat()

  it('ends setup before anything is made, and what fits is made', async () => {
    const { sandbox, setup } = await fixture()
    const refused = await setup([...many(60), '--yes'])
    assert.equal(refused.code, 2, refused.stderr)
    assert.match(
      refused.stderr,
      /names 60 places of logs has [\d,]+ characters, and IAM takes 6,144: the first \d\d fit, up to s3:/,
    )
    assert.equal(sandbox.requests.of('CreateChangeSet'), 0)
    const fit = Number(/the first (\d+) fit/.exec(refused.stderr)?.[1])
    const made = await setup([...many(fit), '--yes'])
    assert.equal(made.result?.action, 'created', made.stderr)
    assert.deepEqual(sandbox.violations, [])
  })
})
