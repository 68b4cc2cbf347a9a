import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { nameOf, segmentOf } from '../../../scripts/lib/stores/folder-names.ts'
import { md5 } from '../http.ts'
import { fileContent } from './content.ts'
import { type Child, type Children, compareKeys, scanTree } from './keys.ts'
import { type Backend, type Entry, plain, type StoredObject } from './stored.ts'

/** A folder served as a bucket, as it is at the moment of the request. Read-only: it may be somebody's logs. */
export class FolderBackend implements Backend {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  scan(prefix: string, from: string): Iterable<Entry> {
    return scanTree((path) => this.#children(path), prefix, from)
  }

  #children(path: string): Children {
    const files = readdirSync(this.#file(path), { withFileTypes: true })
    return files
      .filter((file) => file.isFile() || file.isDirectory())
      .map((file): Child => {
        const name = segmentOf(file.name)
        return file.isDirectory() ? { name: `${name}/` } : { name, entry: () => this.#entry(path + name) }
      })
      .sort((a, b) => compareKeys(a.name, b.name))
  }

  #file(key: string): string {
    return key === '' ? this.#folder : join(this.#folder, ...key.replace(/\/$/, '').split('/').map(nameOf))
  }

  #entry(key: string): Entry {
    const { size, mtime } = statSync(this.#file(key))
    // Not the MD5 of the bytes: a listing would have to read them all. SSE-KMS objects in S3 have such ETags, too.
    return { key, size, etag: md5(`${key} ${size} ${mtime.getTime()}`), modified: mtime, storageClass: 'STANDARD' }
  }

  get(key: string): StoredObject | undefined {
    if (key.endsWith('/')) return undefined
    try {
      const file = this.#file(key)
      if (!statSync(file).isFile()) return undefined
      const entry = this.#entry(key)
      return { ...plain, ...entry, content: fileContent(file, entry.size) }
    } catch {
      return undefined
    }
  }
}
