import { compareKeys, type ListOptions, type ObjectInfo, type Store, united } from './store.ts'

/**
 * A store whose objects lie in two places below one root: those with a key that is one of `heads`, or begins with one that ends in a
 * slash, lie aside, all others at the first place. Whoever uses it sees one.
 */
export function dividedStore(root: Store, first: string, aside: string, heads: readonly string[]): Store {
  return divided({ root, first: root.within(first), aside: root.within(aside), heads })
}

interface Places {
  readonly root: Store
  readonly first: Store
  readonly aside: Store
  readonly heads: readonly string[]
}

const isFolder = (head: string): boolean => head.endsWith('/')

function divided(places: Places): Store {
  const { root, first, aside, heads } = places
  const placeOf = (key: string): Store =>
    heads.some((head) => key === head || (isFolder(head) && key.startsWith(head))) ? aside : first
  /** Undefined for a prefix of keys that may lie in either. */
  const onlyPlace = (prefix: string): Store | undefined => {
    if (heads.some((head) => isFolder(head) && prefix.startsWith(head))) return aside
    return heads.some((head) => head.startsWith(prefix)) ? undefined : first
  }
  async function* inPlace(place: Store, options: ListOptions): AsyncGenerator<ObjectInfo> {
    for await (const object of place.list(options)) if (placeOf(object.key) === place) yield object
  }
  return {
    uri: first.uri,
    uriOf: (key) => placeOf(key).uriOf(key),
    get listRequests() {
      return root.listRequests
    },
    list: (options = {}) =>
      onlyPlace(options.prefix ?? '')?.list(options) ?? united(inPlace(first, options), inPlace(aside, options)),
    prefixes: async (options = {}) => {
      const only = onlyPlace(options.prefix ?? '')
      if (only !== undefined) return only.prefixes(options)
      const found = [...(await first.prefixes(options)), ...(await aside.prefixes(options))]
      return [...new Set(found)].sort(compareKeys)
    },
    head: (key) => placeOf(key).head(key),
    read: (key, options) => placeOf(key).read(key, options),
    text: (key) => placeOf(key).text(key),
    write: (key, body, options) => placeOf(key).write(key, body, options),
    remove: (key) => placeOf(key).remove(key),
    within: (prefix) => onlyPlace(prefix)?.within(prefix) ?? divided(below(places, prefix)),
  }
}

const below = ({ root, first, aside, heads }: Places, prefix: string): Places => ({
  root,
  first: first.within(prefix),
  aside: aside.within(prefix),
  heads: heads.filter((head) => head.startsWith(prefix)).map((head) => head.slice(prefix.length)),
})
