import { createHash } from 'node:crypto'
import { copyFile, link, mkdir, realpath, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { messageOf } from '../../cli/errors.ts'
import type { ObjectInfo, Store } from '../../stores/store.ts'
import { forEach } from '../each.ts'
import type { Copier } from './copier.ts'

/** A store whose objects are files. */
export type FileStore = Store & { localPath(key: string): string }

/** Folder to folder: hard links where the file system allows, copies elsewhere. */
export function localCopier(from: FileStore, to: FileStore, concurrency: number, signal: AbortSignal): Copier {
  return {
    name: 'link',
    async copy(objects, report) {
      const copyOne = async (object: ObjectInfo) => {
        try {
          const now = await from.head(object.key)
          if (now === undefined)
            report.failed({ key: object.key, reason: 'gone since it was listed, or a link that leads nowhere' })
          else if (now.size !== object.size || (object.etag !== undefined && now.etag !== object.etag))
            report.failed({ key: object.key, reason: 'changed in the logs since it was listed' })
          else {
            await place(from.localPath(object.key), to.localPath(object.key))
            report.copied(1)
          }
        } catch (error) {
          report.failed({ key: object.key, reason: messageOf(error) })
        }
      }
      await forEach(objects, { concurrency, signal }, copyOne)
    },
  }
}

/** Errors of link(2) that say "not this way": another device, a file system without links, too many links. */
const NO_LINK = new Set(['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'EACCES', 'ENOSYS'])

/** Puts the file in place whole, by link or copy; what lay there before is replaced. */
async function place(source: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true })
  const draft = join(dirname(target), `.draft-${createHash('sha256').update(target).digest('hex').slice(0, 16)}`)
  await rm(draft, { force: true })
  try {
    // A link to a symbolic link would be a link to whatever that name means elsewhere.
    await link(await realpath(source), draft).catch((error: NodeJS.ErrnoException) => {
      if (!NO_LINK.has(error.code ?? '')) throw error
      return copyFile(source, draft)
    })
    await rename(draft, target)
  } finally {
    // Renaming a link over another link to the same file leaves both.
    await rm(draft, { force: true })
  }
}
