import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isFlat } from '../../../scripts/lib/sources/flat.ts'
import { keyParser, keyRange, type Layout, mayHold, nameParser } from '../../../scripts/lib/sources/layout.ts'
import { sourceIds, sourceOf, sources } from '../../../scripts/lib/sources/registry.ts'
import { renderTemplate } from '../../../scripts/lib/sources/template.ts'
import { compareKeys } from '../../../scripts/lib/stores/store.ts'

const digest = sources.cloudtrail?.digest
assert.ok(digest)
const layouts: Layout[] = [...Object.values(sources).flatMap((source) => source.layouts), digest]
const layoutOf = (id: string): Layout => {
  const found = layouts.find((layout) => layout.id === id)
  assert.ok(found)
  return found
}

/** An end of a name for each layout, from some random text. */
const tails: Record<string, (word: string) => string> = {
  cloudtrail: (word) => `_${word}.json.gz`,
  'cloudtrail-digest': () => '.json.gz',
  'waf-s3': (word) => `_${word}.log.gz`,
  alb: (word) => `_${word}.log.gz`,
  vpcflow: (word) => `_${word}.log.gz`,
  'vpcflow-hive': (word) => `_${word}.log.gz`,
  route53resolver: (word) => `_${word}.log.gz`,
  apigateway: (word) => word,
  cloudfront: (word) => `.${word}.gz`,
  'cloudfront-dated': (word) => `.${word}.gz`,
  'cloudfront-hive': (word) => `.${word}.parquet`,
  s3access: () => '-E568B2907131C0C0',
  's3access-partitioned': () => '-E568B2907131C0C0',
  'securitylake-cloudtrail': (word) => `${word}.gz.parquet`,
  'securitylake-vpcflow': (word) => `${word}.gz.parquet`,
  'waf-firehose': (word) => `-${word}`,
}

const values: Record<string, fc.Arbitrary<string>> = {
  org: fc.stringMatching(/^o-[a-z0-9]{4,12}$/),
  account: fc.stringMatching(/^\d{12}$/),
  region: fc.constantFrom('us-east-1', 'eu-central-2', 'ap-southeast-4', 'us-gov-west-1'),
  balancer: fc.stringMatching(/^[A-Za-z0-9-]{1,20}\.[0-9a-f]{16}$/),
  flow: fc.stringMatching(/^fl-[0-9a-f]{8,17}$/),
  node: fc.constantFrom('10.0.3.147', '172.160.001.192', '2001:db8::1'),
  vpc: fc.stringMatching(/^vpc-[0-9a-f]{8,17}$/),
  bucket: fc.stringMatching(/^[a-z0-9][a-z0-9.-]{2,20}$/),
  distribution: fc.stringMatching(/^E[A-Z0-9]{6,14}$/),
  stem: fc.constantFrom('', 'logs', 'media-', 'a-1-', 'logs2'),
  acl: fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/),
  stream: fc.stringMatching(/^[a-z]([a-z0-9.-]*[a-z])?$/),
  version: fc.stringMatching(/^[1-9]\d?$/),
  trail: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{2,20}$/),
  home: fc.constantFrom('us-east-1', 'eu-west-3'),
}
const word = fc.stringMatching(/^[A-Za-z0-9]{1,16}$/)
const root = fc.constantFrom('', 'prefix/', 'o-abc123/', 'a/b/', '/', 'AWSLogs/', 'ünï/')
const second = fc
  .date({
    min: new Date('2001-01-01T00:00:00Z'),
    max: new Date('2099-12-31T23:59:59Z'),
    noInvalidDate: true,
  })
  .map((date) => new Date(Math.floor(date.getTime() / 1000) * 1000))

const variablesOf = (layout: Layout) => {
  const names = [...`${layout.path}${layout.timed}`.matchAll(/\{(\w+)(\??)\}/g)]
  const own = names.filter(([, name = '']) => name in values)
  const optional = own.filter(([, , mark]) => mark === '?').map(([, name = '']) => name)
  return fc.record(Object.fromEntries(own.map(([, name = '']) => [name, values[name] ?? word])), {
    requiredKeys: own.map(([, name = '']) => name).filter((name) => !optional.includes(name)),
    noNullPrototype: true,
  })
}

