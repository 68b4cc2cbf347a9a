import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPublic } from '../../scripts/lib/insights/ipv4.ts'
import { attackKinds, behaviour } from '../../scripts/simulate/behaviour.ts'

const people = behaviour({ seed: 1, users: 2000 })
const { begins, ends } = people.networks
const users = Array.from({ length: 2000 }, (_, user) => user)

/** Row of the network that an address is in; −1 for none. */
function rowOf(ip: number): number {
  let [low, high] = [0, begins.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (begins[middle]! <= ip) low = middle + 1
    else high = middle
  }
  return low > 0 && ip <= ends[low - 1]! ? low - 1 : -1
}

test('networks are public, in order, and do not overlap', () => {
  assert.ok(begins.length > 300_000)
  for (let row = 0; row < begins.length; row += 97) assert.ok(isPublic(begins[row]!) && isPublic(ends[row]!))
  for (let row = 1; row < begins.length; row++) assert.ok(begins[row]! > ends[row - 1]! && ends[row]! >= begins[row]!)
})

test('activity is heavy-tailed: 50 at least, 100 in the median, 10,000 at most', () => {
  const events = users.map(people.eventsOf).toSorted((a, b) => a - b)
  assert.ok(events[0]! >= 50 && events.at(-1)! <= 10_000 && events.at(-1)! > 5000)
  assert.ok(events[1000]! > 90 && events[1000]! < 110)
})

test('most events come from near one of two rows, few from anywhere', () => {
  let near = 0
  let all = 0
  for (const user of users.slice(0, 300)) {
    const rows = Array.from({ length: 100 }, (_, event) => rowOf(people.addressOf(user, event)))
    for (const row of rows) {
      all += 1
      if (rows.filter((other) => Math.abs(other - row) < 60).length > 1) near += 1
    }
  }
  assert.ok(near / all > 0.94 && near / all < 0.99, `${near / all}`)
})

test('every address, of attackers too, lies in a public network', () => {
  for (const user of users.slice(0, 200))
    for (let n = 0; n < 20; n++)
      for (const ip of [people.addressOf(user, n), ...attackKinds.map((kind) => people.attackOn(user, kind, n))])
        assert.ok(rowOf(ip) !== -1 && isPublic(ip))
})

test('moments spread over the whole span', () => {
  const moments = users.map((user) => people.momentOf(user, 7))
  assert.ok(moments.every((moment) => moment >= 0 && moment < 1))
  const early = moments.filter((moment) => moment < 0.7).length / moments.length
  assert.ok(early > 0.65 && early < 0.75)
})

test('a user is the same whoever else there is; another seed is other behaviour', () => {
  const few = behaviour({ seed: 1, users: 10 })
  const other = behaviour({ seed: 2, users: 10 })
  for (const user of users.slice(0, 10)) {
    assert.equal(few.addressOf(user, 3), people.addressOf(user, 3))
    assert.equal(few.eventsOf(user), people.eventsOf(user))
    assert.notEqual(few.addressOf(user, 3), other.addressOf(user, 3))
  }
})

test("an attacker from another entity's address uses one of its own", () => {
  const two = behaviour({ seed: 3, users: 2 })
  const own = new Set(Array.from({ length: two.eventsOf(1) }, (_, event) => two.addressOf(1, event)))
  for (let n = 0; n < 50; n++) assert.ok(own.has(two.attackOn(0, 'other-entity', n)))
})

test('an attacker near the own network sits a few rows off it, one from a random network anywhere', () => {
  const apart = { 'near-network': [] as number[], 'random-network': [] as number[] }
  for (const user of users.slice(0, 100)) {
    const own = Array.from({ length: 200 }, (_, event) => rowOf(people.addressOf(user, event)))
    for (const [kind, distances] of Object.entries(apart))
      for (let n = 0; n < 10; n++) {
        const row = rowOf(people.attackOn(user, kind as keyof typeof apart, n))
        distances.push(Math.min(...own.map((other) => Math.abs(other - row))))
      }
  }
  const shareOf = (distances: number[], isSo: (rows: number) => boolean) =>
    distances.filter(isSo).length / distances.length
  assert.ok(shareOf(apart['near-network'], (rows) => rows > 0 && rows <= 100) > 0.97)
  assert.ok(shareOf(apart['random-network'], (rows) => rows > 100) > 0.97)
})

test('nobody is asked about who does not exist', () => assert.throws(() => people.addressOf(2000, 0), RangeError))
