import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, lstatSync, realpathSync, type Stats, statSync } from 'node:fs'
import { link, mkdir, open, readdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { UserError } from '../cli/errors.ts'
import { DRAFT, pathOf, segmentOf } from './folder-names.ts'
import {
  ConditionFailed,
  compareKeys,
  type ListOptions,
  NoSuchObject,
  type ObjectInfo,
  type PrefixOptions,
  type ReadOptions,
  type Store,
  type WriteOptions,
} from './store.ts'

interface View {
  readonly root: string
  readonly counter: { folders: number }
  /** A folder that was named must exist; one below it that does not is an empty prefix, as in a bucket. */
  readonly absent: 'error' | 'empty'
  /** The folder that links must not lead out of, and the keys of those that do. */
  readonly fence?: { readonly folder: string; readonly outward: Set<string> }
}

type FolderStore = Store & { localPath(key: string): string }

/** A folder as a store: the files below it are the objects, their relative paths the keys. */
export const folderStore = (folder: string): FolderStore =>
  viewOf({ root: resolve(folder), counter: { folders: 0 }, absent: 'error' })

/** The same of a folder that strangers may write: links that lead out of it are left out. */
export const fencedFolderStore = (folder: string): FolderStore => {
  const root = resolve(folder)
  return viewOf({ root, counter: { folders: 0 }, absent: 'error', fence: { folder: root, outward: new Set() } })
}

function viewOf(view: View): FolderStore {
  const { root, counter, fence } = view
  const at = (key: string) => pathOf(root, key)
  const stated = async (key: string) => ((await isWithin(fence, at(key))) ? statOf(at(key)) : undefined)
  return {
    uri: root,
    uriOf: (key) => `${root}/${key}`,
    get listRequests() {
      return counter.folders
    },
    ...(fence && { outwardLinks: fence.outward }),
    list: (options = {}) => walk(view, options),
    prefixes: (options = {}) => prefixes(view, options),
    head: async (key) => infoOf(key, await stated(key)),
    read: async (key, options) => openRead(at(key), infoOf(key, await stated(key)), options),
    text: (key) => readFile(at(key), 'utf8').catch(undefinedIfAbsent),
    write: (key, body, condition) => write(at(key), key, body, condition),
    remove: (key) => rm(at(key), { force: true }),
    within: (prefix) => viewOf({ ...view, root: folderOf(root, prefix), absent: 'empty' }),
    localPath: at,
  }
}

/** Path of a prefix: '' or with a trailing slash. */
const folderOf = (root: string, prefix: string): string => (prefix === '' ? root : dirname(pathOf(root, `${prefix}x`)))

interface Entry {
  /** Key of a file, or prefix of a folder with its trailing slash. */
  readonly key: string
  readonly path: string
  readonly stats: Stats
}

async function* walk(view: View, options: ListOptions): AsyncGenerator<ObjectInfo> {
  const { prefix: wanted = '', startAfter = '' } = options
  // Folders that are open, outermost first: generators within generators would hand on each file once a level.
  const open = [(await entries(view, view.root, '')).values()]
  for (let folder = open.at(-1); folder !== undefined; folder = open.at(-1)) {
    const { value: entry } = folder.next()
    if (entry === undefined) open.pop()
    else if (entry.stats.isDirectory()) {
      const { key } = entry
      const inPrefix = key.startsWith(wanted) || wanted.startsWith(key)
      const passed = !startAfter.startsWith(key) && compareKeys(key, startAfter) < 0
      if (inPrefix && !passed) open.push((await entries(view, entry.path, key)).values())
    } else if (entry.key.startsWith(wanted) && compareKeys(entry.key, startAfter) > 0) {
      const info = infoOf(entry.key, entry.stats)
      if (info !== undefined) yield info
    }
  }
}

/**
 * What lies in one folder, in key order: a folder sorts by its name with the slash. Links are followed, unless they lead back. One
 * that leads nowhere is an object, so that nobody takes it for absent: it can be listed, not read.
 */
async function entries({ counter, absent, fence }: View, path: string, prefix: string): Promise<Entry[]> {
  counter.folders += 1
  const names = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' && (prefix !== '' || absent === 'empty')) return []
    if (error.code === 'ENOENT') throw new UserError(`no folder ${path}`)
    throw error.code === 'ENOTDIR' ? new UserError(`no folder ${path}: a file is in its place`) : error
  })
  const found: Entry[] = []
  for (const entry of names) {
    const { name } = entry
    if (name.startsWith(DRAFT)) continue
    const at = join(path, name)
    const isLink = entry.isSymbolicLink()
    const target = statNow(at, statSync)
    const stats = target ?? (isLink ? statNow(at, lstatSync) : undefined)
    if (stats === undefined || (isLink && stats.isDirectory() && leadsBack(at))) continue
    const key = `${prefix}${segmentOf(name)}${stats.isDirectory() ? '/' : ''}`
    if (isLink && target && fence && !isBelow(realpathSync(fence.folder), realpathSync(at))) fence.outward.add(key)
    else found.push({ key, path: at, stats })
  }
  return found.sort((a, b) => compareKeys(a.key, b.key))
}

