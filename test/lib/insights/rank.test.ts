import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupByEntity } from '../../../scripts/lib/insights/accesses.ts'
import { Attackers, attackerKinds } from '../../../scripts/lib/insights/attackers.ts'
import { boosted, type Examples } from '../../../scripts/lib/insights/boosting.ts'
import { EvidenceModel } from '../../../scripts/lib/insights/evidence.ts'
import { Forest } from '../../../scripts/lib/insights/forest.ts'
import { isPublic, isWithin, networkOf, parseCidr, parseIpv4 } from '../../../scripts/lib/insights/ipv4.ts'
import { Novelty } from '../../../scripts/lib/insights/novelty.ts'
import type { Pairs } from '../../../scripts/lib/insights/pairs.ts'
import { PrefixModel } from '../../../scripts/lib/insights/prefixes.ts'
import { Random } from '../../../scripts/lib/insights/random.ts'
import { foldOf, Rank } from '../../../scripts/lib/insights/rank.ts'
import { reasonsOf } from '../../../scripts/lib/insights/reasons.ts'
import { follow, type Tree } from '../../../scripts/lib/insights/tree.ts'

const ip = (text: string): number => parseIpv4(text) ?? assert.fail(text)

const pairsOf = (rows: readonly [entity: number, address: string][]): Pairs => ({
  entities: ['a', 'b'],
  entityIndex: Uint32Array.from(rows, ([entity]) => entity),
  ip: Uint32Array.from(rows, ([, address]) => ip(address)),
})

const PAIRS = pairsOf([
  [0, '20.0.0.1'],
  [0, '20.0.0.1'],
  [0, '20.0.0.9'],
  [0, '20.0.1.1'],
  [0, '20.16.0.1'],
  [0, '120.0.0.1'],
  [1, '20.0.0.1'],
  [1, '90.1.2.3'],
])

/** The same formula, without any arrangement of the addresses. */
function pmiByHand(entity: number, address: number): number {
  const rows = [...PAIRS.ip].map((at, i) => [PAIRS.entityIndex[i], at] as const)
  const [all, own] = [rows.map(([, at]) => at), rows.filter(([e]) => e === entity).map(([, at]) => at)]
  let sum = 0
  let shorter = 0
  for (const length of [8, 12, 16, 20, 24]) {
    const p = (ips: readonly number[], fallback: number): number => {
      const outer = ips.filter((at) => networkOf(at, shorter) === networkOf(address, shorter))
      const inner = outer.filter((at) => networkOf(at, length) === networkOf(address, length))
      const distinct = new Set(outer.map((at) => networkOf(at, length))).size
      return outer.length === 0 ? fallback : (inner.length + distinct * fallback) / (outer.length + distinct)
    }
    const common = p(all, 2 ** (shorter - length))
    sum += Math.log(p(own, common) / common)
    shorter = length
  }
  return sum
}

test('the prefix model is the smoothed product over prefixes', () => {
  const model = new PrefixModel(PAIRS)
  for (const entity of [0, 1])
    for (const address of [
      '20.0.0.1',
      '20.0.0.200',
      '20.0.1.1',
      '20.16.9.9',
      '20.99.0.0',
      '90.1.2.3',
      '7.7.7.7',
      '255.255.255.255',
    ]) {
      model.at(entity, ip(address))
      assert.ok(Math.abs(model.pmi() - pmiByHand(entity, ip(address))) < 1e-9, `${entity} ${address}`)
    }
})

test('novelty: the farther off the rarer, and rarer for those who never strayed', () => {
  const random = new Random(3)
  const homes = Array.from({ length: 40 }, (_, user) => (20 + user) * 2 ** 24)
  // The first half of them went far away five times each.
  const rows = homes.flatMap((home, user) =>
    Array.from(
      { length: 200 },
      (_, n) => [user, n < 5 && user < 20 ? random.uint32() : home + random.below(4000)] as const,
    ),
  )
  const novelty = new Novelty(
    groupByEntity({
      entities: homes.map((home) => `${home}`),
      entityIndex: Uint32Array.from(rows, ([user]) => user),
      ip: Uint32Array.from(rows, ([, address]) => address),
    }),
  )
  for (const user of [0, 39]) {
    const byDistance = [0, 100, 10_000, 2 ** 20, 2 ** 24, Number.POSITIVE_INFINITY].map((d) => novelty.of(user, d))
    assert.deepEqual(
      byDistance,
      byDistance.toSorted((a, b) => b - a),
    )
    assert.ok(byDistance.every((p) => p > 0 && p <= 1))
    assert.equal(byDistance.at(-1), byDistance.at(-2))
  }
  const [strayed, never] = [novelty.of(0, 2 ** 24), novelty.of(39, 2 ** 24)]
  assert.ok(strayed > 0.015 && strayed < 0.03, `${strayed}`)
  assert.ok(never < strayed / 2, `${never}`)
})

