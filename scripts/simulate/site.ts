import { Random } from '../lib/insights/random.ts'
import { type Accesses, accessesOf, labelsOf, spread } from './accesses.ts'
import { behaviour } from './behaviour.ts'
import { type Client, clientOf, hostileAgents } from './client.ts'
import { chunksOf, type Deliveries, deliver, type LogFile, type Simulated } from './log-file.ts'
import { firstHourOf, type Settings, spanOf, stretchOf, TRAVEL } from './settings.ts'

/** Seconds. */
const HOUR = 3600

/** One request of a client, ready to be written. */
export interface SiteRequest<Place> {
  readonly client: Client
  readonly ip: number
  /** Seconds since 1970. */
  readonly time: number
  readonly place: Place
  /** Without any oddity: attacks and accesses at the edges must become pairs. */
  readonly plain: boolean
}

/** A source whose logs say which client asked for what. */
export interface Site<Place> {
  readonly source: string
  /** Gives other users than those of other sources. */
  readonly salt: number
  /** Web ACLs, load balancers, distributions, … */
  readonly places: readonly Place[]
  /** Seconds between log files. */
  readonly step: number
  /** How many steps after its own an access may be delivered a second time; absent: never. */
  readonly again?: number
  /** Mean over many records. */
  readonly recordBytes: number
  /** What the default entity is; absent for clients whose accesses have none. */
  entityOf(client: Client): string | undefined
  /** Key of a file, for the start of its step in seconds since 1970. */
  keyOf(place: Place, time: number, random: Random): string
  /** What stands before the records of a file. */
  header?(place: Place): string
  /** Of files that become Parquet, see `LogFile`. */
  columnsOf?(place: Place): Readonly<Record<string, string>>
  /** Seconds from an access to the time by which it lies in a file. */
  readonly lag?: number
  /** Place of a client, by its number; absent: any, another one each time. */
  placeOf?(client: number): number
  /** A record, line break included; the same for the same number. */
  recordOf(number: number, request: SiteRequest<Place>): string
}

/** The logs of a site. */
export function simulateSite<Place>(settings: Settings, site: Site<Place>): Simulated {
  const { seed, window } = settings
  const { source, places, step, again, lag = 0, entityOf } = site
  const count = Math.max(hostileAgents.length + 8, Math.round(settings.users / 5))
  const clients = Array.from({ length: count }, (_, number) => clientOf(seed, number))
  const accesses = clientsAtWork(settings, site, clients)
  const begin = firstHourOf(window)
  const slots = Math.ceil((spanOf(window).to.getTime() / 1000 - begin) / step) + 2
  const deliveries = deliver(places.length * slots, (put) => {
    for (let access = 0; access < accesses.count; access++) {
      const random = new Random(seed, 25, access)
      const slot = Math.floor(((accesses.time[access] ?? 0) + lag - begin) / step)
      const place = site.placeOf?.(accesses.user[access] ?? 0) ?? random.below(places.length)
      const file = place * slots + slot
      put(file, access)
      if (again !== undefined && access < accesses.plainFrom && random.uniform() < 0.003) put(file + again, access)
    }
  })
  const lines: Lines = { seed, clients, accesses, begin, deliveries, slots }
  return {
    events: accesses.count,
    duplicates: deliveries.order.length - accesses.count,
    labels: labelsOf(source, accesses, (user) => entityOf(clients[user] as Client) ?? ''),
    *files() {
      for (const index of places.keys()) yield* filesOf(site, lines, index)
    },
  }
}

interface Lines {
  readonly seed: number
  readonly clients: readonly Client[]
  readonly accesses: Accesses
  /** First slot, seconds since 1970. */
  readonly begin: number
  readonly deliveries: Deliveries
  readonly slots: number
}

function clientsAtWork<Place>(settings: Settings, site: Site<Place>, clients: readonly Client[]): Accesses {
  const { seed, window, events, size } = settings
  const habits = behaviour({ seed: (seed + site.salt) % 2 ** 31, users: clients.length, travel: TRAVEL })
  const usual = clients.map((_, user) => habits.eventsOf(user) * stretchOf(window))
  const own = spread(usual, events ?? (size === undefined ? undefined : size / site.recordBytes))
  const seconds = (spanOf(window).to.getTime() - spanOf(window).from.getTime()) / 1000
  const perSlot = own.reduce((sum, n) => sum + n, 0) / (seconds / site.step)
  return accessesOf(habits, {
    window,
    events: own,
    targets: clients.flatMap((client, user) => (site.entityOf(client) === undefined ? [] : [user])),
    attacks: Math.max(3, Math.round(clients.length / 2)),
    // A quiet site is visited in the first ten minutes of an hour: fewer files, each with more in it.
    ...(perSlot < 20 && { shape: (time: number) => time - Math.ceil(((time % HOUR) * 5) / 6) }),
  })
}

/** The log files of one place. */
function* filesOf<Place>(site: Site<Place>, lines: Lines, index: number): Generator<LogFile> {
  const { seed, accesses, clients, begin, deliveries, slots } = lines
  const place = site.places[index] as Place
  const names = new Random(seed, 26, index * slots)
  const recordOf = (access: number): string => {
    const client = clients[accesses.user[access] ?? 0] as Client
    const [ip = 0, time = 0] = [accesses.ip[access], accesses.time[access]]
    return site.recordOf(access, { client, ip, time, place, plain: access >= accesses.plainFrom })
  }
  for (let slot = 0; slot < slots; slot++)
    for (const chunk of chunksOf(deliveries, index * slots + slot)) {
      const key = site.keyOf(place, begin + slot * site.step, names)
      const content = () => Buffer.from((site.header?.(place) ?? '') + Array.from(chunk, recordOf).join(''))
      yield { key, content, columns: site.columnsOf?.(place) }
    }
}