/** Minutes for most names, seconds where the name has them, else hours, or days where nothing is finer. */
const roundedTo = ({ timed }: Layout, time: Date): Date => {
  const unit = timed.includes('{ss}')
    ? 1000
    : timed.includes('{mm}')
      ? 60_000
      : timed.includes('{HH}')
        ? 3_600_000
        : 86_400_000
  return new Date(Math.floor(time.getTime() / unit) * unit)
}

const keyOf = (layout: Layout, prefix: string, variables: Record<string, string>, time: Date, tail: string): string =>
  `${prefix}${renderTemplate(layout.path, variables, time)}${renderTemplate(layout.timed, variables, time)}${tails[layout.id]?.(tail)}`

for (const layout of layouts)
  describe(`layout ${layout.id}`, () => {
    it('reads back what it wrote', () =>
      fc.assert(
        fc.property(root, variablesOf(layout), second, word, (prefix, variables, time, tail) => {
          const parsed = keyParser(layout)(keyOf(layout, prefix, variables, time, tail))
          assert.deepEqual(parsed, { root: prefix, variables, time: roundedTo(layout, time) })
        }),
      ))

    it('is claimed by one source', () =>
      fc.assert(
        fc.property(root, variablesOf(layout), second, word, (prefix, variables, time, tail) => {
          const key = keyOf(layout, prefix, variables, time, tail)
          const claims = Object.values(sources).filter(({ layouts, digest }) =>
            [...layouts, ...(digest === undefined ? [] : [digest])].some(
              (other) => keyParser(other)(key) !== undefined,
            ),
          )
          assert.equal(claims.length, 1, key)
        }),
      ))

    it('knows the time from the name alone', () =>
      fc.assert(
        fc.property(variablesOf(layout), second, word, (variables, time, tail) => {
          const name = keyOf(layout, '', variables, time, tail).split('/').at(-1) ?? ''
          // Where only a folder has the time, the name tells nothing.
          if (!/\{yyyy\}[^/]*$/.test(layout.timed)) return assert.equal(nameParser(layout)(`copied/${name}`), undefined)
          assert.equal(nameParser(layout)(`copied/${name}`)?.time.getTime(), roundedTo(layout, time).getTime())
        }),
      ))

    it('has one range of keys for all that a window may need, and for little else', () =>
      fc.assert(
        fc.property(
          variablesOf(layout),
          second,
          fc.integer({ min: 1, max: 3 * 1440 }),
          fc.integer({ min: -200, max: 3 * 1440 + 200 }),
          word,
          (variables, from, minutes, offset, tail) => {
            const window = { from, to: new Date(from.getTime() + minutes * 60_000) }
            const time = roundedTo(layout, new Date(from.getTime() + offset * 60_000))
            const path = renderTemplate(layout.path, variables, time)
            const key = keyOf(layout, '', variables, time, tail)
            const { startAfter, endBefore } = keyRange(layout, { path, variables: pathOnly(layout, variables) }, window)
            const inRange = compareKeys(key, startAfter) > 0 && compareKeys(key, endBefore) < 0
            const wanted = mayHold(layout.padding, window, time)
            // A variable before the finest part of the time makes the range coarser, never narrower.
            if (isExact(layout)) assert.equal(inRange, wanted, key)
            else assert.ok(inRange || !wanted, key)
          },
        ),
        { numRuns: 300 },
      ))

    it('takes no key with something more where a folder begins', () =>
      fc.assert(
        fc.property(
          variablesOf(layout),
          second,
          word,
          fc.nat(),
          fc.constantFrom('/', '\n', 'x', '../'),
          (variables, time, tail, at, piece) => {
            const key = keyOf(layout, '', variables, time, tail)
            const slashes = [...key.matchAll(/\//g)].map(({ index }) => index)
            // A bucket may have any name.
            if (slashes.length === 0 || (piece === 'x' && layout.path.includes('{bucket}'))) return
            const slash = slashes[at % slashes.length] ?? 0
            // So may an object where only folders have the time.
            if (piece === 'x' && slash === slashes.at(-1) && layout.timed.endsWith('/')) return
            assert.equal(keyParser(layout)(`${key.slice(0, slash + 1)}${piece}${key.slice(slash + 1)}`), undefined)
          },
        ),
      ))
  })

const pathOnly = (layout: Layout, variables: Record<string, string>) =>
  // Of a flat branch, all are known.
  isFlat(layout)
    ? variables
    : Object.fromEntries(Object.entries(variables).filter(([name]) => layout.path.includes(`{${name}`)))

const isExact = (layout: Layout): boolean =>
  isFlat(layout) ||
  [...layout.timed.matchAll(/\{(\w+)\}/g)].every(
    ([, name = '']) => /^(yyyy|MM|dd|HH|mm|ss)$/.test(name) || layout.path.includes(`{${name}`),
  )

it('no text at all makes a parser fail', () =>
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      for (const layout of layouts) assert.equal(keyParser(layout)(text), undefined)
    }),
  ))

