import { AwsError } from '../http.ts'
import type { Caller, S3State } from '../s3/state.ts'
import { download, keysBelow, locationOf, upload } from '../sagemaker/s3.ts'
import { QueryError, userError } from './errors.ts'
import { glueArns, metadataRights } from './rights.ts'
import type { Shared } from './shared.ts'

const ARCHIVED = ['GLACIER', 'DEEP_ARCHIVE']

interface ReadObject {
  readonly uri: string
  readonly bytes: Buffer
}

/** Objects as a query reads and writes them: with the caller's permissions. */
export class Objects {
  readonly #s3: S3State
  readonly #caller: Caller

  constructor(s3: S3State, caller: Caller) {
    this.#s3 = s3
    this.#caller = caller
  }

  /** @param resource of Glue: `database` or `database/table`. @throws QueryError */
  allow(action: string, resource: string): void {
    for (const arn of glueArns(this.#s3, resource))
      this.#asked(resource, () => this.#s3.authorize(this.#caller, action, resource, { arn }))
  }

  /** What Athena asks the catalog before anything else. @throws QueryError */
  enter({ catalog }: Pick<Shared, 'catalog'>, database: string): void {
    // "Configure access to databases and tables in the AWS Glue Data Catalog", Athena user guide: both must be there.
    for (const action of ['glue:GetDatabase', 'glue:GetDatabases']) this.allow(action, 'default')
    if (!catalog.hasDatabase('default')) {
      this.allow('glue:CreateDatabase', 'default')
      catalog.createDatabase('default', true)
    }
    if (database !== 'default') this.allow('glue:GetDatabase', database)
  }

  /** What a query asks for that reads a table of S3 Metadata. @throws QueryError */
  enterMetadata(query: string): void {
    for (const { action, arn } of metadataRights(this.#s3, query))
      this.#asked(arn, () => this.#s3.authorize(this.#caller, action, arn, { arn }))
  }

  /** Whether nothing is below a place. @throws QueryError */
  isEmpty(place: string): boolean {
    return this.#keys(place).length === 0
  }

  /** The objects of a table, without hidden, empty and archived ones. @throws QueryError */
  async read(place: string, only?: ReadonlySet<string>): Promise<ReadObject[]> {
    const { bucket, key: prefix } = locationOf(place)
    const objects: ReadObject[] = []
    for (const key of this.#keys(place)) {
      const entry = this.#s3.bucket(bucket).backend.get(key)
      if (/(^|\/)[_.]/.test(key.slice(prefix.length)) || !entry || entry.size === 0) continue
      if (ARCHIVED.includes(entry.storageClass) && entry.restored !== true) continue
      const uri = `s3://${bucket}/${key}`
      if (only?.has(uri) === false) continue
      objects.push({ uri, bytes: await this.#asked(uri, () => download(this.#s3, this.#caller, bucket, key)) })
    }
    return objects
  }

  /**
   * The objects whose URIs those of a place hold. As Trino does, of which Athena is made: it lists what lies beside each, and fails where one is
   * missing (BackgroundHiveSplitLoader). @throws QueryError
   */
  async linked(place: string): Promise<ReadObject[]> {
    const lists = await this.read(place)
    const uris = lists.flatMap(({ bytes }) => bytes.toString().split(/\r?\n/)).filter((line) => line !== '')
    const beside = new Map<string, ReadObject[]>()
    const found: ReadObject[] = []
    for (const uri of uris) {
      const parent = uri.slice(0, uri.lastIndexOf('/') + 1)
      this.#locate(locationOf(uri).bucket)
      if (!beside.has(parent)) beside.set(parent, await this.read(parent, new Set(uris)))
      const object = beside.get(parent)?.find((other) => other.uri === uri)
      if (object === undefined)
        throw userError(
          `HIVE_FILE_NOT_FOUND: Manifest file from the location [${place}] contains non-existent path: ${uri}`,
        )
      found.push(object)
    }
    return found
  }

  /** @throws QueryError */
  write(uri: string, bytes: Buffer | string): void {
    this.#asked(uri, () => upload(this.#s3, this.#caller, uri, Buffer.from(bytes)))
  }

  /** "Cross-account access", Athena user guide: its policy for a bucket of data. */
  #locate(bucket: string): void {
    this.#asked(`s3://${bucket}`, () => this.#s3.authorize(this.#caller, 's3:GetBucketLocation', bucket))
  }

  #keys(place: string): string[] {
    return this.#asked(place, () => keysBelow(this.#s3, this.#caller, place))
  }

  #asked<T>(uri: string, ask: () => T): T {
    const refused = (error: unknown) => refusal(error, uri)
    try {
      const answer = ask()
      return answer instanceof Promise
        ? (answer.catch((error: unknown) => Promise.reject(refused(error))) as T)
        : answer
    } catch (error) {
      throw refused(error)
    }
  }
}

function refusal(error: unknown, uri: string): unknown {
  if (!(error instanceof AwsError) || error instanceof QueryError) return error
  if (error.code !== 'AccessDenied') return userError(`HIVE_CANNOT_OPEN_SPLIT: ${error.code}: ${error.message}: ${uri}`)
  const where = uri.startsWith('s3://') ? `Permission denied on S3 path: ${uri}` : error.message
  return userError(`PERMISSION_DENIED: ${where}`)
}
