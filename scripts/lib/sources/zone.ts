// Times of a place, as names of objects have them where a delivery stream is set to a time zone.

const MINUTE = 60_000
const DAY = 86_400_000
/** Every change of a zone's offset since 1970 was at such a step. */
const STEP = 15 * MINUTE

const clocks = new Map<string, Intl.DateTimeFormat>()
const offsets = new Map<string, number>()

/** Whether there is a time zone of this name in the IANA database: `Europe/Berlin`. */
export function isZone(name: string): boolean {
  try {
    return clockOf(name) !== undefined
  } catch {
    return false
  }
}

function clockOf(zone: string): Intl.DateTimeFormat {
  const known = clocks.get(zone)
  if (known !== undefined) return known
  const numbers = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const
  const clock = new Intl.DateTimeFormat('en-US', { ...numbers, timeZone: zone, hourCycle: 'h23', era: undefined })
  clocks.set(zone, clock)
  return clock
}

/** How far the clocks of a zone are ahead of UTC, in milliseconds. @param zone undefined for UTC */
export function offsetAt(zone: string | undefined, time: number): number {
  if (zone === undefined) return 0
  const step = Math.floor(time / STEP) * STEP
  const key = `${zone} ${step}`
  const known = offsets.get(key)
  if (known !== undefined) return known
  const parts = new Map(
    clockOf(zone)
      .formatToParts(step)
      .map(({ type, value }) => [type, Number(value)]),
  )
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0
  const clock = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'))
  const offset = clock - step
  offsets.set(key, offset)
  return offset
}

/** The moment at which the clocks of a zone show this, written as if it were UTC: the first one where there are two, undefined where there is none. */
export function momentOf(zone: string | undefined, clock: number): number | undefined {
  if (zone === undefined) return clock
  const candidates = [offsetAt(zone, clock - DAY), offsetAt(zone, clock + DAY)].map((offset) => clock - offset)
  const [first] = candidates.filter((time) => time + offsetAt(zone, time) === clock).sort((a, b) => a - b)
  return first
}

/** Whether the clocks of a zone are turned: then an hour exists twice every year. */
export function hasTurns(zone: string): boolean {
  const year = new Date().getUTCFullYear()
  const offsets = Array.from({ length: 12 }, (_, month) => offsetAt(zone, Date.UTC(year, month, 1)))
  return new Set(offsets).size > 1
}
