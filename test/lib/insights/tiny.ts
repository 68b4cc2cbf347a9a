import { validated } from '../../../scripts/lib/insights/hyperparameters.ts'
import type { ModelDescription, Trained } from '../../../scripts/lib/insights/model.ts'
import { initialWeights, type Shape, type Weights } from '../../../scripts/lib/insights/network.ts'
import type { Pairs } from '../../../scripts/lib/insights/pairs.ts'
import { Random } from '../../../scripts/lib/insights/random.ts'

/** Small enough to check every weight of it. */
export const SHAPE: Shape = { dim: 5, entityRows: 7, layers: 2, prefixLengths: [3, 8, 24], prefixRows: 16 }

/** Weights away from their special starting points: zero prefixes and identities would hide mistakes. */
export function someWeights(shape: Shape = SHAPE, seed = 3) {
  const weights = initialWeights(shape, seed)
  const random = new Random(seed, 77)
  const all = [weights.entities, weights.prefixes, ...weights.layers.flatMap(({ weight, bias }) => [weight, bias])]
  for (const table of all) for (let i = 0; i < table.length; i++) table[i]! += 0.5 * random.normal()
  return weights
}

export const DESCRIPTION: ModelDescription = {
  format: 'prestage-ip-insights',
  version: 1,
  hyperparameters: validated({ num_entity_vectors: 7, vector_dim: 5, num_ip_encoder_layers: 2 }),
  seed: 3,
  prefixes: { lengths: SHAPE.prefixLengths, rows: SHAPE.prefixRows },
  trainedOn: { pairs: 30, entities: 2 },
  entityCodec: 'percent',
}

export const someModel = (): Trained => ({
  description: DESCRIPTION,
  weights: someWeights(),
  entities: new Map([
    ['john%2Edoe', 20],
    ['Zoë%2C', 10],
  ]),
})

/** Users who each live in two /16 networks of their own. */
export function homeBodies(users: number, events: number, seed = 5): Pairs {
  const random = new Random(seed)
  const rows = Array.from({ length: users * events }, (_, i) => i % users)
  const home = (user: number) => ((20 + user) << 24) | ((random.below(2) * 100 + user) << 16)
  return {
    entities: Array.from({ length: users }, (_, user) => `user_${user}`),
    entityIndex: Uint32Array.from(rows),
    ip: Uint32Array.from(rows, (user) => (home(user) | random.below(1 << 16)) >>> 0),
  }
}

/** All tables of weights, by name. */
export const tablesOf = ({ entities, prefixes, layers }: Weights): [string, Float32Array][] => [
  ['entities', entities],
  ['prefixes', prefixes],
  ...layers.flatMap(({ weight, bias }, l): [string, Float32Array][] => [
    [`layer ${l} weight`, weight],
    [`layer ${l} bias`, bias],
  ]),
]
