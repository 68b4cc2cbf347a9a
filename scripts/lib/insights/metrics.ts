/** Metrics of how well scores separate normal (high) from attack (low). */

/** Area under the ROC curve: the share of (normal, attack) pairs in which the normal one scores higher; ties count half. NaN when one side is empty. */
export function auc(normal: Float64Array, attack: Float64Array): number {
  const [high, low] = [normal.toSorted(), attack.toSorted()]
  let wins = 0
  let below = 0
  let upTo = 0
  for (const score of high) {
    while (below < low.length && low[below]! < score) below += 1
    while (upTo < low.length && low[upTo]! <= score) upTo += 1
    wins += below + (upTo - below) / 2
  }
  return wins / (high.length * low.length)
}

/** One point of the curve: shares of normal and of attack pairs that score below the threshold. */
export interface RocPoint {
  readonly threshold: number
  readonly falsePositives: number
  readonly truePositives: number
}

/** The ROC curve from nothing flagged to all flagged, with at most so many points, evenly spaced in ranks. */
export function roc(normal: Float64Array, attack: Float64Array, points = 200): RocPoint[] {
  const [high, low] = [normal.toSorted(), attack.toSorted()]
  const all = new Float64Array(high.length + low.length)
  all.set(high)
  all.set(low, high.length)
  all.sort()
  const step = Math.max(1, Math.ceil(all.length / Math.max(1, points - 1)))
  const thresholds = [...all.filter((_, i) => i % step === 0), Number.POSITIVE_INFINITY]
  return [...new Set(thresholds)].map((threshold) => ({
    threshold,
    falsePositives: countBelow(high, threshold) / high.length,
    truePositives: countBelow(low, threshold) / low.length,
  }))
}

/** How many of the ascending values are below. */
export function countBelow(sorted: Float64Array, value: number): number {
  let [from, to] = [0, sorted.length]
  while (from < to) {
    const middle = (from + to) >>> 1
    if (sorted[middle]! < value) from = middle + 1
    else to = middle
  }
  return from
}

/** The q-quantile of ascending values, linearly interpolated. NaN when there are none. */
export function quantile(sorted: Float64Array, q: number): number {
  const at = q * (sorted.length - 1)
  const lower = sorted[Math.floor(at)] ?? Number.NaN
  const upper = sorted[Math.ceil(at)] ?? Number.NaN
  return lower + (upper - lower) * (at - Math.floor(at))
}

/** AUC of a rule that only says yes or no, from the shares of normal and attack pairs of which it says "seen". */
export const aucOfRule = (normalSeen: number, attackSeen: number): number => 0.5 + (normalSeen - attackSeen) / 2
