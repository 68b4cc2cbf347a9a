import { createHash } from 'node:crypto'
import { Random } from '../lib/insights/random.ts'
import { hex, tailOf, uuid } from './identifiers.ts'
import { chunksOf, compactOf, type Deliveries, dayOf, isoOf, type LogFile } from './log-file.ts'
import { type Branch, branchesOf, slotsOf, type Trail, trailRecord } from './trail.ts'

/** The organization's id, and the bucket's name as the logs know it. */
const ORGANIZATION = 'o-a1b2c3d4e5'
const BUCKET = 'example-org-logs'

const HOUR = 3600

/** `AWSLogs/o-…/<account>/<service>/<region>/<day>/` */
const folderOf = ({ account, region }: Branch, service: string, time: number): string =>
  `AWSLogs/${ORGANIZATION}/${account}/${service}/${region}/${dayOf(time)}/`

const logKey = (branch: Branch, time: number, tail: string): string =>
  `${folderOf(branch, 'CloudTrail', time)}${branch.account}_CloudTrail_${branch.region}_${compactOf(time).slice(0, 13)}Z_${tail}.json.gz`

/** Log files of one account and region in order of delivery, after every hour the digest that names them. */
export function* branchFiles(trail: Trail, branch: Branch, deliveries: Deliveries, first: number): Generator<LogFile> {
  const names = new Random(trail.seed, 15, first)
  // Digests end at any minute and second, the same one for all of a branch.
  let digestEnd = trail.begin + 60 * names.below(60) + names.below(60)
  let named: DigestedFile[] = []
  let previous: PreviousDigest | undefined
  const digest = (): LogFile => {
    const [start, end, files, before] = [digestEnd - HOUR, digestEnd, named, previous]
    const { key, content, next } = digestOf({ seed: trail.seed, branch, start, end, files, before })
    previous = next
    named = []
    digestEnd += HOUR
    return { key, content }
  }
  for (let slot = 0; slot < slotsOf(trail); slot++) {
    const time = trail.begin + slot * trail.step
    while (time >= digestEnd) yield digest()
    for (const accesses of chunksOf(deliveries, first + slot)) {
      const key = logKey(branch, time, tailOf(names))
      const file: DigestedFile = { key, sha256: '', ...timesOf(trail, accesses) }
      named.push(file)
      yield {
        key,
        content() {
          const content = Buffer.from(
            `{"Records":[${Array.from(accesses, (access) => trailRecord(trail, branch, access)).join(',')}]}`,
          )
          file.sha256 = createHash('sha256').update(content).digest('hex')
          return content
        },
      }
    }
  }
  yield digest()
}

function timesOf({ accesses }: Trail, some: Uint32Array): { oldest: number; newest: number } {
  let [oldest, newest] = [Number.POSITIVE_INFINITY, 0]
  for (const access of some) {
    const time = accesses.time[access] ?? 0
    oldest = Math.min(oldest, time)
    newest = Math.max(newest, time)
  }
  return { oldest, newest }
}

/** A log file as a digest names it; the hash is known once the file's content was made. */
export interface DigestedFile {
  readonly key: string
  /** Of the uncompressed content. */
  sha256: string
  /** Seconds since 1970. */
  readonly oldest: number
  readonly newest: number
}

/** What the next digest says of the one before it; the hash is known once that one's content was made. */
export interface PreviousDigest {
  readonly key: string
  sha256: string
  readonly signature: string
}

interface DigestSettings {
  readonly seed: number
  readonly branch: Branch
  readonly start: number
  readonly end: number
  readonly files: readonly DigestedFile[]
  readonly before: PreviousDigest | undefined
}

const HOME = 'us-east-1'
/** Trail names may hold dots and underscores. */
const TRAIL = 'org_trail.main'