test('evidence: what the entity and others did there', () => {
  const evidence = new EvidenceModel(PAIRS)
  const about = (address: string) => {
    const { accesses, ip: own, net24, net20, net16, others24, others16, distance } = evidence.of('a', ip(address))
    return [accesses, own, net24, net20, net16, others24, others16, distance]
  }
  assert.deepEqual(about('20.0.0.1'), [6, 2, 3, 4, 4, 1, 1, 0])
  assert.deepEqual(about('20.0.0.2'), [6, 0, 3, 4, 4, 1, 1, 1])
  assert.deepEqual(about('90.1.9.9'), [6, 0, 0, 0, 0, 0, 1, ip('120.0.0.1') - ip('90.1.9.9')])
  assert.throws(() => evidence.of('c', 1), RangeError)
})

test('evidence is what counting row by row gives, in whatever sequence pairs are looked at', () => {
  const random = new Random(6)
  // Few bits, so that addresses share prefixes of every length.
  const address = () =>
    ((random.below(3) << 30) | (random.below(4) << 18) | (random.below(4) << 10) | random.below(9)) >>> 0
  const ips = Uint32Array.from({ length: 400 }, address)
  const entityIndex = ips.map(() => random.below(2))
  const evidence = new EvidenceModel({ entities: ['a', 'b'], entityIndex, ip: ips })
  const asked = Array.from({ length: 300 }, () => [random.below(2), address()] as const)
  for (const [entity, at] of [...asked, ...asked.toSorted(([a, x], [b, y]) => a - b || x - y)]) {
    const count = (holds: (ip: number) => boolean, of = entity) =>
      ips.filter((ip, i) => entityIndex[i] === of && holds(ip)).length
    const inside = (length: number) => (ip: number) => networkOf(ip, length) === networkOf(at, length)
    const near = (range: number) => count((ip) => ip >= at - range && ip < at + range)
    const { novelty, pmi, ...about } = evidence.of(['a', 'b'][entity] ?? '', at)
    assert.deepEqual(about, {
      accesses: count(() => true),
      ip: count((ip) => ip === at),
      net24: count(inside(24)),
      net20: count(inside(20)),
      net16: count(inside(16)),
      near16: near(2 ** 16),
      near20: near(2 ** 20),
      distance: Math.min(...[...ips].filter((_, i) => entityIndex[i] === entity).map((ip) => Math.abs(ip - at))),
      others24: count(inside(24), 1 - entity),
      others16: count(inside(16), 1 - entity),
    })
    assert.ok(novelty > 0 && Number.isFinite(pmi))
  }
})

/** Yes where exactly one of two features is high; a third one is noise. */
function exclusive(rows: number): Examples {
  const random = new Random(8)
  const columns = [0, 1, 2].map(() => Float64Array.from({ length: rows }, () => random.uniform()))
  const [a = new Float64Array(), b = new Float64Array()] = columns
  return {
    columns,
    offset: new Float64Array(rows),
    weight: new Float64Array(rows).fill(1),
    answer: Uint8Array.from(a, (value, i) => (value > 0.5 === (b[i] ?? 0) > 0.5 ? 0 : 1)),
  }
}

test('boosted trees learn what no sum of features can say, and the same from the same', () => {
  const examples = exclusive(3000)
  const trees = boosted(examples)
  const odds = (...features: number[]) => trees.reduce((sum, tree) => sum + follow(tree, features), 0)
  for (const [a, b] of [
    [0.2, 0.2],
    [0.8, 0.8],
  ] as const)
    assert.ok(odds(a, b, 0.5) < -1)
  for (const [a, b] of [
    [0.2, 0.8],
    [0.8, 0.2],
  ] as const)
    assert.ok(odds(a, b, 0.5) > 1)
  assert.deepEqual(boosted(examples), trees)
})

