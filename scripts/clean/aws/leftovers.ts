/** One thing in AWS that goes. */
export interface Leftover {
  /** For a plan: `endpoint prestage-waf`, `staged`. */
  readonly what: string
  /** Objects and their bytes; 0 for what is no object. */
  readonly files: number
  readonly bytes: number
  /** For a plan, in place of sizes: "costs by the hour". */
  readonly note?: string
  /** For a result: what it means that it is removed. Default: "removed". */
  readonly done?: string
  /** Removing what is gone already is no error. */
  remove(signal: AbortSignal): Promise<void>
}
