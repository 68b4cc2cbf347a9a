import { Random } from '../lib/insights/random.ts'

/** A share of attacks found, and the interval that it lies in 95 times of 100. */
export interface Recall {
  readonly recall: number
  readonly low: number
  readonly high: number
}

/** A number of alarms on normal accesses, and what it is in each sample of a bootstrap. */
export interface Alarms {
  readonly alarms: number
  readonly resampled: readonly number[]
  readonly seed: number
}

const SAMPLES = 200

/** @param normal how many accesses there are */
export function alarmsOf(alarms: number, normal: number, seed: number): Alarms {
  const random = new Random(seed, 21)
  return { alarms, resampled: Array.from({ length: SAMPLES }, () => resample(alarms, normal, random)), seed }
}

/**
 * The share of attacks that come before all but `alarms` of the normal accesses. Among equals chance decides. The interval is that of a
 * bootstrap: how the threshold and the share vary with other normal accesses and other attacks of the same kind.
 * @param normal descending. @param attacks descending
 */
export function recallAt(normal: Float64Array, attacks: Float64Array, { alarms, resampled, seed }: Alarms): Recall {
  const random = new Random(seed, 22)
  const drawn = resampled
    .map((count) => {
      const share = shareBefore(normal, attacks, count)
      const deviation = Math.sqrt((share * (1 - share)) / attacks.length)
      return Math.min(1, Math.max(0, share + deviation * random.normal()))
    })
    .sort((a, b) => a - b)
  const at = (quantile: number) => drawn[Math.round(quantile * (SAMPLES - 1))] ?? 0
  return { recall: shareBefore(normal, attacks, alarms), low: at(0.025), high: at(0.975) }
}

/** How many of the first normal accesses make up as many alarms when each comes as often as it is drawn. */
function resample(alarms: number, normal: number, random: Random): number {
  let [count, drawn] = [0, 0]
  while (drawn < alarms && count < normal) {
    drawn += poisson(random)
    count += 1
  }
  return Math.min(count, normal)
}

/** With mean 1. */
function poisson(random: Random): number {
  let [count, product] = [0, random.uniform()]
  while (product > Math.exp(-1)) {
    product *= random.uniform()
    count += 1
  }
  return count
}

function shareBefore(normal: Float64Array, attacks: Float64Array, alarms: number): number {
  if (alarms >= normal.length) return 1
  const threshold = normal[Math.floor(alarms)] ?? Number.NEGATIVE_INFINITY
  const [above, upTo] = [countAbove(attacks, threshold, false), countAbove(attacks, threshold, true)]
  const [normalAbove, normalUpTo] = [countAbove(normal, threshold, false), countAbove(normal, threshold, true)]
  const ofEquals = (alarms - normalAbove) / (normalUpTo - normalAbove)
  return (above + (upTo - above) * ofEquals) / attacks.length
}

/** How many of the descending values are above, or with `equal` not below. */
function countAbove(sorted: Float64Array, value: number, equal: boolean): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    const there = sorted[middle] ?? Number.NEGATIVE_INFINITY
    if (there > value || (equal && there === value)) low = middle + 1
    else high = middle
  }
  return low
}