describe('padding', () => {
  const window = { from: new Date('2026-03-02T10:02:00Z'), to: new Date('2026-03-02T11:00:00Z') }
  /** First and last key time that counts, and the steps next to them that do not. */
  const edges: [layout: string, before: string, first: string, last: string, after: string][] = [
    ['cloudtrail', '09:40:00', '09:45:00', '12:00:00', '12:05:00'],
    ['cloudtrail-digest', '10:01:59', '10:02:00', '13:00:00', '13:00:01'],
    ['waf-s3', '09:50:00', '09:55:00', '11:05:00', '11:10:00'],
    ['waf-firehose', '09:46:59', '09:47:00', '11:15:00', '11:15:01'],
    ['vpcflow', '09:50:00', '09:55:00', '11:10:00', '11:15:00'],
    ['alb', '09:55:00', '10:00:00', '11:05:00', '11:10:00'],
  ]
  for (const [id, ...clocks] of edges)
    it(`of ${id} takes ${clocks[1]} to ${clocks[2]} for 10:02 to 11:00`, () => {
      const held = clocks.map((clock) => mayHold(layoutOf(id).padding, window, new Date(`2026-03-02T${clock}Z`)))
      assert.deepEqual(held, [false, true, true, false])
    })

  it('of Security Lake takes the days of the window, and the next one only for flows that end in it', () => {
    const until = { from: new Date('2026-03-02T10:02:00Z'), to: new Date('2026-03-02T23:55:00Z') }
    const days = ['01', '02', '03'].map((day) => new Date(`2026-03-${day}T00:00:00Z`))
    const held = (id: string) => days.map((day) => mayHold(layoutOf(id).padding, until, day))
    assert.deepEqual(held('securitylake-cloudtrail'), [false, true, false])
    assert.deepEqual(held('securitylake-vpcflow'), [false, true, true])
  })

  it('reaches over midnight and the year’s end', () => {
    const newYear = { from: new Date('2026-01-01T00:00:00Z'), to: new Date('2026-12-31T23:59:00Z') }
    const branch = { path: 'AWSLogs/1/CloudTrail/r/', variables: { account: '1', region: 'r' } }
    const { startAfter, endBefore } = keyRange(layoutOf('cloudtrail'), branch, newYear)
    assert.equal(startAfter, 'AWSLogs/1/CloudTrail/r/2025/12/31/1_CloudTrail_r_20251231T2345Z')
    assert.match(endBefore, /^AWSLogs\/1\/CloudTrail\/r\/2027\/01\/01\/1_CloudTrail_r_20270101T0059Z/)
  })
})

describe('sources', () => {
  it('are found by id, and only by their own', () => {
    for (const id of sourceIds) assert.equal(sourceOf(id).id, id)
    for (const id of ['constructor', '__proto__', 'CloudTrail', ''])
      assert.throws(() => sourceOf(id), /cloudtrail, waf/)
  })

  it('have a default entity among their entities', () => {
    for (const source of Object.values(sources)) assert.ok(Object.hasOwn(source.entities, source.defaultEntity))
  })
})
