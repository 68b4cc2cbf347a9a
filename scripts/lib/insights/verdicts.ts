/** Whether this entity was seen with the address, its /24 and its /16 in training. */
export interface Seen {
  readonly ip: boolean
  readonly net24: boolean
  readonly net16: boolean
}

/** `scored`, or why the score means nothing: the entity was never seen in training, or too seldom. */
export type VerdictKind = 'scored' | 'unseen-entity' | 'sparse-entity'

/** Below this many training pairs the vector of an entity has hardly left its random start. */
export const MIN_EVENTS = 10

export const kindOf = (events: number, minEvents: number): VerdictKind =>
  events === 0 ? 'unseen-entity' : events < minEvents ? 'sparse-entity' : 'scored'
