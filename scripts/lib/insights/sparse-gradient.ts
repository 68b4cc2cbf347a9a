/** Gradients of the few rows of a table that one mini batch touches, gathered densely. */
export class SparseGradient {
  /** Rows touched; their gradients are `values[slot * dim …]` in the same order. */
  readonly rows: Uint32Array
  readonly values: Float32Array
  touched = 0
  private readonly slotOf: Int32Array
  private readonly dim: number

  constructor(tableRows: number, maxTouched: number, dim: number) {
    this.rows = new Uint32Array(maxTouched)
    this.values = new Float32Array(maxTouched * dim)
    this.slotOf = new Int32Array(tableRows).fill(-1)
    this.dim = dim
  }

  /** Where the gradient of a row is gathered. */
  slot(row: number): number {
    const known = this.slotOf[row]!
    if (known !== -1) return known
    const slot = this.touched
    this.touched += 1
    this.rows[slot] = row
    this.slotOf[row] = slot
    return slot
  }

  clear(): void {
    for (let slot = 0; slot < this.touched; slot++) this.slotOf[this.rows[slot]!] = -1
    this.values.fill(0, 0, this.touched * this.dim)
    this.touched = 0
  }
}
