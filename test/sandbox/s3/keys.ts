import type { Entry } from './stored.ts'
/** Order of keys in a bucket: by the bytes of their UTF-8, which is by code point and not by UTF-16 unit. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

// Surrogates stand for code points above all others.
const rank = (unit: number): number => (unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit)

/** The least text that comes after every text with this prefix; undefined when there is none. */
export function afterPrefix(prefix: string): string | undefined {
  const points = Array.from(prefix)
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    const point = last.codePointAt(0) ?? 0
    if (point < 0x10ffff) return points.join('') + String.fromCodePoint(point === 0xd7ff ? 0xe000 : point + 1)
  }
  return undefined
}

/** The least text after this one. */
export const afterKey = (key: string): string => `${key}\0`

/** Index of the first of sorted items that is not before `key`. */
export function lowerBound(count: number, keyAt: (index: number) => string, key: string): number {
  let [low, high] = [0, count]
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareKeys(keyAt(middle), key) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** As `encoding-type=url` writes keys: form encoding, but slashes stay. */
export const urlEncoded = (text: string): string =>
  encodeURIComponent(text)
    .replace(/[!'()~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%20/g, '+')
    .replace(/%2F/g, '/')

/** What lies directly under a path: folders, whose names end with a slash, and objects. */
export type Child = { readonly name: string; readonly entry?: () => Entry }

/** Sorted children, which are made when they are read. */
export interface Children {
  readonly length: number
  at(index: number): Child | undefined
}

/** The children of a path, which is empty or ends with a slash; none for a path that does not exist. */
export type Tree = (path: string) => Children

/** Objects of a tree in the order of keys, without walking into folders that the prefix or the start rule out. */
export function* scanTree(tree: Tree, prefix: string, from: string, path = ''): Iterable<Entry> {
  const children = tree(path)
  const keyAt = (index: number): string => path + (children.at(index)?.name ?? '')
  const start = compareKeys(prefix, from) > 0 ? prefix : from
  let index = lowerBound(children.length, keyAt, start)
  // The folder just before the start may hold it.
  if (index > 0 && keyAt(index - 1).endsWith('/') && start.startsWith(keyAt(index - 1))) index--
  for (; index < children.length; index++) {
    const [key, child] = [keyAt(index), children.at(index)]
    if (!key.startsWith(prefix) && !prefix.startsWith(key)) return
    if (child?.entry === undefined) yield* scanTree(tree, prefix, from, key)
    else if (key.startsWith(prefix)) yield child.entry()
  }
}
