/** Something that is there and can be removed. */
export interface Leftover {
  /** For the plan: `endpoint prestage-waf`, `staged`. */
  readonly what: string
  /** Files or objects, and the bytes that removing them frees; 0 for what is neither. */
  readonly files: number
  readonly bytes: number
  /** For the plan, in place of sizes: "costs by the hour". */
  readonly note?: string
  /** For the result, in place of sizes. */
  readonly done?: string
  /** Succeeds when it is gone already. */
  remove(signal: AbortSignal): Promise<unknown>
}
