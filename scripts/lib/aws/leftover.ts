/** Something in AWS that is there and can be removed. */
export interface Leftover {
  /** For the plan: `endpoint prestage-waf`, `staged`. */
  readonly what: string
  /** Objects and their bytes; 0 for what is not an object. */
  readonly files: number
  readonly bytes: number
  /** For the plan, in place of sizes: "costs by the hour". */
  readonly note?: string
  /** For the result, in place of "removed". */
  readonly done?: string
  /** Succeeds when it is gone already. */
  remove(signal: AbortSignal): Promise<void>
}
