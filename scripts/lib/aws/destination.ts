/** Where copies within S3 go, and how they are stored there. */
export interface Destination {
  readonly source: {
    readonly bucket: string
    /** Put before every key there; ends in a slash. */
    readonly prefix?: string
    /** Account that must own the bucket. */
    readonly owner?: string
    readonly requesterPays: boolean
  }
  readonly bucket: string
  /** Put before every key; ends in a slash. */
  readonly prefix: string
  readonly owner?: string
  readonly storageClass?: string
  /** Encrypt copies with this KMS key instead of the bucket's default. */
  readonly kmsKey?: string
  /** Copy the objects' tags too. */
  readonly tags: boolean
}
