import { number, type Option } from '../lib/cli/options.ts'
import {
  documentedDefaults,
  type HyperparameterName,
  type Hyperparameters,
  hyperparameterNames,
  RULES,
  validated,
} from '../lib/insights/hyperparameters.ts'

/**
 * Where a training in SageMaker starts from. Batch, epochs and learning rate are those of AWS's tutorial: with the documented batch of
 * 10,000 a small set would make no full step at all. The rest are the documented defaults.
 */
const SAGEMAKER: Partial<Hyperparameters> = {
  ...documentedDefaults,
  ...{ vector_dim: 32, mini_batch_size: 1000, epochs: 5, learning_rate: 0.01 },
}

/** Where the trainer on this machine starts from: what finds most attacks among the first alerts (docs/detection.md). */
export const ownDefaults: Partial<Hyperparameters> = {
  ...SAGEMAKER,
  ...{ mini_batch_size: 200, epochs: 3, weight_decay: 0 },
}

/** A hyperparameter's name as a key of options: `vector_dim` → `vectorDim`. */
type Camel<S extends string> = S extends `${infer A}_${infer B}` ? `${A}${Capitalize<Camel<B>>}` : S
type FlagName = Camel<HyperparameterName>

const camel = (name: string): FlagName => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()) as FlagName

/** A flag for every hyperparameter, with its documented range. */
export const hyperparameterOptions = Object.fromEntries(
  hyperparameterNames.map((name) => [camel(name), optionOf(name)]),
) as { readonly [K in FlagName]: Option<number | undefined> }

function optionOf(name: HyperparameterName): Option<number | undefined> {
  const { about, min, max, integer } = RULES[name]
  const range = { min, ...(max !== Number.MAX_SAFE_INTEGER && { max }), integer }
  if (name === 'num_entity_vectors')
    return number({ about: `${about} (default: that; in SageMaker ten times it)`, ...range })
  const [own, sagemaker, documented] = [ownDefaults[name], SAGEMAKER[name], documentedDefaults[name]]
  const text = documented === undefined || sagemaker === documented ? about : `${about}; AWS documents ${documented}`
  return own === sagemaker
    ? number({ about: text, ...range, ...(own !== undefined && { default: own }) })
    : number({ about: `${text} (default: ${own}; in SageMaker ${sagemaker})`, ...range })
}

/** The full set. @param entityVectors when nobody chose a number. @throws Error when values do not go together */
export function hyperparametersOf(
  values: { readonly [K in FlagName]: number | undefined },
  trainer: 'local' | 'sagemaker',
  entityVectors: number,
): Hyperparameters {
  const defaults = trainer === 'local' ? ownDefaults : SAGEMAKER
  return validated({
    ...Object.fromEntries(hyperparameterNames.map((name) => [name, values[camel(name)] ?? defaults[name]])),
    num_entity_vectors: values.numEntityVectors ?? entityVectors,
  })
}
