import { createHash } from 'node:crypto'
import { Random } from '../lib/insights/random.ts'
import { chunksOf, type Deliveries } from './deliveries.ts'
import { type DigestedFile, digestOf, type PreviousDigest } from './digest.ts'
import { tailOf } from './identifiers.ts'
import { compactOf, dayOf, type LogFile } from './log-file.ts'
import { type Branch, slotsOf, type Trail, trailRecord } from './trail.ts'

/** The organization's id, and the bucket's name as the logs know it. */
export const ORGANIZATION = 'o-a1b2c3d4e5'
export const BUCKET = 'example-org-logs'

const HOUR = 3600

/** `AWSLogs/o-…/<account>/<service>/<region>/<day>/` */
export const folderOf = ({ account, region }: Branch, service: string, time: number): string =>
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
