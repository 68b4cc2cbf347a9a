/** Weighted examples, row by row. */
export interface LogisticExamples {
  readonly rows: readonly (readonly number[])[]
  /** Log odds to begin with. */
  readonly offset: ArrayLike<number>
  readonly weight: ArrayLike<number>
  /** 1 where the answer is yes. */
  readonly answer: ArrayLike<number>
}

const [MOST_STEPS, MOST_HALVINGS] = [20, 10] as const
const LEAST_GAIN = 1e-9

/**
 * Logistic regression with an L2 penalty on each coefficient (the intercept, too), by Newton's method; a step that makes it worse is
 * halved. Returns a coefficient for each column.
 */
export function logistic(examples: LogisticExamples, penalty: number): number[] {
  let best = Array.from(examples.rows[0] ?? [], () => 0)
  let loss = lossOf(examples, best, penalty)
  for (let n = 0; n < MOST_STEPS; n++) {
    const step = newtonStep(examples, best, penalty)
    let next = best
    let after = Number.POSITIVE_INFINITY
    for (let halving = 0; halving < MOST_HALVINGS && !(after < loss); halving++) {
      next = best.map((coefficient, c) => coefficient + step[c]! / 2 ** halving)
      after = lossOf(examples, next, penalty)
    }
    if (!(after < loss * (1 - LEAST_GAIN))) break
    ;[best, loss] = [next, after]
  }
  return best
}

/** The sum of coefficients times values. */
export function weighed(coefficients: readonly number[], values: readonly number[]): number {
  let sum = 0
  for (let c = 0; c < coefficients.length; c++) sum += coefficients[c]! * values[c]!
  return sum
}

function lossOf({ rows, offset, weight, answer }: LogisticExamples, coefficients: readonly number[], penalty: number) {
  let loss = (penalty / 2) * weighed(coefficients, coefficients)
  for (let i = 0; i < rows.length; i++) {
    const odds = offset[i]! + weighed(coefficients, rows[i]!)
    const against = answer[i] === 1 ? -odds : odds
    loss += weight[i]! * (Math.max(0, against) + Math.log1p(Math.exp(-Math.abs(against))))
  }
  return loss
}

function newtonStep(
  { rows, offset, weight, answer }: LogisticExamples,
  coefficients: readonly number[],
  penalty: number,
): number[] {
  const slope = coefficients.map((coefficient) => -penalty * coefficient)
  const curve = slope.map((_, c) => slope.map((__, d) => (c === d ? penalty : 0)))
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    const p = 1 / (1 + Math.exp(-offset[i]! - weighed(coefficients, row)))
    for (let c = 0; c < row.length; c++) {
      slope[c]! += weight[i]! * (answer[i]! - p) * row[c]!
      for (let d = 0; d < row.length; d++) curve[c]![d]! += weight[i]! * p * (1 - p) * row[c]! * row[d]!
    }
  }
  return solved(curve, slope)
}

/** Solves a symmetric, positive definite system by elimination; both arguments are used up. */
function solved(matrix: number[][], right: number[]): number[] {
  for (let pivot = 0; pivot < right.length; pivot++)
    for (let row = 0; row < right.length; row++) {
      if (row === pivot) continue
      const factor = matrix[row]![pivot]! / matrix[pivot]![pivot]!
      for (let c = pivot; c < right.length; c++) matrix[row]![c]! -= factor * matrix[pivot]![c]!
      right[row]! -= factor * right[pivot]!
    }
  return right.map((value, row) => value / matrix[row]![row]!)
}