test('what the features add is what the tree says beyond its root', () => {
  for (const tree of boosted(exclusive(500)).slice(0, 5)) {
    let sum = tree.value[0] ?? 0
    const value = follow(tree, [0.3, 0.9, 0.1], (_, change) => {
      sum += change
    })
    assert.ok(Math.abs(value - sum) < 1e-12)
  }
})

test('a forest says what its trees say one by one, to the bit', () => {
  const trees = [...boosted(exclusive(700)), constant(0.25), ...boosted(exclusive(60))].slice(0, 150)
  const forest = new Forest(trees, 3)
  const random = new Random(4)
  const cuts = trees.flatMap(({ feature, cut }) => cut.filter((_, n) => (feature[n] ?? -1) >= 0))
  assert.ok(cuts.length > 100)
  for (let n = 0; n < 500; n++) {
    // Values on a cut, too: those are not below it.
    const features = [0, 1, 2].map(() => (n % 2 === 0 ? random.uniform() : (cuts[random.below(cuts.length)] ?? 0)))
    assert.equal(
      forest.sum(features, 0.5),
      trees.reduce((sum, tree) => sum + follow(tree, features), 0.5),
    )
  }
})

/** A tree without a cut. */
const constant = (value: number): Tree => ({
  feature: Array.from({ length: 7 }, () => -1),
  cut: Array.from({ length: 7 }, () => 0),
  value: Array.from({ length: 15 }, () => value),
})

test('an entity is judged by the trees of its fold; the prior is the number of its accesses', () => {
  const entities = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
  assert.equal(new Set(entities.map(foldOf)).size, 4)
  const about = new EvidenceModel(PAIRS).of('a', ip('20.0.0.2'))
  const value = (entity: string, prior: 'even' | 'accesses') =>
    new Rank(
      [100, 200, 300, 400].map((value) => [constant(value)]),
      prior,
    ).value(entity, about, 0)
  for (const entity of entities) {
    assert.equal(Math.round(value(entity, 'accesses') / -100), foldOf(entity) + 1)
    assert.ok(Math.abs(value(entity, 'even') - value(entity, 'accesses') - Math.log(6)) < 1e-9)
  }
})

test('reasons say what the evidence is, weightiest first', () => {
  const about = new EvidenceModel(PAIRS).of('a', ip('90.1.9.9'))
  const rank = new Rank([], 'even')
  const reasons = reasonsOf(about, -3.125, rank.contributions('a', about, -3.125))
  const weights = reasons.map(({ weight }) => weight)
  assert.deepEqual(
    weights,
    weights.toSorted((a, b) => b - a),
  )
  const text = reasons.map((reason) => reason.text).join('\n')
  for (const part of [
    /never in this \/16; others once from this \/16, never from the \/24/,
    /so far from all its other addresses/,
    /scores it -3\.1/,
    /times less likely/,
    /^6 accesses of this entity/m,
  ])
    assert.match(text, part)
})

test('attackers come from where their kind says, and never from an own address', () => {
  const listed = [parseCidr('198.18.0.0/24')]
  const attackers = new Attackers(groupByEntity(PAIRS), listed)
  const random = new Random(1)
  const own = new Set([...PAIRS.ip].filter((_, i) => PAIRS.entityIndex[i] === 0))
  for (const kind of attackerKinds)
    for (let n = 0; n < 200; n++) {
      const address = attackers.draw(kind, 0, random)
      assert.ok(!own.has(address))
      if (kind === 'random-network') assert.ok(isPublic(address))
      if (kind === 'other-entity') assert.equal(address, ip('90.1.2.3'))
      if (kind === 'other-network')
        assert.ok(['90.1.0.0/20', '20.0.0.0/20'].map(parseCidr).some((net) => isWithin(address, net)))
      if (kind === 'near-network') assert.ok([...own].some((at) => Math.abs(at - address) <= 2 ** 22))
      if (kind === 'listed') assert.ok(listed.some((net) => isWithin(address, net)))
    }
})
