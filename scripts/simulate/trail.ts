import { Random } from '../lib/insights/random.ts'
import { type Accesses, ipv6Of } from './accesses.ts'
import { HOME_REGION, recordOf } from './cloudtrail-record.ts'
import { type Deliveries, deliver } from './log-file.ts'
import type { Person } from './people.ts'

/** What a trail has delivered: accesses of people, by account and region, in slots of time. Times are seconds since 1970. */
export interface Trail {
  readonly seed: number
  readonly accesses: Accesses
  readonly people: readonly Person[]
  readonly accounts: readonly string[]
  /** First slot, end of the last one, and seconds between them. */
  readonly begin: number
  readonly end: number
  readonly step: number
}

/** Regions with their shares of the calls, of 100. */
const REGIONS = [
  [HOME_REGION, 70],
  ['eu-west-1', 22],
  ['ap-southeast-2', 8],
] as const

/** An account in a region. */
export interface Branch {
  readonly account: string
  readonly region: string
}

/** The first account is everywhere, the others not in the last region. */
export const branchesOf = ({ accounts }: Trail): Branch[] =>
  accounts.flatMap((account, a) => REGIONS.slice(0, regionsOf(a)).map(([region]) => ({ account, region })))

const regionsOf = (account: number): number => (account === 0 ? REGIONS.length : REGIONS.length - 1)

const MINUTE = 60
const HOUR = 60 * MINUTE

export const slotsOf = ({ begin, end, step }: Trail): number => Math.ceil((end - begin) / step) + 1

/** Sorts the accesses into slots of branches, `branch * slotsOf(trail) + slot`; nothing comes later than `deadline` but the usual lag. */
export function deliverTrail(trail: Trail, deadline: number): Deliveries & { readonly duplicates: number } {
  const { accesses } = trail
  const slots = slotsOf(trail)
  const deliveries = deliver(branchesOf(trail).length * slots, (put) => {
    for (let access = 0; access < accesses.count; access++) {
      const first = branchOf(trail, access) * slots
      const { slot, again } = slotOf(trail, access, deadline)
      put(first + slot, access)
      if (again) put(first + slot + 1, access)
    }
  })
  return { ...deliveries, duplicates: deliveries.order.length - accesses.count }
}

/** The account is the user's; the region differs from call to call. */
function branchOf({ seed, accesses, accounts }: Trail, access: number): number {
  let left = new Random(seed, 13, access).below(100)
  const region = REGIONS.findIndex(([, share]) => {
    left -= share
    return left < 0
  })
  const account = (accesses.user[access] ?? 0) % accounts.length
  // Branches before those of the account, then the one of the region.
  return account * regionsOf(1) + (account === 0 ? 0 : 1) + Math.min(region, regionsOf(account) - 1)
}

/** Seconds: the documented norm is about five minutes; measured in a real trail were 0.05 to 9.9 minutes. */
const LAG = { least: 20, spread: 4 * MINUTE } as const

/** The slot in which an access is delivered, and whether it comes again in the next. */
function slotOf({ seed, accesses, begin, step }: Trail, access: number, deadline: number) {
  const random = new Random(seed, 14, access)
  const time = accesses.time[access] ?? 0
  const at = (delivered: number) => Math.ceil((delivered - begin) / step)
  const usual = at(time + LAG.least + random.below(LAG.spread))
  if (access >= accesses.plainFrom) return { slot: usual, again: false }
  const chance = random.uniform()
  // AWS's own digest sample has a file with an event seven minutes after the time in its name.
  const early = Math.floor((time - begin) / step)
  if (chance < 0.003 && time - begin - early * step < 7 * MINUTE) return { slot: early, again: false }
  if (chance < 0.008) return { slot: at(time + 20 * MINUTE + random.below(20 * MINUTE)), again: false }
  const hoursLate = time + 2 * HOUR + random.below(24 * HOUR)
  if (chance < 0.009 && hoursLate < deadline) return { slot: at(hoursLate), again: false }
  return { slot: usual, again: chance > 0.996 }
}

/** One record as JSON. */
export function trailRecord({ seed, accesses, people }: Trail, { region }: Branch, access: number): string {
  const person = people[accesses.user[access] ?? 0]
  if (person === undefined) throw new RangeError(`access ${access} is nobody's`)
  const ipv6 = ipv6Of(accesses, access)
  return recordOf(seed, access, {
    ...(ipv6 !== undefined && { ipv6 }),
    ip: accesses.ip[access] ?? 0,
    time: accesses.time[access] ?? 0,
    person,
    region,
    plain: access >= accesses.plainFrom,
  })
}
