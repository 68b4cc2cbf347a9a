import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { ListObjectsV2Command } from '@aws-sdk/client-s3'
import { bareEtag } from './s3-bucket.ts'
import type { ObjectInfo } from './store.ts'

/** An entry of a page, its key as it was sent. */
export type Entry = Omit<ObjectInfo, 'sha256'>

/**
 * Reads the objects of a page before the SDK does, and leaves it the rest: its parser needs ten times as long for a key,
 * which is what a listing of millions would mostly be.
 * @returns the objects, once the command was answered
 */
export function takeEntries(command: ListObjectsV2Command): () => Entry[] {
  let entries: Entry[] = []
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args)
      const response = result.response as { statusCode: number; body: Readable }
      if (response.statusCode !== 200) return result
      const page = await text(response.body)
      const [start, end] = [page.indexOf(OPEN), page.lastIndexOf(CLOSE)]
      entries = start === -1 ? [] : page.slice(start, end).split(CLOSE).map(entryOf)
      const rest = start === -1 ? page : page.slice(0, start) + page.slice(end + CLOSE.length)
      response.body = Readable.from([Buffer.from(rest)])
      return result
    },
    // Innermost, so that what breaks here is tried again.
    { step: 'deserialize', priority: 'low', name: 'takeEntries', override: true },
  )
  return () => entries
}

const OPEN = '<Contents>'
const CLOSE = '</Contents>'

function entryOf(xml: string): Entry {
  const etag = bareEtag(textOf(xml, 'ETag'))
  const modified = textOf(xml, 'LastModified')
  const storageClass = textOf(xml, 'StorageClass')
  return {
    key: textOf(xml, 'Key') ?? '',
    size: Number(textOf(xml, 'Size') ?? 0),
    ...(etag !== undefined && { etag }),
    ...(modified !== undefined && { modified: new Date(modified) }),
    ...(storageClass !== undefined && { storageClass }),
  }
}

/** Text of an element without attributes that holds nothing but text. */
function textOf(xml: string, name: string): string | undefined {
  const at = xml.indexOf(`<${name}>`)
  if (at === -1) return undefined
  const start = at + name.length + 2
  const value = xml.slice(start, xml.indexOf('<', start))
  return value.includes('&') ? value.replace(ENTITY, (_, entity: string) => characterOf(entity)) : value
}

const ENTITY = /&(#x[0-9a-f]+|#\d+|quot|apos|amp|lt|gt);/gi
const NAMED: Readonly<Record<string, string>> = { quot: '"', apos: "'", amp: '&', lt: '<', gt: '>' }

const characterOf = (entity: string): string =>
  NAMED[entity] ?? String.fromCodePoint(Number(entity.replace('#', '').replace(/^x/i, '0x')))
