import { closest, distance } from 'fastest-levenshtein'

interface Rule {
  readonly min: number
  readonly max: number
  readonly integer: boolean
  /** The algorithm's default; absent where AWS requires a value. */
  readonly default?: number
  readonly about: string
}

/** "IP Insights Hyperparameters", Amazon SageMaker developer guide: names, valid ranges and defaults. */
export const RULES = {
  num_entity_vectors: {
    min: 1,
    max: 250_000_000,
    integer: true,
    about: 'entity vectors to hash entities into; AWS advises twice the number of entities',
  },
  vector_dim: { min: 4, max: 4096, integer: true, about: 'length of the vectors' },
  batch_metrics_publish_interval: {
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    integer: true,
    default: 1000,
    about: 'mini batches between two reports of speed',
  },
  epochs: { min: 1, max: Number.MAX_SAFE_INTEGER, integer: true, default: 10, about: 'passes over the pairs' },
  learning_rate: {
    min: 1e-6,
    max: 10,
    integer: false,
    default: 0.001,
    about: 'step size of Adam, on this machine falling to 0 by the end',
  },
  mini_batch_size: { min: 1, max: 500_000, integer: true, default: 10_000, about: 'pairs per step' },
  num_ip_encoder_layers: {
    min: 0,
    max: 100,
    integer: true,
    default: 1,
    about: 'fully connected layers of the address encoder',
  },
  random_negative_sampling_rate: {
    min: 0,
    max: 500,
    integer: true,
    default: 1,
    about: 'random addresses per pair as negatives',
  },
  shuffled_negative_sampling_rate: {
    min: 0,
    max: 500,
    integer: true,
    default: 1,
    about: "other pairs' entities per pair as negatives",
  },
  weight_decay: { min: 0, max: 10, integer: false, default: 0.00001, about: 'L2 penalty' },
} as const satisfies Record<string, Rule>

export type HyperparameterName = keyof typeof RULES
export type Hyperparameters = { readonly [K in HyperparameterName]: number }

export const hyperparameterNames = Object.keys(RULES) as HyperparameterName[]

/** The documented defaults; the two that AWS requires have none. */
export const documentedDefaults: Partial<Hyperparameters> = Object.fromEntries(
  Object.entries(RULES).flatMap(([name, rule]) => ('default' in rule ? [[name, rule.default]] : [])),
)

/**
 * Checks a full set and completes it with the documented defaults.
 * @throws Error naming the parameter, what is valid, and for an unknown one the nearest name
 */
export function validated(given: Readonly<Record<string, number | undefined>>): Hyperparameters {
  for (const name of Object.keys(given)) if (!Object.hasOwn(RULES, name)) throw new Error(unknown(name))
  const entries = hyperparameterNames.map((name) => {
    const value = given[name] ?? documentedDefaults[name]
    if (value === undefined) throw new Error(`${name} is required`)
    check(name, value)
    return [name, value]
  })
  const set = Object.fromEntries(entries) as Hyperparameters
  const negatives = set.random_negative_sampling_rate + set.shuffled_negative_sampling_rate
  if (negatives < 1 || negatives > 500)
    throw new Error(
      `random_negative_sampling_rate and shuffled_negative_sampling_rate together must be 1 to 500, not ${negatives}`,
    )
  return set
}

/** @throws Error when the value is out of its documented range */
function check(name: HyperparameterName, value: number): void {
  const { min, max, integer }: Rule = RULES[name]
  if (Number.isFinite(value) && value >= min && value <= max && (!integer || Number.isInteger(value))) return
  const upTo = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `${min} to ${max}`
  throw new Error(`${name} must be ${integer ? 'a whole number' : 'a number'}, ${upTo}, not ${value}`)
}

function unknown(name: string): string {
  const near = closest(name, hyperparameterNames)
  const known = distance(name, near) <= name.length / 2 ? `did you mean ${near}?` : hyperparameterNames.join(', ')
  return `${name} is no hyperparameter of IP Insights (${known})`
}

/** AWS's advice: twice the number of distinct entities. */
export const entityVectorsFor = (entities: number): number =>
  Math.min(RULES.num_entity_vectors.max, Math.max(1, 2 * entities))

/** As SageMaker's API takes them: all values are strings. */
export const asStrings = (set: Hyperparameters): Record<HyperparameterName, string> =>
  Object.fromEntries(hyperparameterNames.map((name) => [name, String(set[name])])) as Record<HyperparameterName, string>
