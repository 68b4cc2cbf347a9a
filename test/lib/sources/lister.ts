import type { Lister } from '../../../scripts/lib/sources/discover.ts'

/** A bucket as discovery sees it: prefixes of these keys, with a count of what was asked. */
export function listerOf(keys: readonly string[]): Lister & { readonly asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    prefixes: ({ prefix, pass }) => {
      asked.push(prefix)
      const found = new Set<string>()
      for (const key of keys) {
        const end = key.startsWith(prefix) ? key.indexOf('/', prefix.length) : -1
        if (end !== -1) found.add(key.slice(0, end + 1))
        else if (key.startsWith(prefix)) pass?.(key)
      }
      return Promise.resolve([...found].sort())
    },
  }
}
