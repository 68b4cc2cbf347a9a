import { buffer } from 'node:stream/consumers'
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

function split(uri: string): [folder: string, name: string] {
  const at = uri.lastIndexOf('/')
  return at === -1 ? ['.', uri] : [uri.slice(0, at) || '/', uri.slice(at + 1)]
}
