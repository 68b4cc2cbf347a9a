import { messageOf } from '../../lib/cli/errors.ts'

/** What is tried, by the names that it has in test/sandbox/beliefs.md. */
const BASE = {
  'copy-etag': 'CopyObject without KMS keeps the ETag',
  'copy-multipart-etag': 'a copy of an object that was uploaded in parts has its MD5 as the ETag',
  'list-start-after': 'with start-after and a delimiter, common prefixes up to it are left out',
  's3-wrong-region': 'a wrong signing region is answered by 301, or by 400 AuthorizationHeaderMalformed',
  'batch-create': 'the operator may create a batch job with the role of the stack',
  'batch-same-token': 'the same request with the same token is the same job',
  'batch-missing-job': 'a missing job is NoSuchJob, or NotFoundException',
  'batch-copies': 'S3 Batch Operations takes the role and copies',
  'batch-no-tags': 'copies without tags need no right to read tags',
  'batch-prefix': 'TargetKeyPrefix gets a slash at its end',
  'batch-metadata': 'MetadataDirective COPY keeps the metadata',
  'batch-report-place': 'the report is where its manifest.json says, below job-<id>/',
  'batch-report-columns': 'a row of the report has seven columns, with the status in the fourth',
  'batch-report-slashes': 'keys in the report are percent-encoded, with bare slashes',
  'athena-rights': 'the operator may create a table, run a CTAS and drop both',
  'athena-cloudtrail-rows': 'a table over CloudTrail logs has a row for each record, and reads the named run',
  'athena-ctas-text': "TEXTFILE with write_compression 'NONE' is plain lines, with commas and without quotes",
  'athena-ctas-null': 'in text, NULL is \\N',
  'athena-ctas-empty': 'a CTAS of no rows writes no object',
  'athena-location': 'a location that is not empty fails a CTAS while it runs',
  'athena-same-token': 'a token gives its query, also when that has failed',
  'athena-unknown-id': 'an unknown query is InvalidRequestException, "was not found"',
  'athena-missing-table': 'a missing table is ErrorType 1301, a missing column 1006',
  'athena-metadata-missing': 'metadata of a missing table is MetadataException with EntityNotFoundException',
  'athena-cloudtrail-digest': 'a document without Records has no rows',
  'athena-cloudtrail-odd': 'a record that is no object is a row of nulls',
  'athena-cloudtrail-broken': 'broken JSON fails the query with HIVE_CURSOR_ERROR',
  'athena-waf-empty-line': 'for OpenX JSON an empty line is a row of nulls',
  'sagemaker-create-model': 'the operator may create a model with the image, the role and a model of the workspace',
  'sagemaker-missing-endpoint': 'a missing endpoint is ValidationException "Could not find endpoint"',
  'sagemaker-missing-training': 'a missing training job is ValidationException "Requested resource not found"',
  'sagemaker-missing-transform':
    'a missing transform job is ValidationException "Could not find requested job with name"',
  'sagemaker-config-quota': 'quotas of serverless endpoints do not count for CreateEndpointConfig',
  'sagemaker-quota-names': 'Service Quotas has the name of the quota of requests at once to serverless endpoints',
} as const

/** What is tried with an endpoint besides. */
const ENDPOINT = {
  'training-artifacts': 'a training job tells from its beginning where its model will be',
  'model-archive': 'the archive of a model has the one member model_algo-1',
  'endpoint-creating': 'an endpoint that is being created refuses as one that is missing',
  'endpoint-cold-start': 'a cold start is slow, ModelNotReadyException, or ModelError with status 0',
  'endpoint-answers': 'JSON Lines with one dot_product for each line',
  'endpoint-batch': '1,000 and 10,000 lines are answered within 60 seconds',
  'endpoint-unreadable': 'a line that cannot be read is refused with 400',
  'endpoint-csv': 'Accept: text/csv is refused with 406',
  'endpoint-throttled': 'more requests at once than MaxConcurrency are ThrottlingException',
  'endpoint-oversize': 'a body of more than 4 MB is ValidationError "has oversize body"',
} as const

const TEXTS: Readonly<Record<BeliefId, string>> = { ...BASE, ...ENDPOINT }

export type BeliefId = keyof typeof BASE | keyof typeof ENDPOINT

/** Names of everything that is tried, with or without an endpoint. */
export const tried = (withEndpoint: boolean): BeliefId[] =>
  Object.keys(TEXTS).filter((id): id is BeliefId => id in BASE || withEndpoint)

/** What one belief was compared with. */
export interface Comparison {
  readonly id: BeliefId
  readonly belief: string
  /** What AWS did, or why nothing could be seen. */
  readonly seen: string
  readonly as: 'believed' | 'not believed' | 'not seen'
}

/** What was seen, and whether it is what is believed; undefined when that does not show. */
export interface Seen {
  readonly seen: string
  readonly isBelieved: boolean | undefined
}

const NOT_REACHED = 'not tried: something before it did not come so far'

/** Gathers what is seen. A look that fails does not end the others. */
export class Comparisons {
  readonly #seen = new Map<BeliefId, Seen>()
  readonly #signal: AbortSignal

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  /** @throws the reason of a stop, and nothing else */
  async compare(id: BeliefId, look: () => Promise<Seen> | Seen): Promise<void> {
    this.#signal.throwIfAborted()
    try {
      this.#seen.set(id, await look())
    } catch (error) {
      this.#signal.throwIfAborted()
      this.#seen.set(id, { seen: messageOf(error), isBelieved: undefined })
    }
  }

  all(ids: readonly BeliefId[]): Comparison[] {
    return ids.map((id) => {
      const { seen, isBelieved } = this.#seen.get(id) ?? { seen: NOT_REACHED, isBelieved: undefined }
      const as = isBelieved === undefined ? 'not seen' : isBelieved ? 'believed' : 'not believed'
      return { id, belief: TEXTS[id], seen, as }
    })
  }
}

/** What is believed to succeed: a failure is an answer. */
export async function succeeds(work: () => Promise<string>): Promise<Seen> {
  try {
    return { seen: await work(), isBelieved: true }
  } catch (error) {
    return { seen: messageOf(error), isBelieved: false }
  }
}

/** What is believed to be refused. @param isMeant whether this is the refusal */
export async function refuses(work: () => Promise<unknown>, isMeant: (error: unknown) => boolean): Promise<Seen> {
  try {
    await work()
  } catch (error) {
    const name = error instanceof Error && error.name !== 'Error' ? `${error.name}: ` : ''
    return { seen: `${name}${messageOf(error)}`, isBelieved: isMeant(error) }
  }
  return { seen: 'no refusal', isBelieved: false }
}
