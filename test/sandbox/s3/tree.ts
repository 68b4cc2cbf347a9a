import { compareKeys, lowerBound } from './keys.ts'
import type { Entry } from './stored.ts'

/** What lies directly under a path: folders, whose names end with a slash, and objects. */
export type Child = { readonly name: string; readonly entry?: () => Entry }

/** Sorted children, which need not exist before they are asked for. */
export interface Children {
  readonly length: number
  at(index: number): Child | undefined
}

/** The children of a path, which is empty or ends with a slash; none for a path that there is not. */
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
