import { writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { formatIpv4 } from '../../scripts/lib/insights/ipv4.ts'
import { Random } from '../../scripts/lib/insights/random.ts'
import { type Behaviour, behaviour } from '../../scripts/simulate/behaviour.ts'
import { trailKey, writeObjects } from '../stage/logs.ts'

const DAY = 86_400_000
const ACCOUNT = '111122223333'

/** What happens to an organization in a month, by the day on which it happens. */
export interface Events {
  /** The office gets other addresses. */
  readonly officeMoves?: string
  /** People who nobody knows begin to work, in a region that nobody used. */
  readonly newRegion?: string
}

/** Users, of whom every second works in the office half of the time; and those who come later. */
const [USERS, NEWCOMERS, ACCESSES] = [24, 10, 30]
const OFFICE = '81.20.30.'
const NEW_OFFICE = '185.77.12.'

let habits: Behaviour | undefined

/** The accesses of a day as CloudTrail records, the same for the same day. */
function recordsOf(day: string, { officeMoves, newRegion }: Events): { region: string; records: object[] }[] {
  habits ??= behaviour({ seed: 7, users: USERS + NEWCOMERS, travel: 0.1 })
  const start = Date.parse(day)
  const random = new Random(3, start / DAY)
  const people = newRegion !== undefined && day >= newRegion ? USERS + NEWCOMERS : USERS
  const regions = new Map<string, object[]>()
  for (let user = 0; user < people; user++)
    for (let n = 0; n < ACCESSES; n++) {
      const inOffice = user % 2 === 0 && random.uniform() < 0.5
      const office = officeMoves !== undefined && day >= officeMoves ? NEW_OFFICE : OFFICE
      const ip = inOffice ? `${office}${1 + random.below(4)}` : formatIpv4(habits.addressOf(user, random.below(1e6)))
      const region = user < USERS ? 'us-east-1' : 'eu-south-1'
      const time = start + random.below(DAY / 1000 - 600) * 1000
      regions.set(region, [...(regions.get(region) ?? []), recordOf(user, ip, region, time, n)])
    }
  return [...regions].map(([region, records]) => ({ region, records }))
}

const recordOf = (user: number, ip: string, region: string, time: number, n: number) => ({
  eventVersion: '1.08',
  eventTime: new Date(time).toISOString().replace('.000Z', 'Z'),
  eventID: `${time}-${user}-${n}`,
  eventType: 'AwsApiCall',
  eventSource: 's3.amazonaws.com',
  eventName: 'GetObject',
  awsRegion: region,
  sourceIPAddress: ip,
  userAgent: 'aws-cli/2',
  recipientAccountId: ACCOUNT,
  userIdentity: {
    type: 'IAMUser',
    principalId: `AIDAUSER${String(user).padStart(4, '0')}`,
    arn: `arn:aws:iam::${ACCOUNT}:user/user-${user}`,
    accountId: ACCOUNT,
    userName: `user-${user}`,
  },
})

/** Delivers the logs of some days into a folder, a file for each region. */
export function deliver(folder: string, days: readonly string[], events: Events = {}): void {
  for (const day of days)
    for (const { region, records } of recordsOf(day, events)) {
      const key = trailKey(ACCOUNT, region, `${day.replaceAll('-', '')}T2355Z`, 'a', '')
      writeObjects(folder, { [key]: '' })
      writeFileSync(`${folder}/${key}`, gzipSync(JSON.stringify({ Records: records })))
    }
}

/** `2026-03-01` and so many days later. */
export const dayAfter = (day: string, days = 1): string =>
  new Date(Date.parse(day) + days * DAY).toISOString().slice(0, 10)

/** So many days, beginning with one. */
export const daysFrom = (day: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => dayAfter(day, i))