async function prefixes(view: View, options: PrefixOptions): Promise<string[]> {
  const { prefix = '', delimiter = '/', startAfter = '', pass } = options
  const found = new Set<string>()
  if (delimiter === '/') {
    const parent = prefix.slice(0, prefix.lastIndexOf('/') + 1)
    for (const { key, stats } of await entries(view, folderOf(view.root, parent), parent)) {
      if (!key.startsWith(prefix) || compareKeys(key, startAfter) <= 0) continue
      if (stats.isDirectory()) found.add(key)
      else pass?.(key)
    }
  } else {
    for await (const { key } of walk(view, options)) {
      const end = key.indexOf(delimiter, prefix.length)
      if (end === -1) continue
      const common = key.slice(0, end + delimiter.length)
      if (compareKeys(common, startAfter) > 0) found.add(common)
    }
  }
  return [...found]
}

function openRead(path: string, info: ObjectInfo | undefined, options: ReadOptions = {}): Readable {
  if (info === undefined) throw new NoSuchObject(`no object ${path}`)
  if (options.ifMatch !== undefined && info.etag !== options.ifMatch) throw new ConditionFailed(info.key)
  const { start, end } = options
  return createReadStream(path, { ...(start !== undefined && { start }), ...(end !== undefined && { end }) })
}

async function write(
  path: string,
  key: string,
  body: string | Uint8Array | Readable,
  condition: WriteOptions = {},
): Promise<ObjectInfo> {
  await mkdir(dirname(path), { recursive: true })
  if (condition.ifMatch !== undefined && infoOf(key, await statOf(path))?.etag !== condition.ifMatch)
    throw new ConditionFailed(key)
  const contended = condition.ifAbsent === true || condition.ifMatch !== undefined
  const draft = draftOf(path, contended ? randomUUID() : key)
  try {
    const handle = await open(draft, 'w')
    await pipeline(
      body instanceof Readable ? body : Readable.from([body], { objectMode: false }),
      handle.createWriteStream(),
    )
    if (condition.ifAbsent) await link(draft, path).catch(throwConditionFailed(key))
    else await rename(draft, path)
  } finally {
    await rm(draft, { force: true })
  }
  const info = infoOf(key, await statOf(path))
  if (info === undefined) throw new UserError(`${path} vanished while it was written`)
  return info
}

/** Drafts have one name a key, so that a killed writer leaves nothing that its successor does not replace. */
const draftOf = (path: string, salt: string): string =>
  join(dirname(path), `${DRAFT}${createHash('sha256').update(salt).digest('hex').slice(0, 16)}`)

const throwConditionFailed =
  (key: string) =>
  (error: NodeJS.ErrnoException): never => {
    throw error.code === 'EEXIST' ? new ConditionFailed(key) : error
  }

const statOf = (path: string): Promise<Stats | undefined> => stat(path).catch(undefinedIfAbsent)

/** For the many of a listing: a trip to a thread and back costs five times as much. */
function statNow(path: string, look: typeof statSync): Stats | undefined {
  try {
    return look(path, { throwIfNoEntry: false })
  } catch (error) {
    return undefinedIfAbsent(error as NodeJS.ErrnoException)
  }
}

const isBelow = (folder: string, path: string): boolean => path.startsWith(`${folder}/`)

async function isWithin(fence: View['fence'], path: string): Promise<boolean> {
  if (fence === undefined) return true
  const real = await realpath(path).catch(undefinedIfAbsent)
  return real === undefined || isBelow(await realpath(fence.folder), real)
}

/** Whether a link leads to a folder that it was reached through: what lies there would be found again and again. */
function leadsBack(link: string): boolean {
  const target = realpathSync(link)
  const isIn = (folder: string) => !/^\.\.(?:\/|$)/.test(relative(target, realpathSync(folder)))
  for (let folder = dirname(link); ; folder = dirname(folder)) {
    if (isIn(folder)) return true
    if (folder === dirname(folder)) return false
  }
}

function undefinedIfAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ELOOP') return undefined
  throw error
}

/** The ETag of a file is its size and time of change: enough to notice that it was replaced. */
function infoOf(key: string, stats: Stats | undefined): ObjectInfo | undefined {
  if (!stats?.isFile() && !stats?.isSymbolicLink()) return undefined
  return {
    key,
    size: stats.size,
    modified: stats.mtime,
    etag: `${stats.size.toString(16)}-${stats.mtimeMs.toString(16)}`,
  }
}
