/** How AWS is reached; credentials come from the SDK's own chain. */
export interface AwsSettings {
  readonly profile?: string | undefined
  readonly awsRegion?: string | undefined
  readonly endpointUrl?: string | undefined
  /** Pay for the requests to somebody else's bucket. */
  readonly requesterPays?: boolean | undefined
  /** The account that must own the bucket. */
  readonly expectedBucketOwner?: string | undefined
  /** How many requests may be in flight at once. Default: 64 */
  readonly concurrency?: number | undefined
  /** Ends listings and reads. Small writes go on, so that a stopped step can still be recorded. */
  readonly signal?: AbortSignal | undefined
}

/** What the options of a command say about AWS. @param signal ends listings and reads */
export const awsOf = (
  { profile, awsRegion, endpointUrl, concurrency }: AwsSettings,
  { signal }: { readonly signal: AbortSignal },
): AwsSettings => ({ profile, awsRegion, endpointUrl, concurrency, signal })