/** A digest of log file validation. Fields: "CloudTrail digest file structure", CloudTrail user guide; the signature is made up. */
function digestOf({ seed, branch, start, end, files, before }: DigestSettings) {
  const { account, region } = branch
  const key = `${folderOf(branch, 'CloudTrail-Digest', end)}${account}_CloudTrail-Digest_${region}_${TRAIL}_${HOME}_${compactOf(end)}.json.gz`
  const random = new Random(seed, 16, end, Number(account) % 2 ** 31)
  const next: PreviousDigest = { key, sha256: '', signature: hex(random, 64) }
  const content = (): Buffer => {
    const digest = {
      awsAccountId: account,
      digestStartTime: isoOf(start),
      digestEndTime: isoOf(end),
      digestS3Bucket: BUCKET,
      digestS3Object: key,
      digestPublicKeyFingerprint: hex(new Random(seed, 17), 4),
      digestSignatureAlgorithm: 'SHA256withRSA',
      newestEventTime: files.length === 0 ? null : isoOf(Math.max(...files.map(({ newest }) => newest))),
      oldestEventTime: files.length === 0 ? null : isoOf(Math.min(...files.map(({ oldest }) => oldest))),
      previousDigestS3Bucket: before === undefined ? null : BUCKET,
      previousDigestS3Object: before?.key ?? null,
      previousDigestHashValue: before?.sha256 ?? null,
      previousDigestHashAlgorithm: before === undefined ? null : 'SHA-256',
      previousDigestSignature: before?.signature ?? null,
      logFiles: files.map(({ key, sha256, oldest, newest }) => ({
        s3Bucket: BUCKET,
        s3Object: key,
        hashValue: sha256,
        hashAlgorithm: 'SHA-256',
        newestEventTime: isoOf(newest),
        oldestEventTime: isoOf(oldest),
      })),
    }
    const bytes = Buffer.from(JSON.stringify(digest))
    next.sha256 = createHash('sha256').update(bytes).digest('hex')
    return bytes
  }
  return { key, content, next }
}

const DAY = 86_400

/** What lies beside the logs of a trail and must never be taken for them: a file of each kind a day, of the first account. */
export function* decoys(trail: Trail): Generator<LogFile> {
  const [branch] = branchesOf(trail)
  if (branch === undefined) return
  const random = new Random(trail.seed, 18)
  for (let time = trail.begin + DAY / 2; time < trail.end; time += DAY)
    for (const neighbour of Object.entries(neighbours)) yield decoy(branch, neighbour, time, random)
  // CloudTrail writes empty objects in place of folders.
  yield { key: `AWSLogs/${ORGANIZATION}/${branch.account}/CloudTrail-Digest/`, content: () => Buffer.alloc(0) }
}

type Record = (branch: Branch, time: number, random: Random) => object

const neighbours: Readonly<{ [service: string]: Record }> = {
  'CloudTrail-Insight': ({ account, region }, time, random) => ({
    eventVersion: '1.09',
    eventTime: isoOf(time),
    awsRegion: region,
    eventID: uuid(random),
    eventType: 'AwsCloudTrailInsight',
    recipientAccountId: account,
    sharedEventID: uuid(random),
    insightDetails: {
      state: 'Start',
      eventSource: 'ec2.amazonaws.com',
      eventName: 'RunInstances',
      insightType: 'ApiCallRateInsight',
    },
    eventCategory: 'Insight',
  }),
  'CloudTrail-NetworkActivity': ({ account, region }, time, random) => ({
    eventVersion: '1.09',
    userIdentity: { type: 'AWSAccount', principalId: 'AROADECOYDECOYDECOYDE:decoy', accountId: account },
    eventTime: isoOf(time),
    eventSource: 'kms.amazonaws.com',
    eventName: 'Decrypt',
    awsRegion: region,
    sourceIPAddress: '8.8.4.4',
    eventID: uuid(random),
    eventType: 'AwsVpceEvent',
    recipientAccountId: account,
    vpcEndpointId: `vpce-0${hex(random, 2)}`,
    eventCategory: 'NetworkActivity',
  }),
  'CloudTrail-Aggregated': ({ account, region }, time, random) => ({
    eventVersion: '1.0',
    accountId: account,
    eventID: uuid(random),
    eventCategory: 'Aggregated',
    eventType: 'AwsAggregatedEvent',
    awsRegion: region,
    timeWindow: { windowStart: isoOf(time - 300), windowEnd: isoOf(time), windowSize: 'PT5M' },
  }),
  Config: ({ account, region }, time) => ({
    awsAccountId: account,
    awsRegion: region,
    resourceType: 'AWS::EC2::Instance',
    configurationItemCaptureTime: isoOf(time),
  }),
}

function decoy(branch: Branch, [service, record]: [string, Record], time: number, random: Random): LogFile {
  const { account, region } = branch
  const [made, tail] = [record(branch, time, random), tailOf(random)]
  if (service !== 'Config')
    return {
      key: `${folderOf(branch, service, time)}${account}_${service}_${region}_${compactOf(time).slice(0, 13)}Z_${tail}.json.gz`,
      content: () => Buffer.from(JSON.stringify({ Records: [made] })),
    }
  // Config writes its days without zeros, and colons into its names.
  const unpadded = isoOf(time).slice(0, 10).split('-').map(Number).join('/')
  return {
    key: `AWSLogs/${account}/Config/${region}/${unpadded}/ConfigHistory/${account}_Config_${region}_ConfigHistory_AWS::EC2::Instance_${compactOf(time)}_${compactOf(time + 60)}_1.json.gz`,
    content: () => Buffer.from(JSON.stringify({ fileVersion: '1.0', configurationItems: [made] })),
  }
}
