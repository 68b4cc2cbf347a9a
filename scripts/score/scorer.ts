/** Pairs to be scored together: entity i with address i. */
export interface Batch {
  /** Encoded. */
  readonly entities: readonly string[]
  readonly ips: Uint32Array
}

/** Whatever knows the model: itself, or an endpoint. */
export interface Scorer {
  /** How many batches may be under way at once. */
  readonly concurrency: number
  /** Dot products in the order of the pairs. @throws UserError when there is not exactly one finite number for each */
  score(batch: Batch): Promise<Float64Array>
}
