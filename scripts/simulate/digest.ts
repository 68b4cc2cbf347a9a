import { createHash } from 'node:crypto'
import { Random } from '../lib/insights/random.ts'
import { hex } from './identifiers.ts'
import { compactOf, isoOf } from './log-file.ts'
import type { Branch } from './trail.ts'
import { BUCKET, folderOf } from './trail-files.ts'

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
export function digestOf({ seed, branch, start, end, files, before }: DigestSettings) {
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
