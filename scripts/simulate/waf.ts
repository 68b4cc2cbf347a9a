import { Random } from '../lib/insights/random.ts'
import { type Accesses, accessesOf, labelsOf, spread } from './accesses.ts'
import { behaviour } from './behaviour.ts'
import { accountIds, hex } from './identifiers.ts'
import { chunksOf, compactOf, type Deliveries, deliver, isoOf, type LogFile, type Simulated } from './log-file.ts'
import { firstHourOf, type Settings, spanOf, stretchOf, TRAVEL } from './settings.ts'
import { type Client, clientOf, hostileAgents, requestRecord, type WebAcl } from './waf-record.ts'

/** Seconds: the step of WAF's log files. */
const STEP = 300
const HOUR = 3600
/** Mean over many records. */
const RECORD_BYTES = 1270

/** Gives other users than those of CloudTrail. */
const SALT = 7919

/** The logs of a few web ACLs, sent straight to S3. */
export function simulateWaf(settings: Settings): Simulated {
  const { seed, window } = settings
  const [first = '', second = first] = accountIds(settings.accounts, seed)
  const acls: WebAcl[] = [
    { account: first, region: 'cloudfront', name: 'shop_front-acl', host: 'shop.example.com' },
    { account: first, region: 'us-east-1', name: 'api-acl', host: 'api.example.com' },
    { account: second, region: 'eu-west-1', name: 'intern_acl', host: 'intern.example.com' },
  ]
  const count = Math.max(hostileAgents.length + 8, Math.round(settings.users / 5))
  const clients = Array.from({ length: count }, (_, number) => clientOf(seed, number))
  const accesses = clientsAtWork(settings, clients)
  const site: Site = { seed, acls, clients, accesses, begin: firstHourOf(window) }
  const slots = Math.ceil((spanOf(window).to.getTime() / 1000 - site.begin) / STEP) + 2
  const deliveries = deliver(acls.length * slots, (put) => {
    for (let access = 0; access < accesses.count; access++) {
      const random = new Random(seed, 25, access)
      const slot = Math.floor(((accesses.time[access] ?? 0) - site.begin) / STEP)
      const file = random.below(acls.length) * slots + slot
      put(file, access)
      if (access < accesses.plainFrom && random.uniform() < 0.003) put(file + 1, access)
    }
  })
  return {
    events: accesses.count,
    duplicates: deliveries.order.length - accesses.count,
    labels: labelsOf('waf', accesses, (user) => clients[user]?.agent ?? ''),
    *files() {
      for (const [index, acl] of acls.entries()) yield* aclFiles({ ...site, deliveries, slots }, acl, index)
    },
  }
}

interface Site {
  readonly seed: number
  readonly acls: readonly WebAcl[]
  readonly clients: readonly Client[]
  readonly accesses: Accesses
  /** First slot, seconds since 1970. */
  readonly begin: number
}

function clientsAtWork({ seed, window, events, size }: Settings, clients: readonly Client[]): Accesses {
  const habits = behaviour({ seed: (seed + SALT) % 2 ** 31, users: clients.length, travel: TRAVEL })
  const usual = clients.map((_, user) => habits.eventsOf(user) * stretchOf(window))
  const own = spread(usual, events ?? (size === undefined ? undefined : size / RECORD_BYTES))
  const perSlot =
    own.reduce((sum, n) => sum + n, 0) / ((spanOf(window).to.getTime() - spanOf(window).from.getTime()) / 1000 / STEP)
  return accessesOf(habits, {
    window,
    events: own,
    targets: clients.flatMap(({ agent }, user) => (agent === undefined ? [] : [user])),
    attacks: Math.max(3, Math.round(clients.length / 2)),
    // A quiet site is visited in the first ten minutes of an hour: fewer files, each with more in it.
    ...(perSlot < 20 && { shape: (time: number) => time - Math.ceil(((time % HOUR) * 5) / 6) }),
  })
}

/** The log files of one of the site's web ACLs, `slots` steps of five minutes. */
function* aclFiles(
  site: Site & { readonly deliveries: Deliveries; readonly slots: number },
  acl: WebAcl,
  index: number,
): Generator<LogFile> {
  const { deliveries, slots } = site
  const first = index * slots
  const names = new Random(site.seed, 26, first)
  for (let slot = 0; slot < slots; slot++)
    for (const accesses of chunksOf(deliveries, first + slot)) {
      const key = keyOf(acl, site.begin + slot * STEP, hex(names, 1))
      yield { key, content: () => Buffer.from(Array.from(accesses, (access) => recordOf(site, acl, access)).join('')) }
    }
}

const keyOf = ({ account, region, name }: WebAcl, time: number, tail: string): string =>
  `AWSLogs/${account}/WAFLogs/${region}/${name}/${isoOf(time).slice(0, 16).replace(/[-T:]/g, '/')}/${account}_waflogs_${region}_${name}_${compactOf(time).slice(0, 13)}Z_${tail}.log.gz`

function recordOf({ seed, accesses, clients }: Site, acl: WebAcl, access: number): string {
  const client = clients[accesses.user[access] ?? 0]
  if (client === undefined) throw new RangeError(`access ${access} is nobody's`)
  const [ip = 0, time = 0] = [accesses.ip[access], accesses.time[access]]
  return requestRecord(seed, access, { client, ip, time, acl, plain: access >= accesses.plainFrom })
}
