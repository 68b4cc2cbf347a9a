import { createHash } from 'node:crypto'
import { text as textOf } from 'node:stream/consumers'
import type { Athena } from '../../lib/aws/athena/athena.ts'
import { namesLocation } from '../../lib/aws/athena/workgroup.ts'
import { s3Client } from '../../lib/aws/clients.ts'
import { explained } from '../../lib/aws/errors.ts'
import type { AwsSettings } from '../../lib/aws/settings.ts'
import { UserError } from '../../lib/cli/errors.ts'
import { plural } from '../../lib/cli/format.ts'
import { paths } from '../../lib/runs/paths.ts'
import type { Run } from '../../lib/runs/run.ts'
import { openStore } from '../../lib/stores/open.ts'
import { copyObject } from '../../lib/stores/s3-copy.ts'
import { compareKeys, type ObjectInfo, type Store } from '../../lib/stores/store.ts'
import { locationOf } from '../../lib/stores/uri.ts'
import type { Written } from '../extract.ts'

export const AGAIN = 'these pairs are not used; extract again with --overwrite'

/** What lies below it is removed at the end. */
const SCRATCH = `${paths.tmp}athena/`

const PLACES = {
  classified: SCRATCH,
  entities: SCRATCH,
  train: paths.train,
  holdout: paths.holdout,
  ipv6: paths.ipv6,
  times: paths.times,
} as const
export type Kept = keyof typeof PLACES
export type Part = 'train' | 'holdout'

/** Rows that a statement has written. */
export interface Placed {
  /** The table in the catalog. */
  readonly name: string
  /** Key prefix in the run where they belong. */
  readonly prefix: string
  /** Where they are: `s3://bucket/prefix/`. */
  readonly location: string
}

interface Brought {
  readonly path: string
  readonly rows: number
  readonly objects: readonly ObjectInfo[]
  /** Identifies the rows, however the objects are named and the rows are spread over them. */
  readonly digest: string
}

/** Brings what Athena writes to its place in the run, and checks it. */
export class AthenaOutput {
  readonly #run: Run
  readonly #athena: Athena
  readonly #aws: AwsSettings
  readonly #elsewhere = new Set<string>()
  #decides: boolean

  constructor(run: Run, athena: Athena, aws: AwsSettings) {
    this.#run = run
    this.#athena = athena
    this.#aws = aws
    this.#decides = !namesLocation(athena.workgroup)
  }

  prefixOf(kept: Kept, attempt: string): string {
    return `${PLACES[kept]}${attempt}/`
  }

  /** The location to ask for; undefined when the workgroup decides. */
  askedFor(kept: Kept, attempt: string): string | undefined {
    return this.#decides ? undefined : this.#run.uriOf(this.prefixOf(kept, attempt))
  }

  /** Whether a statement was refused because it names its location: from now on the workgroup decides. */
  letsDecide(error: unknown): boolean {
    const isRefused = !this.#decides && error instanceof UserError && /\bexternal_location\b/.test(error.message)
    this.#decides ||= isRefused
    return isRefused
  }

  /**
   * Where the rows of a CTAS are, with a slash at its end. Without a word of the catalog a workgroup that enforces its settings has put
   * them into "tables/<query id>" below its own location: "CTAS considerations", Athena user guide.
   * @param told location of the table, by the catalog
   */
  placeOf(queryId: string, prefix: string, told: string | undefined): string {
    const own = this.#run.uriOf(prefix)
    const { outputLocation } = this.#athena.workgroup
    const guess = this.#decides && outputLocation !== undefined ? `${withSlash(outputLocation)}tables/${queryId}` : own
    const place = withSlash(told ?? guess)
    // Whatever else is said of a table, only its query's own place is swept.
    if (place !== own && place.includes(queryId)) this.#elsewhere.add(place)
    return place
  }

