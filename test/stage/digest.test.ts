import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { appendFileSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { runScript } from '../support/run-script.ts'
import { scratch, stageDay, trailKey, writeObjects } from './logs.ts'

const ACCOUNT = '111122223333'
const REGION = 'us-east-1'
const HOUR = 3_600_000
const from = Date.parse('2026-03-02T00:00:00Z')

interface File {
  /** Hours after the window's start: when it was delivered, and the events that it holds. */
  readonly delivered: number
  readonly oldest: number
  readonly newest: number
}

const iso = (hours: number): string => `${new Date(from + hours * HOUR).toISOString().slice(0, 19)}Z`
const compact = (text: string): string => text.replace(/[-:]/g, '')

const logKey = ({ delivered }: File): string =>
  trailKey(
    ACCOUNT,
    REGION,
    `${compact(iso(delivered)).slice(0, 13)}Z`,
    `f${String(delivered).replace('.', '_').replace('-', 'm')}`,
  )

const digestKey = (end: number): string =>
  `AWSLogs/o-abc123/${ACCOUNT}/CloudTrail-Digest/${REGION}/${iso(end).slice(0, 10).replaceAll('-', '/')}/` +
  `${ACCOUNT}_CloudTrail-Digest_${REGION}_my_odd.trail_${REGION}_${compact(iso(end))}.json.gz`

const contentOf = (file: File): string => JSON.stringify({ Records: [{ eventTime: iso(file.oldest) }] })

/** A bucket with log files and the hourly digests that name them, from `first` to `last` hours around the window's start. */
function bucket(files: readonly File[], first = -3, last = 28): string {
  const logs = scratch()
  for (const file of files) {
    writeObjects(logs, { [logKey(file)]: '' })
    writeFileSync(join(logs, logKey(file)), gzipSync(contentOf(file)))
  }
  for (let end = first; end <= last; end++) {
    const named = files.filter(({ delivered }) => delivered > end - 1 && delivered <= end)
    const digest = {
      awsAccountId: ACCOUNT,
      digestS3Object: digestKey(end),
      digestStartTime: iso(end - 1),
      digestEndTime: iso(end),
      previousDigestS3Object: end === first ? null : digestKey(end - 1),
      logFiles: named.map((file) => ({
        s3Bucket: 'org-logs',
        s3Object: logKey(file),
        hashAlgorithm: 'SHA-256',
        hashValue: createHash('sha256').update(contentOf(file)).digest('hex'),
        oldestEventTime: iso(file.oldest),
        newestEventTime: iso(file.newest),
      })),
    }
    writeObjects(logs, { [digestKey(end)]: '' })
    writeFileSync(join(logs, digestKey(end)), gzipSync(JSON.stringify(digest)))
  }
  return logs
}

const files: File[] = [
  { delivered: -0.5, oldest: -0.6, newest: -0.55 },
  { delivered: 0.25, oldest: -0.1, newest: -0.01 },
  { delivered: 0.5, oldest: -0.1, newest: 0.3 },
  { delivered: 12, oldest: 11.9, newest: 11.95 },
  { delivered: 24.5, oldest: 23.9, newest: 24.2 },
  { delivered: 24.75, oldest: 24.1, newest: 24.6 },
  { delivered: 25.75, oldest: 2, newest: 2.1 },
]
const holding = files.filter(({ oldest, newest }) => newest >= 0 && oldest < 24)

const stage = (logs: string, args: readonly string[] = [], workspace = scratch()) =>
  stageDay(logs, ['--keys', 'digest', ...args], workspace)

describe('keys from digests', () => {
  it('are exactly the files that hold events of the window, a late one included', async () => {
    const { result, stderr } = await stage(bucket(files), ['--verify', 'full'])
    assert.ok(result, stderr)
    assert.equal(result.objects, holding.length)
    assert.doesNotMatch(stderr, /warning/)
  })

  it('are those below a folder of logs that was named; their digests may lie elsewhere', async () => {
    const logs = bucket(files)
    const day = `AWSLogs/o-abc123/${ACCOUNT}/CloudTrail/${REGION}/2026/03/03`
    const { result, stderr } = await stage(join(logs, day))
    assert.ok(result, stderr)
    assert.deepEqual(
      [result.objects, holding.length],
      [holding.filter((file) => logKey(file).startsWith(day)).length, 4],
    )
  })

  it('fail when a file that they name is not there, with everything else staged', async () => {
    const logs = bucket(files)
    rmSync(join(logs, logKey(holding[1] as File)))
    const { code, stderr } = await stage(logs)
    assert.equal(code, 1)
    assert.match(stderr, /named by a digest, but not in the logs/)
    assert.match(stderr, /staging: 3 of 3 objects/)
  })

  it('fail when a file is not what its digest says, also where all was staged before without a look at it', async () => {
    const logs = bucket(files)
    const workspace = scratch()
    writeFileSync(join(logs, logKey(holding[0] as File)), gzipSync('{"Records":[]}'))
    assert.equal((await stage(logs, [], workspace)).code, 0)
    for (const where of [scratch(), workspace]) {
      const { code, stderr } = await stage(logs, ['--verify', 'full'], where)
      assert.equal(code, 1)
      assert.match(stderr, /SHA-256 differs/)
    }
  })

  it('prove the content of what was staged before, and copy nothing for it', async () => {
    const logs = bucket(files)
    const workspace = scratch()
    await stage(logs, [], workspace)
    const { result, stderr } = await stage(logs, ['--verify', 'full'], workspace)
    assert.ok(result, stderr)
    assert.deepEqual([result.copied, result.skipped, result.verified], [0, holding.length, holding.length])
  })

  it('that prove a copy wrong make every later stage copy just that one again, and check it', async () => {
    const logs = bucket(files)
    const workspace = scratch()
    const { result: first } = await stage(logs, [], workspace)
    // Another content of the same size, in a file of its own: the staged one is a link to the log.
    const tampered = holding.slice(0, 2).map((file) => join(first.staged, logKey(file)))
    for (const path of tampered) {
      const { length } = readFileSync(path)
      rmSync(path)
      writeFileSync(path, gzipSync('{}').subarray(0, 20))
      appendFileSync(path, Buffer.alloc(length - 20))
    }
    const found = await stage(logs, ['--verify', 'full'], workspace)
    assert.equal(found.code, 1)
    assert.match(found.stderr, /2 objects of the manifest could not be staged/)
    const refused = await runScript('extract', ['--run', first.run, '--workspace', workspace])
    assert.equal(refused.code, 1)
    const [, advice = ''] = /npx zx scripts\/(stage\.mjs .*)/.exec(refused.stderr) ?? []
    assert.match(advice, / --keys digest --verify full /)
    // Where the logs are altered, too, copying again is of no use, whatever is typed.
    const [altered = ''] = holding.map((file) => join(logs, logKey(file)))
    const original = readFileSync(altered)
    const alter = (content: Uint8Array) => {
      writeFileSync(altered, content)
      utimesSync(altered, 1_790_000_000, 1_790_000_000)
    }
    alter(original.toReversed())
    for (const args of [[], ['--verify', 'full'], []]) {
      const again = await stage(logs, args, workspace)
      assert.equal(again.code, 1, again.stderr)
      assert.match(again.stderr, /1 object of the manifest could not be staged/)
    }
    alter(original)
    const healed = await runScript('stage', [...advice.split(' ').slice(1), '--output', 'json'])
    assert.equal(healed.code, 0, healed.stderr)
    const { copied, skipped, verified } = JSON.parse(healed.stdout)
    assert.deepEqual([copied, skipped, verified], [1, holding.length - 1, holding.length])
    assert.equal((await stage(logs, [], workspace)).result.repeated, true)
  })

  it('that prove a copy wrong are not forgotten by --overwrite', async () => {
    const logs = bucket(files)
    const workspace = scratch()
    writeFileSync(join(logs, logKey(holding[0] as File)), gzipSync('{"Records":[]}'))
    assert.equal((await stage(logs, ['--verify', 'full'], workspace)).code, 1)
    for (const args of [['--overwrite'], []]) {
      const { code, stderr } = await stage(logs, args, workspace)
      assert.equal(code, 1)
      assert.match(stderr, /SHA-256 differs/)
    }
  })

  it('name a file that comes back: only that is copied', async () => {
    const logs = bucket(files)
    const workspace = scratch()
    const path = join(logs, logKey(holding[1] as File))
    const content = readFileSync(path)
    rmSync(path)
    for (const _ of ['once', 'twice']) {
      const { code, stderr } = await stage(logs, [], workspace)
      assert.equal(code, 1)
      assert.match(stderr, /named by a digest, but not in the logs/)
    }
    writeFileSync(path, content)
    const { result, stderr } = await stage(logs, [], workspace)
    assert.ok(result, stderr)
    assert.deepEqual([result.copied, result.skipped], [1, holding.length - 1])
  })

  it('tell of a missing hour, and list what it may have named', async () => {
    const logs = bucket(files)
    rmSync(join(logs, digestKey(12)))
    const { result, stderr } = await stage(logs)
    assert.match(stderr, /trail my_odd\.trail: no digest covers 2026-03-02T11:00Z to 2026-03-02T12:00Z/)
    // Listing brings the padded range: the file of the missing hour, and those whose events it cannot know.
    assert.ok(result.objects >= holding.length)
  })

  it('tell of a broken chain', async () => {
    const logs = bucket(files, -3, 28)
    const broken = {
      ...JSON.parse('{}'),
      digestS3Object: digestKey(5),
      digestStartTime: iso(4),
      digestEndTime: iso(5),
      previousDigestS3Object: 'another',
      logFiles: [],
    }
    writeFileSync(join(logs, digestKey(5)), gzipSync(JSON.stringify(broken)))
    assert.match((await stage(logs)).stderr, /does not follow the digest before it/)
  })

  it('go on by listing where digests end', async () => {
    const { result, stderr } = await stage(bucket(files, -3, 6))
    assert.match(
      stderr,
      /digests of 111122223333 us-east-1 end at 2026-03-02T06:00:00\.000Z: the rest is found by listing/,
    )
    assert.ok(result.objects >= holding.length - 1)
  })

  it('refuse a digest that cannot be read', async () => {
    const logs = bucket(files)
    writeFileSync(join(logs, digestKey(5)), gzipSync('{"logFiles": 3}'))
    const { code, stderr } = await stage(logs)
    assert.equal(code, 1)
    assert.match(
      stderr,
      /the digest .* cannot be read: digestS3Object: is missing; .*logFiles: expected array, found 3/,
    )
  })

  it('need a trail with log file validation', async () => {
    const { code, stderr } = await stage(bucket(files, 5, 4))
    assert.equal(code, 1)
    assert.match(stderr, /has no digests of cloudtrail/)
  })
})
