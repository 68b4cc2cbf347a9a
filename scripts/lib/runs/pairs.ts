import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { UserError } from '../cli/errors.ts'
import { parseAddress } from '../insights/ipv6.ts'
import type { Ipv6Pair } from '../insights/ipv6-evidence.ts'
import { type PairSource, type Pairs, readPairs } from '../insights/pairs.ts'
import { linesOf } from '../stores/lines.ts'
import { type AwsSettings, openStore } from '../stores/open.ts'
import { hasAny, type Store } from '../stores/store.ts'
import { locationOf } from '../stores/uri.ts'
import { nextCommand } from './next.ts'
import { paths } from './paths.ts'
import { OF_FILES } from './request.ts'
import type { Run } from './run.ts'

export type Part = 'train' | 'holdout'

/** The objects of a part that have rows. */
export async function pairObjects(run: Run, part: Part) {
  const found = []
  for await (const object of run.store.list({ prefix: paths[part] })) if (object.size > 0) found.push(object)
  return found
}

/** Whether all files of a part exist. In S3 they expire, possibly one after the other, and what was made from them stays. */
export async function hasPairs(run: Run, part: Part): Promise<boolean> {
  const counted = countedBytes(run, part)
  if (run.folder !== undefined || counted === undefined) return hasAny(run.store, paths[part])
  const objects = await pairObjects(run, part)
  return objects.reduce((sum, { size }) => sum + size, 0) === counted
}

/** Bytes of a part according to extract; undefined when it has not listed the part's files. */
function countedBytes(run: Run, part: Part): number | undefined {
  if (!run.isDone('extract')) return undefined
  const own = run.result('extract').files.filter(({ path }) => path.startsWith(paths[part]))
  return own.length === 0 ? undefined : own.reduce((sum, { bytes }) => sum + bytes, 0)
}

/** The command that makes missing pairs again. In S3 the staged objects may have expired with them. */
export async function toMakePairs(run: Run): Promise<string> {
  const extract = nextCommand('extract', run)
  if (run.request.keys === OF_FILES) return extract
  if (run.folder !== undefined || (await hasAny(run.store, paths.staged))) return `${extract} --overwrite`
  return `stage again: ${nextCommand('stage', run)}; then ${extract}`
}

/** @throws UserError when some of the pairs that extract counted no longer exist */
export async function requirePairs(run: Run): Promise<void> {
  const { trainPairs, holdoutPairs } = run.result('extract')
  const counted = { train: trainPairs, holdout: holdoutPairs }
  for (const part of ['train', 'holdout'] as const)
    if (counted[part] !== 0 && !(await hasPairs(run, part))) {
      const left = (await hasAny(run.store, paths[part])) ? 'not all pairs are' : 'no pairs'
      throw new UserError(`run ${run.id}: ${left} in ${run.uriOf(paths[part])}`, { hint: await toMakePairs(run) })
    }
}

/** The pairs of one or more parts of a run, wherever it lies. @throws UserError at the first row that is not well formed */
export const pairsOf = (run: Run, parts: Part | readonly Part[], signal?: AbortSignal): Promise<Pairs> =>
  readPairs(sourcesIn(run, [parts].flat()), signal)

/** An IPv6 pair, and its accesses in either part. */
export interface Ipv6Row {
  /** Encoded. */
  readonly entity: string
  readonly ip: bigint
  readonly train: number
  readonly holdout: number
}

/** The IPv6 pairs of a run, wherever it lies; none where they are not kept. @throws UserError when a file is damaged or missing */
export async function ipv6RowsOf(run: Run, signal: AbortSignal): Promise<Ipv6Row[]> {
  const rows: Ipv6Row[] = []
  const hint = await toMakePairs(run)
  for await (const { key } of run.store.list({ prefix: paths.ipv6 }))
    for await (const line of linesOf(await run.store.read(key))) {
      signal.throwIfAborted()
      const [entity = '', address = '', train, holdout, ...more] = line.split(',')
      const ip = parseAddress(address)
      if (entity === '' || typeof ip !== 'bigint' || !/^\d+,\d+$/.test(`${train},${holdout}`) || more.length > 0)
        throw new UserError(`${run.uriOf(key)} is damaged: ${JSON.stringify(line.slice(0, 80))}`, { hint })
      rows.push({ entity, ip, train: Number(train), holdout: Number(holdout) })
    }
  const { distinct = 0 } = run.result('extract').ipv6 ?? {}
  if (rows.length !== distinct)
    throw new UserError(`run ${run.id}: ${rows.length} of ${distinct} IPv6 pairs are in ${run.uriOf(paths.ipv6)}`, {
      hint,
    })
  return rows
}

/** Those of training. */
export const trainedIpv6 = (rows: readonly Ipv6Row[]): Ipv6Pair[] => countedIpv6(rows, ({ train }) => train)

/** The pairs that have any of these accesses. */
export const countedIpv6 = (rows: readonly Ipv6Row[], accessesOf: (row: Ipv6Row) => number): Ipv6Pair[] =>
  rows.flatMap((row) => {
    const accesses = accessesOf(row)
    return accesses === 0 ? [] : [{ entity: row.entity, ip: row.ip, accesses }]
  })

async function* sourcesIn(run: Run, parts: readonly Part[]): AsyncGenerator<PairFile> {
  for (const part of parts) for (const { key } of await pairObjects(run, part)) yield sourceOf(run.store, key)
}

/**
 * The pairs of files on this machine and of objects in S3, by URI; a folder, or `s3://…/`, stands for everything below it.
 * @throws UserError when there is nothing, or at the first row that is not well formed
 */
export const openPairs = (uris: readonly string[], aws: AwsSettings, signal?: AbortSignal): Promise<Pairs> =>
  readPairs(pairSources(uris, aws), signal)

/** A file or an object with pairs. */
interface PairFile extends PairSource {
  readonly open: () => Promise<Readable>
}

/** The same files and objects, for other uses of their bytes. */
export async function* pairSources(uris: readonly string[], aws: AwsSettings): AsyncGenerator<PairFile> {
  for (const uri of uris) {
    let found = false
    for await (const source of sourcesAt(uri, aws)) {
      found = true
      yield source
    }
    if (!found)
      throw new UserError(`${uri}: nothing is there`, { hint: 'name an object, or a prefix with a slash at its end' })
  }
}

async function* sourcesAt(uri: string, aws: AwsSettings): AsyncGenerator<PairFile> {
  const location = locationOf(uri)
  const isAll = location.kind === 's3' ? uri.endsWith('/') : (await stat(uri)).isDirectory()
  if (isAll) {
    const store = await openStore(uri, aws)
    for await (const { key, size } of store.list()) if (size > 0) yield sourceOf(store, key)
  } else if (location.kind === 'folder') yield { name: uri, path: uri, open: async () => createReadStream(uri) }
  else {
    const store = await openStore(`s3://${location.bucket}`, aws)
    if ((await store.head(location.prefix)) !== undefined) yield sourceOf(store, location.prefix)
  }
}

function sourceOf(store: Store, key: string): PairFile {
  const path = store.localPath?.(key)
  return { name: path ?? store.uriOf(key), open: () => store.read(key), ...(path !== undefined && { path }) }
}
