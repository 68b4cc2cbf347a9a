import { dot, Encoder } from './encoder.ts'
import type { Hyperparameters } from './hyperparameters.ts'
import type { Weights } from './network.ts'
import { entityRow } from './network.ts'

/** What model.json says. */
export interface ModelDescription {
  readonly format: 'prestage-ip-insights'
  readonly version: 1
  readonly hyperparameters: Hyperparameters
  readonly seed: number
  /** Lengths of the prefixes whose vectors are summed, and the most rows that one of them has. */
  readonly prefixes: { readonly lengths: readonly number[]; readonly rows: number }
  /** Training pairs, repeats included, and distinct entities. */
  readonly trainedOn: { readonly pairs: number; readonly entities: number }
  /** How entity names are written. */
  readonly entityCodec: 'percent'
}

/** A trained model. Entities are encoded (entity-codec.ts), addresses unsigned 32-bit numbers. */
export interface Model {
  readonly description: ModelDescription
  /** Whether the entity was trained on: of others the score means nothing. */
  has(entity: string): boolean
  /** Training pairs of the entity; 0 for an unknown one. */
  events(entity: string): number
  /** IP Insights' dot_product: high is normal, low is anomalous. Unknown entities borrow a vector by hash. */
  score(entity: string, ip: number): number
  entityEmbedding(entity: string): Float32Array
  ipEmbedding(ip: number): Float32Array
}

/** Puts a model together. `entities` are the known ones, encoded, with their training pairs. */
export function modelOf(description: ModelDescription, weights: Weights, entities: ReadonlyMap<string, number>): Model {
  const { vector_dim: dim, num_entity_vectors: rows } = description.hyperparameters
  const vectors = { values: weights.entities, dim }
  const encoder = new Encoder(weights, 1)
  const encode = (ip: number) => encoder.encode([ip], 1)
  return {
    description,
    has: (entity) => entities.has(entity),
    events: (entity) => entities.get(entity) ?? 0,
    score: (entity, ip) => dot(vectors, entityRow(entity, rows), { values: encode(ip), dim }, 0),
    entityEmbedding: (entity) => {
      const at = entityRow(entity, rows) * dim
      return weights.entities.slice(at, at + dim)
    },
    ipEmbedding: (ip) => encode(ip).slice(),
  }
}
