import { AwsError, type Reply } from '../http.ts'
import type { Node } from '../xml.ts'
import { type BucketCall, okXml, quoted, wholeNumber } from './call.ts'
import { afterKey, afterPrefix, compareKeys, urlEncoded } from './keys.ts'
import type { Backend, Entry } from './stored.ts'

export interface Page {
  readonly entries: readonly Entry[]
  readonly prefixes: readonly string[]
  /** Where the next page starts; undefined on the last one. */
  readonly next: string | undefined
}

export interface PageRequest {
  readonly prefix: string
  readonly delimiter: string
  /** First key that counts. */
  readonly from: string
  /** Common prefixes up to this one are left out, as S3 does with start-after. */
  readonly after: string
  readonly most: number
}

/** One page of a listing. Keys with the delimiter after the prefix are rolled up, and jumped over, not walked. */
export function listPage(backend: Backend, request: PageRequest): Page {
  const { prefix, delimiter, after, most } = request
  const [entries, prefixes]: [Entry[], string[]] = [[], []]
  const page = (next?: string): Page => ({ entries, prefixes, next })
  if (most === 0) return page()
  let from: string | undefined = request.from
  while (from !== undefined) {
    let jump: string | undefined
    for (const entry of backend.scan(prefix, from)) {
      const rolled = commonPrefix(entry.key, prefix, delimiter)
      const counts = rolled === undefined || compareKeys(rolled, after) > 0
      if (counts && entries.length + prefixes.length === most) return page(entry.key)
      if (rolled === undefined) entries.push(entry)
      else {
        if (counts) prefixes.push(rolled)
        jump = afterPrefix(rolled)
        break
      }
    }
    from = jump
  }
  return page()
}

function commonPrefix(key: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === '') return undefined
  const at = key.indexOf(delimiter, prefix.length)
  return at < 0 ? undefined : key.slice(0, at + delimiter.length)
}

type Token = { from: string; after: string }

const toToken = (token: Token): string => Buffer.from(JSON.stringify(token)).toString('base64url')

function fromToken(text: string): Token {
  try {
    const token = JSON.parse(Buffer.from(text, 'base64url').toString()) as Token
    if (typeof token.from === 'string' && typeof token.after === 'string') return token
  } catch {}
  throw new AwsError('InvalidArgument', 400, 'The continuation token provided is incorrect')
}

export function listObjectsV2({ bucket, query }: BucketCall): Reply {
  const encoding = query.get('encoding-type')
  if (encoding !== undefined && encoding !== 'url')
    throw new AwsError('InvalidArgument', 400, 'Invalid Encoding Method specified in Request')
  const shown = (text: string): string => (encoding === 'url' ? urlEncoded(text) : text)
  const maxKeys = wholeNumber(query.get('max-keys'), 'max-keys', 1000, 0, 2 ** 31 - 1)
  const most = Math.min(maxKeys, 1000)
  const [prefix, delimiter] = [query.get('prefix') ?? '', query.get('delimiter') ?? '']
  const startAfter = query.get('start-after') ?? ''
  const token = query.get('continuation-token')
  const start: Token =
    token === undefined ? { from: startAfter && afterKey(startAfter), after: startAfter } : fromToken(token)
  const { entries, prefixes, next } = listPage(bucket.backend, { prefix, delimiter, most, ...start })
  const optional = (text: string): string | undefined => (text === '' ? undefined : shown(text))
  return okXml('ListBucketResult', {
    Name: bucket.name,
    Prefix: shown(prefix),
    StartAfter: optional(startAfter),
    Delimiter: optional(delimiter),
    MaxKeys: most,
    KeyCount: entries.length + prefixes.length,
    IsTruncated: next !== undefined,
    ContinuationToken: token,
    NextContinuationToken: next === undefined ? undefined : toToken({ from: next, after: start.after }),
    EncodingType: encoding,
    Contents: entries.map((entry) => contents(entry, shown, query.get('fetch-owner') === 'true' && bucket.owner)),
    CommonPrefixes: prefixes.map((one) => ({ Prefix: shown(one) })),
  })
}

const contents = (entry: Entry, shown: (text: string) => string, owner: string | false): Node => ({
  Key: shown(entry.key),
  LastModified: entry.modified,
  ETag: quoted(entry.etag),
  Size: entry.size,
  Owner: owner === false ? undefined : { ID: owner },
  StorageClass: entry.storageClass,
})
