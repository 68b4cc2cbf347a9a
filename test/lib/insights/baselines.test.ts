import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { eventsByEntity, History, rulesOn } from '../../../scripts/lib/insights/accesses.ts'
import { parseIpv4 } from '../../../scripts/lib/insights/ipv4.ts'
import type { Pairs } from '../../../scripts/lib/insights/pairs.ts'

const ENTITIES = ['a', 'b', 'c']
/** Addresses that often share a /24 or /16. */
const address = fc
  .tuple(fc.constantFrom(0, 1, 255), fc.constantFrom(0, 255), fc.constantFrom(0, 1), fc.constantFrom(0, 255))
  .map(([a, b, c, d]) => ((a << 24) | (b << 16) | (c << 8) | d) >>> 0)
const somePairs = fc.array(fc.tuple(fc.nat(2), address)).map(
  (rows): Pairs => ({
    entities: ENTITIES,
    entityIndex: Uint32Array.from(rows, ([e]) => e),
    ip: Uint32Array.from(rows, ([, ip]) => ip),
  }),
)

test('the history remembers exactly what was there', () =>
  fc.assert(
    fc.property(somePairs, fc.constantFrom(...ENTITIES, 'nobody'), address, (pairs, entity, ip) => {
      const own = [...pairs.ip].filter((_, i) => ENTITIES[pairs.entityIndex[i]!] === entity)
      assert.deepEqual(new History(pairs).seen(entity, ip), {
        ip: own.includes(ip),
        net24: own.some((other) => other >>> 8 === ip >>> 8),
        net16: own.some((other) => other >>> 16 === ip >>> 16),
      })
    }),
  ))

test('events are counted with repeats', () =>
  fc.assert(
    fc.property(somePairs, (pairs) => {
      const events = eventsByEntity(pairs)
      for (const [e, entity] of ENTITIES.entries())
        assert.equal(events.get(entity), pairs.entityIndex.filter((other) => other === e).length)
    }),
  ))

test('the rules as detectors', () => {
  const history = new History({
    entities: ['a'],
    entityIndex: Uint32Array.of(0, 0),
    ip: Uint32Array.from(['1.2.3.4', '1.2.9.9'], (text) => parseIpv4(text)!),
  })
  const seen = (...ips: string[]) => ips.map((text) => history.seen('a', parseIpv4(text)!))
  const rules = rulesOn(seen('1.2.3.4', '1.2.3.5', '1.2.4.4', '9.9.9.9'), seen('1.2.200.1', '7.7.7.7'))
  assert.deepEqual(rules.ip, { normalSeen: 0.25, attackSeen: 0, auc: 0.625 })
  assert.deepEqual(rules.net24, { normalSeen: 0.5, attackSeen: 0, auc: 0.75 })
  assert.deepEqual(rules.net16, { normalSeen: 0.75, attackSeen: 0.5, auc: 0.625 })
})
