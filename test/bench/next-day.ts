import { alertsNextDay } from '../support/next-day.ts'
import { simulatedWorld } from '../support/worlds.ts'
import { trained } from './detection.ts'

/** Alerts on the day after, over 20 seeds: node --import tsx test/bench/next-day.ts */
const [SEEDS, USERS] = [20, 300] as const

for (const budget of [10, 50]) {
  const all: { held: number; plain: number }[] = []
  for (let seed = 1; seed <= SEEDS; seed++) {
    const world = simulatedWorld({ seed, users: USERS })
    all.push(await alertsNextDay(world, await trained(world.train), budget))
  }
  const near = (of: (one: (typeof all)[number]) => number) =>
    all.filter((one) => Math.abs(of(one) - budget) <= budget / 4).length
  process.stdout.write(
    `${budget} a day: within a quarter of it ${near(({ held }) => held)} of ${SEEDS} (${all.map(({ held }) => held).join(' ')}); by the threshold of the holdout ${near(({ plain }) => plain)} (${all.map(({ plain }) => plain).join(' ')})\n`,
  )
}
