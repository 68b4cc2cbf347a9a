import pMap from 'p-map'
import type { Window } from '../../lib/runs/window.ts'
import { flatParser, flatPrefix, isFlat } from '../../lib/sources/flat.ts'
import { type Branch, keyParser, keyRange } from '../../lib/sources/layout.ts'
import type { ObjectInfo, Store } from '../../lib/stores/store.ts'

/** Branches whose neighbors are looked up: enough for a hint. */
const ASKED = 20

/** The last key before and the first key after the window, in some of the branches, below `base`. */
export async function nearestOf(
  store: Store,
  branches: readonly Branch[],
  base: string,
  window: Window,
): Promise<string[]> {
  const near = (branch: Branch) =>
    neighbours(store, branch, branch.path.length > base.length ? branch.path : base, window)
  const found = await pMap(branches.slice(0, ASKED), near, { concurrency: 4 })
  const before = found.flatMap(({ before }) => before ?? []).sort((a, b) => b.time.getTime() - a.time.getTime())[0]
  const after = found.flatMap(({ after }) => after ?? []).sort((a, b) => a.time.getTime() - b.time.getTime())[0]
  return [
    ...(before === undefined ? [] : [`nearest before: ${JSON.stringify(before.key)}`]),
    ...(after === undefined ? [] : [`nearest after: ${JSON.stringify(after.key)}`]),
  ]
}

interface Neighbour {
  readonly key: string
  readonly time: Date
}

async function neighbours(
  store: Store,
  branch: Branch,
  path: string,
  window: Window,
): Promise<{ before?: Neighbour; after?: Neighbour }> {
  const { startAfter, endBefore } = keyRange(branch.layout, branch, window)
  const parse = isFlat(branch.layout) ? flatParser(branch) : keyParser(branch.layout)
  const timed = ({ key }: ObjectInfo): Neighbour | undefined => {
    const time = parse(key)?.time
    return time && { key, time }
  }
  const prefix = isFlat(branch.layout) ? flatPrefix(branch) : path
  const after = await first(store.list({ prefix, startAfter: endBefore }), timed)
  // Nothing tells where in a folder of all keys the last one before the window is, but for the first of them.
  if (isFlat(branch.layout)) {
    const earliest = await first(store.list({ prefix }), timed)
    return { ...(earliest && earliest.key < startAfter && { before: earliest }), ...(after && { after }) }
  }
  const day = (await lastFolderBefore(store, path, startAfter)) ?? (path === branch.path ? undefined : path)
  let before: Neighbour | undefined
  if (day !== undefined)
    for await (const object of store.list({ prefix: day })) {
      if (object.key > startAfter) break
      before = timed(object) ?? before
    }
  return { ...(before && { before }), ...(after && { after }) }
}

const SCAN = 1000

async function first(
  objects: AsyncIterable<ObjectInfo>,
  timed: (object: ObjectInfo) => Neighbour | undefined,
): Promise<Neighbour | undefined> {
  let scanned = 0
  for await (const object of objects) {
    const found = timed(object)
    if (found !== undefined || ++scanned >= SCAN) return found
  }
  return undefined
}

/** Descends years, months, … to the last folder that sorts before a key. */
async function lastFolderBefore(store: Store, path: string, key: string): Promise<string | undefined> {
  const children = (await store.prefixes({ prefix: path })).filter((child) => child <= key)
  for (const child of children.reverse()) {
    if (!/\/\d+\/$/.test(`/${child.slice(path.length)}`)) continue
    const inside = await lastFolderBefore(store, child, key)
    return inside ?? child
  }
  return undefined
}
