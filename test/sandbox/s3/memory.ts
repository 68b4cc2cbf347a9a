import { compareKeys, lowerBound } from './keys.ts'
import type { Backend, Entry, StoredObject } from './stored.ts'

/** Objects in memory, with their keys kept sorted. */
export class MemoryBackend implements Backend {
  #keys: string[] = []
  #objects = new Map<string, StoredObject>();

  *scan(prefix: string, from: string): Iterable<Entry> {
    const start = compareKeys(prefix, from) > 0 ? prefix : from
    for (let i = this.#index(start); i < this.#keys.length; i++) {
      const object = this.#objects.get(this.#keys[i] ?? '')
      if (!object?.key.startsWith(prefix)) return
      yield object
    }
  }

  #index(key: string): number {
    return lowerBound(this.#keys.length, (i) => this.#keys[i] ?? '', key)
  }

  get(key: string): StoredObject | undefined {
    return this.#objects.get(key)
  }

  put(object: StoredObject): void {
    if (!this.#objects.has(object.key)) this.#keys.splice(this.#index(object.key), 0, object.key)
    this.#objects.set(object.key, object)
  }

  delete(key: string): void {
    if (this.#objects.delete(key)) this.#keys.splice(this.#index(key), 1)
  }
}
