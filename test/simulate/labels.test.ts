import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'csv-parse/sync'
import { simulatedLogs } from '../support/simulated.ts'
import { agentOf, trailRecords, webRecords } from './read.ts'

interface Label {
  readonly source: string
  readonly entity: string
  readonly ip: string
  readonly kind: string
  readonly time: string
}

const folder = await simulatedLogs({ users: 120 })
const text = readFileSync(join(folder, 'labels.csv'), 'utf8')
const labels: Label[] = parse(text, { columns: true })

/** Every access as who, from where, when. */
const accesses = [
  ...(await trailRecords(folder)).map(({ record }) => ({
    source: 'cloudtrail',
    id: record.eventID,
    entity: record.userIdentity?.principalId?.split(':')[0] ?? '',
    ip: record.sourceIPAddress,
    time: record.eventTime,
  })),
  ...(await webRecords(folder)).map(({ record }) => ({
    source: 'waf',
    id: record.httpRequest.requestId,
    entity: agentOf(record) ?? '',
    ip: record.httpRequest.clientIp,
    time: `${new Date(record.timestamp).toISOString().slice(0, 19)}Z`,
  })),
]
const pairOf = ({ source, entity, ip }: { source: string; entity: string; ip: string }) =>
  JSON.stringify([source, entity, ip])
const byPair = new Map<string, typeof accesses>()
for (const access of accesses) byPair.set(pairOf(access), [...(byPair.get(pairOf(access)) ?? []), access])

describe('labelled attacks', () => {
  it('have the agreed header', () => assert.equal(text.split('\n')[0], 'source,entity,ip,kind,time'))

  it('are of three kinds in either source, and in a trail some come by IPv6', () => {
    const kindsOf = (source: string) =>
      [...new Set(labels.filter((l) => l.source === source).map((l) => l.kind))].sort()
    const kinds = ['near-network', 'other-entity', 'random-network']
    assert.deepEqual(kindsOf('waf'), kinds)
    assert.deepEqual(kindsOf('cloudtrail'), ['ipv6-network', ...kinds])
    for (const { kind, ip } of labels) assert.equal(ip.includes(':'), kind === 'ipv6-network')
  })

  it('fall into the last fifth of the window', () => {
    for (const { time } of labels) {
      assert.ok(Date.parse(time) >= Date.parse('2026-03-03T14:24:00Z'), time)
      assert.ok(Date.parse(time) < Date.parse('2026-03-04'), time)
    }
  })

  it('are in the logs at their time, and that pair only as an attack', () => {
    const known = new Set(labels.map(pairOf))
    assert.equal(known.size, labels.length)
    for (const label of labels) {
      const found = byPair.get(pairOf(label)) ?? []
      assert.deepEqual([...new Set(found.map(({ time }) => time))], [label.time], JSON.stringify(label))
    }
  })

  it('use names that train knows: each has accesses of its own before', () => {
    const trained = new Set(
      accesses.filter(({ time }) => time < '2026-03-03T14:24:00Z').map(({ source, entity }) => `${source} ${entity}`),
    )
    for (const { source, entity } of labels) assert.ok(trained.has(`${source} ${entity}`), entity)
  })

  it('of the kind other-entity come from addresses near which somebody else is', () => {
    const near = ({ source, ip }: Pick<Label, 'source' | 'ip'>) => `${source} ${ip.split('.').slice(0, 2).join('.')}`
    const peopleNear = new Map<string, Set<string>>()
    for (const access of accesses)
      peopleNear.set(near(access), (peopleNear.get(near(access)) ?? new Set()).add(access.entity))
    const others = labels.filter(({ kind }) => kind === 'other-entity')
    const alone = others.filter((label) => {
      const people = peopleNear.get(near(label)) ?? new Set()
      return people.size <= (people.has(label.entity) ? 1 : 0)
    })
    assert.ok(others.length > 10)
    // One may be an address that its owner had on a journey, and not in these days.
    assert.ok(alone.length <= others.length / 10, JSON.stringify(alone))
  })
})
