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
 * Where this trainer starts from. Batch, epochs and learning rate are those of AWS's tutorial: with the documented batch of
 * 10,000 a small set would make no full step at all. The rest are the documented defaults.
 */
const DEFAULTS: Partial<Hyperparameters> = { vector_dim: 32, mini_batch_size: 1000, epochs: 5, learning_rate: 0.01 }

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
  const [own, documented] = [DEFAULTS[name], documentedDefaults[name]]
  const standard = own ?? documented
  const differs = own !== undefined && documented !== undefined && own !== documented
  return number({
    about: differs ? `${about}; AWS documents ${documented}` : about,
    ...range,
    ...(standard !== undefined && { default: standard }),
  })
}

/** The full set. @param entityVectors when nobody chose a number. @throws Error when values do not go together */
export const hyperparametersOf = (
  values: { readonly [K in FlagName]: number | undefined },
  entityVectors: number,
): Hyperparameters =>
  validated({
    ...Object.fromEntries(hyperparameterNames.map((name) => [name, values[camel(name)]])),
    num_entity_vectors: values.numEntityVectors ?? entityVectors,
  })