  /** Whether nothing lies at a location. */
  async isEmpty(location: string): Promise<boolean> {
    for await (const _ of (await openStore(location, this.#aws)).list()) return false
    return true
  }

  /** Brings pairs to their place and checks every object. @throws UserError when a training job could not read them */
  async pairs(placed: Placed, rows: number, form = PAIR): Promise<Brought> {
    const objects = await this.#bring(placed)
    if (objects.length === 0)
      throw new UserError(`${placed.location} is empty, and ${plural(rows, 'row was', 'rows were')} written there`, {
        hint: AGAIN,
      })
    for (const object of objects) await checkObject(this.#run.store, object, form)
    return { path: placed.prefix, rows, objects, digest: `${rows} ${bytesIn(objects)}` }
  }

  /** Brings the times of accesses to their place, in no order. */
  async times(placed: Placed): Promise<Brought> {
    return { path: placed.prefix, rows: 0, objects: await this.#bring(placed), digest: '' }
  }

  /** Joins the known entities to one sorted file. */
  async entities({ location }: Placed): Promise<Brought> {
    const store = await openStore(location, this.#aws)
    const lines: string[] = []
    for await (const { key } of store.list())
      lines.push(...(await textOf(await store.read(key))).split('\n').filter((line) => line !== ''))
    const entityOf = (line: string) => line.slice(0, line.indexOf(','))
    lines.sort((a, b) => compareKeys(entityOf(a), entityOf(b)))
    const text = lines.map((line) => `${line}\n`).join('')
    const written = await this.#run.store.write(paths.entities, text)
    const digest = createHash('sha256').update(text).digest('hex')
    return { path: paths.entities, rows: lines.length, objects: [written], digest }
  }

  /**
   * Removes what earlier extractions and attempts left among pairs and times.
   * @param beside files that are not listed in the result
   */
  async settle(brought: readonly Brought[], beside: readonly Brought[]): Promise<Written> {
    const kept = new Set([...brought, ...beside].flatMap(({ objects }) => objects.map(({ key }) => key)))
    for (const place of [paths.train, paths.holdout, paths.ipv6, paths.times])
      await removeBelow(this.#run.store, place, (key) => !kept.has(key))
    // Together with the staged objects and the settings it identifies the pairs: extracted again they are the same, and the model is still valid.
    const digest = createHash('sha256').update(brought.map((one) => one.digest).join('\n'))
    return {
      files: brought.map(({ path, rows, objects }) => ({ path, rows, bytes: bytesIn(objects) })),
      digest: digest.digest('hex'),
    }
  }

  /** Removes scratch objects, and what the workgroup wrote at its own location. */
  async sweep(): Promise<void> {
    await removeBelow(this.#run.store, SCRATCH)
    for (const place of this.#elsewhere) await removeBelow(await openStore(place, this.#aws), '')
  }

  /** The objects with their keys in the run; copies them there, within S3, when they lie elsewhere. Those without any row are left out. */
  async #bring({ location, prefix }: Placed): Promise<ObjectInfo[]> {
    const { store } = this.#run
    if (location !== this.#run.uriOf(prefix)) await this.#copy(location, prefix)
    const objects: ObjectInfo[] = []
    for await (const object of store.list({ prefix })) if (object.size > 0) objects.push(object)
    return objects
  }

  async #copy(location: string, prefix: string): Promise<void> {
    const { signal = new AbortController().signal } = this.#aws
    const [from, to] = [bucketAndKey(location), bucketAndKey(this.#run.uriOf(prefix))]
    const client = await s3Client(this.#aws, to.bucket)
    const source = { bucket: from.bucket, prefix: from.key, requesterPays: false }
    const destination = { source, bucket: to.bucket, prefix: to.key, tags: false }
    const there = this.#run.store.within(prefix)
    const objects = (await openStore(location, this.#aws)).list()
    for await (const object of objects) {
      if ((await there.head(object.key))?.size === object.size) continue
      const asked = { what: `copy of ${location}${object.key}`, action: 's3:GetObject and s3:PutObject', resource: '*' }
      await copyObject(client, object, destination, signal).catch((error: unknown) => {
        signal.throwIfAborted()
        throw explained(error, asked)
      })
    }
  }
}

const withSlash = (place: string): string => (place.endsWith('/') ? place : `${place}/`)

function bucketAndKey(uri: string): { bucket: string; key: string } {
  const location = locationOf(uri)
  if (location.kind !== 's3') throw new Error(`${uri} is not in S3`)
  return { bucket: location.bucket, key: withSlash(location.prefix) }
}

const bytesIn = (objects: readonly ObjectInfo[]): number => objects.reduce((sum, { size }) => sum + size, 0)

async function removeBelow(store: Store, prefix: string, goes: (key: string) => boolean = () => true): Promise<void> {
  for await (const { key } of store.list({ prefix })) if (goes(key)) await store.remove(key)
}

/** No row is longer: an entity has at most 16,000 characters, which take up to four bytes each once encoded. */
const LONGEST_ROW = 64 << 10
const PAIR = /^[^,"\r\n]+,\d{1,3}(\.\d{1,3}){3}$/
/** With the accesses of either part. */
export const IPV6_PAIR = /^[^,"\r\n]+,[0-9a-f:]+,\d+,\d+$/

/** @throws UserError when an object is compressed, or its first or last line is not a pair */
async function checkObject(store: Store, { key, size }: ObjectInfo, form: RegExp): Promise<void> {
  const wrong = (what: string) => new UserError(`${store.uriOf(key)} ${what}`, { hint: AGAIN })
  const head = await bytesOf(store, key, 0, Math.min(size, LONGEST_ROW) - 1)
  if (key.endsWith('.gz') || (head[0] === 0x1f && head[1] === 0x8b)) throw wrong('is compressed')
  const tail = await bytesOf(store, key, Math.max(0, size - LONGEST_ROW - 1), size - 1)
  const [first = ''] = head.toString().split('\n')
  const last = tail.toString().replace(/\n$/, '').split('\n').at(-1) ?? ''
  for (const line of [first, last])
    if (!form.test(line)) throw wrong(`has a line that is not a pair: ${JSON.stringify(line)}`)
}

async function bytesOf(store: Store, key: string, start: number, end: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of await store.read(key, { start, end })) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
