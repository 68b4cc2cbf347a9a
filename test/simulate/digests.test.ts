import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { keyParser } from '../../scripts/lib/sources/layout.ts'
import { sourceOf } from '../../scripts/lib/sources/registry.ts'
import { simulatedLogs } from '../support/simulated.ts'
import { contentOf, keysOf, logKey, type TrailRecord } from './read.ts'

interface Digest {
  readonly awsAccountId: string
  readonly digestStartTime: string
  readonly digestEndTime: string
  readonly digestS3Object: string
  readonly oldestEventTime: string | null
  readonly newestEventTime: string | null
  readonly previousDigestS3Object: string | null
  readonly previousDigestHashValue: string | null
  readonly previousDigestSignature: string | null
  readonly logFiles: { s3Object: string; hashValue: string; oldestEventTime: string; newestEventTime: string }[]
}

const layout = sourceOf('cloudtrail').digest
assert.ok(layout)
const parse = keyParser(layout)
const folder = await simulatedLogs()
const keys = await keysOf(folder)
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

const digests = keys.flatMap((key) => {
  const parsed = parse(key)
  if (parsed === undefined) return []
  const content = contentOf(folder, key)
  return [{ key, parsed, hash: sha256(content), digest: JSON.parse(content.toString()) as Digest }]
})
const chains = new Map<string, typeof digests>()
for (const digest of digests) {
  const { account, region } = digest.parsed.variables
  chains.set(`${account} ${region}`, [...(chains.get(`${account} ${region}`) ?? []), digest])
}

describe('simulated digests', () => {
  it('name every log file once, with the hash of its content and the times of its events', () => {
    const named = digests.flatMap(({ digest }) => digest.logFiles)
    const logs = keys.filter((key) => logKey('cloudtrail', key) !== undefined)
    assert.deepEqual(named.map(({ s3Object }) => s3Object).sort(), logs.sort())
    for (const { s3Object, hashValue, oldestEventTime, newestEventTime } of named) {
      const content = contentOf(folder, s3Object)
      assert.equal(sha256(content), hashValue)
      const times = (JSON.parse(content.toString()) as { Records: TrailRecord[] }).Records.map(
        (r) => r.eventTime,
      ).sort()
      assert.deepEqual([oldestEventTime, newestEventTime], [times[0], times.at(-1)])
    }
  })

  for (const [chain, links] of chains)
    it(`of ${chain} follow each other hour by hour, empty hours too`, () => {
      assert.ok(links.length > 4 * 24)
      for (const [i, { key, parsed, digest }] of links.entries()) {
        const before = links[i - 1]
        assert.equal(digest.digestS3Object, key)
        assert.equal(digest.awsAccountId, parsed.variables.account)
        assert.equal(Date.parse(digest.digestEndTime), parsed.time.getTime())
        assert.equal(Date.parse(digest.digestEndTime) - Date.parse(digest.digestStartTime), 3_600_000)
        assert.equal(digest.previousDigestS3Object, before?.key ?? null)
        assert.equal(digest.previousDigestHashValue, before?.hash ?? null)
        assert.equal(digest.previousDigestSignature === null, before === undefined)
      }
    })

  it('say over which time their events range', () => {
    for (const { digest } of digests) {
      const oldest = digest.logFiles.map(({ oldestEventTime }) => oldestEventTime).sort()
      const newest = digest.logFiles.map(({ newestEventTime }) => newestEventTime).sort()
      assert.deepEqual([digest.oldestEventTime, digest.newestEventTime], [oldest[0] ?? null, newest.at(-1) ?? null])
    }
    assert.ok(digests.some(({ digest }) => digest.logFiles.length === 0))
  })
})
