import { type Accesses, accessesOf, labelsOf, spread } from './accesses.ts'
import { behaviour } from './behaviour.ts'
import { accountIds } from './identifiers.ts'
import type { Simulated } from './log-file.ts'
import { type Person, personOf } from './people.ts'
import { firstHourOf, type Settings, spanOf, stretchOf, TRAVEL } from './settings.ts'
import { branchesOf, deliverTrail, slotsOf, type Trail } from './trail.ts'
import { branchFiles, decoys } from './trail-files.ts'

const MINUTE = 60

/** The trail of an organization, with everything else that AWS writes beside its logs. */
export function simulateCloudTrail(settings: Settings): Simulated {
  const { seed, window } = settings
  const accounts = accountIds(settings.accounts, seed)
  const people = Array.from({ length: settings.users }, (_, user) => personOf(seed, user, accounts))
  const accesses = peopleAtWork(settings, people)
  const trail: Trail = {
    seed,
    accesses,
    people,
    accounts,
    begin: firstHourOf(window),
    end: spanOf(window).to.getTime() / 1000 + 2 * 60 * MINUTE,
    step: stepOf(accesses.count, settings),
  }
  // Files that are delivered again hours late arrive before the window ends. Otherwise its last day would never be complete.
  const deliveries = deliverTrail(trail, window.to.getTime() / 1000)
  return {
    events: accesses.count,
    duplicates: deliveries.duplicates,
    labels: labelsOf('cloudtrail', accesses, (user) => people[user]?.entity ?? ''),
    *files() {
      for (const [b, branch] of branchesOf(trail).entries())
        yield* branchFiles(trail, branch, deliveries, b * slotsOf(trail))
      yield* decoys(trail)
    },
  }
}

function peopleAtWork(settings: Settings, people: readonly Person[]): Accesses {
  const habits = behaviour({ seed: settings.seed, users: people.length, travel: TRAVEL })
  const usual = people.map((_, user) => habits.eventsOf(user) * stretchOf(settings.window))
  const total = settings.events ?? (settings.size === undefined ? undefined : settings.size / RECORD_BYTES)
  return accessesOf(habits, {
    window: settings.window,
    events: spread(usual, total),
    targets: people.flatMap(({ entity }, user) => (entity === undefined ? [] : [user])),
    attacks: Math.max(3, Math.round(people.length / 4)),
    ipv6: true,
  })
}

/** Mean over many records, rounded down; real ones take about as many. */
const RECORD_BYTES = 1240

/** Seconds between deliveries: a quiet trail has fewer files. */
function stepOf(events: number, { accounts, window }: Settings): number {
  const slots = (spanOf(window).to.getTime() - spanOf(window).from.getTime()) / 1000 / (5 * MINUTE)
  return (events / (slots * accounts) > 50 ? 5 : 15) * MINUTE
}
