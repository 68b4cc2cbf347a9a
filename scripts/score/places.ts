import { createReadStream } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { UserError } from '../lib/cli/errors.ts'
import { type PairSource, type Pairs, readPairs, readPairsFrom } from '../lib/insights/pairs.ts'
import { type AwsSettings, openStore } from '../lib/stores/open.ts'
import type { Store } from '../lib/stores/store.ts'

/** An object or a file. */
export interface Place {
  readonly uri: string
  text(): Promise<string | undefined>
  /** Undefined when there is nothing. */
  bytes(): Promise<Buffer | undefined>
}

/** Something below a store. */
export function placeIn(store: Store, key: string): Place {
  return {
    uri: store.localPath?.(key) ?? store.uriOf(key),
    text: () => store.text(key),
    bytes: async () => ((await store.head(key)) === undefined ? undefined : buffer(await store.read(key))),
  }
}

/** What a URI names: `s3://bucket/key` or a path. */
export async function placeAt(uri: string, aws: AwsSettings): Promise<Place> {
  const [folder, name] = split(uri)
  return placeIn(await openStore(folder, aws), name)
}

const isS3 = (uri: string): boolean => uri.startsWith('s3://')

function split(uri: string): [folder: string, name: string] {
  const at = uri.lastIndexOf('/')
  return at === -1 ? ['.', uri] : [uri.slice(0, at) || '/', uri.slice(at + 1)]
}

/**
 * The pairs of files on this machine and of objects in S3; an `s3://…/` is all that lies below it.
 * @throws UserError when one of them is not there, or is no file of pairs
 */
export async function pairsAt(uris: readonly string[], aws: AwsSettings, signal: AbortSignal): Promise<Pairs> {
  return uris.some(isS3) ? readPairsFrom(sources(uris, aws), signal) : readPairs(uris, signal)
}

async function* sources(uris: readonly string[], aws: AwsSettings): AsyncGenerator<PairSource> {
  for (const uri of uris)
    if (!isS3(uri)) yield { name: uri, open: async () => createReadStream(uri) }
    else if (uri.endsWith('/')) yield* sourcesBelow(uri, aws)
    else {
      const [folder, name] = split(uri)
      const store = await openStore(folder, aws)
      yield { name: uri, open: () => store.read(name) }
    }
}

async function* sourcesBelow(uri: string, aws: AwsSettings): AsyncGenerator<PairSource> {
  const store = await openStore(uri, aws)
  let found = 0
  for await (const { key, size } of store.list()) {
    if (size === 0) continue
    found += 1
    yield { name: store.uriOf(key), open: () => store.read(key) }
  }
  if (found === 0) throw new UserError(`there are no pairs below ${uri}`)
}
