import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Accesses } from '../../../scripts/lib/insights/accesses.ts'
import { formatIpv4, parseIpv4 } from '../../../scripts/lib/insights/ipv4.ts'
import type { Pairs } from '../../../scripts/lib/insights/pairs.ts'

const ipOf = (text: string) => parseIpv4(text) ?? assert.fail(text)

/** Pairs as readPairs gives them. */
function pairsOf(rows: readonly (readonly [entity: string, ip: number])[]): Pairs {
  const entities = [...new Set(rows.map(([entity]) => entity))]
  return {
    entities,
    entityIndex: Uint32Array.from(rows, ([entity]) => entities.indexOf(entity)),
    ip: Uint32Array.from(rows, ([, ip]) => ip),
  }
}

const accesses = new Accesses(
  pairsOf(
    ['10.1.2.3', '10.1.2.3', '10.1.2.9', '10.1.200.1', '255.255.255.255', '0.0.0.0']
      .map((ip): [string, number] => ['a', ipOf(ip)])
      .concat([['b', ipOf('192.0.2.1')]]),
  ),
)

const cases: [entity: string, ip: string, ip32: boolean, net24: boolean, net16: boolean][] = [
  ['a', '10.1.2.3', true, true, true],
  ['a', '10.1.2.4', false, true, true],
  ['a', '10.1.3.0', false, false, true],
  ['a', '10.2.2.3', false, false, false],
  ['a', '255.255.255.255', true, true, true],
  ['a', '255.255.255.0', false, true, true],
  ['a', '0.0.1.0', false, false, true],
  ['a', '192.0.2.1', false, false, false],
  ['b', '192.0.2.1', true, true, true],
  ['c', '192.0.2.1', false, false, false],
]

for (const [entity, ip, ip32, net24, net16] of cases)
  test(`${entity} from ${ip}: ${ip32} ${net24} ${net16}`, () =>
    assert.deepEqual(accesses.seen(entity, ipOf(ip)), { ip: ip32, net24, net16 }))

test('events are accesses, repeats included', () =>
  assert.deepEqual(
    ['a', 'b', 'c'].map((entity) => accesses.events(entity)),
    [6, 1, 0],
  ))

test('usual networks, most first; without any there are none', () => {
  const [first, second] = accesses.usual('a')
  assert.deepEqual(first, { network: { base: ipOf('10.1.2.0'), length: 24 }, share: 0.5 })
  assert.deepEqual(second, { network: { base: ipOf('0.0.0.0'), length: 24 }, share: 1 / 6 })
  assert.deepEqual(accesses.usual('c'), [])
})

test('where no few /24 stand out, the /16 are shown', () => {
  const scattered = Array.from({ length: 100 }, (_, i): [string, number] => ['a', ipOf(`10.1.${i}.1`)])
  assert.deepEqual(new Accesses(pairsOf(scattered)).usual('a'), [
    { network: { base: ipOf('10.1.0.0'), length: 16 }, share: 1 },
  ])
})

test('it says of any pairs what going through them says', () => {
  const entity = fc.constantFrom('a', 'b', 'c')
  const ip = fc.tuple(fc.constantFrom(1, 2), fc.constantFrom(1, 2), fc.constantFrom(1, 2), fc.nat(3))
  const row = fc.tuple(
    entity,
    ip.map((octets) => ipOf(octets.join('.'))),
  )
  fc.assert(
    fc.property(fc.array(row, { maxLength: 60 }), row, (rows, [who, from]) => {
      const made = new Accesses(pairsOf(rows))
      const own = rows.filter(([name]) => name === who).map(([, address]) => address)
      assert.equal(made.events(who), own.length)
      assert.deepEqual(made.seen(who, from), {
        ip: own.includes(from),
        net24: own.some((address) => address >>> 8 === from >>> 8),
        net16: own.some((address) => address >>> 16 === from >>> 16),
      })
      const distinct = [...made.distinct()]
      const texts = (list: readonly (readonly [string, number])[]) =>
        list.map(([name, address]) => `${name},${formatIpv4(address)}`).sort()
      const repeated = distinct.flatMap((pair) =>
        Array.from({ length: pair.accesses }, () => [pair.entity, pair.ip] as const),
      )
      assert.deepEqual(texts(repeated), texts(rows))
      assert.equal(new Set(distinct.map((pair) => `${pair.entity},${pair.ip}`)).size, distinct.length)
    }),
  )
})
