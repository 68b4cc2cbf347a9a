import { createHash } from 'node:crypto'
import { copyFile, link, mkdir, realpath, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UserError } from '../../lib/cli/errors.ts'
import { DRAFT } from '../../lib/stores/folder-names.ts'
import { ConditionFailed, type Store } from '../../lib/stores/store.ts'
import type { Copier } from './copier.ts'
import { oneByOne } from './one-by-one.ts'

/** A store whose objects are files. */
export type FileStore = Store & { localPath(key: string): string }

/** Folder to folder: hard links where the file system allows, copies elsewhere. */
export const localCopier = (from: FileStore, to: FileStore, concurrency: number, signal: AbortSignal): Copier =>
  oneByOne('link', { concurrency, signal, from }, async ({ key, size, etag }) => {
    const now = await from.head(key)
    if (now === undefined) throw new UserError('gone since it was listed, or a link that leads nowhere')
    if (now.size !== size || (etag !== undefined && now.etag !== etag)) throw new ConditionFailed(key)
    await place(from.localPath(key), to.localPath(key))
  })

/** Errors of link(2) that say "not this way": another device, a file system without links, too many links. */
const NO_LINK = new Set(['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'EACCES', 'ENOSYS'])

/** Puts the file in place whole, by link or copy; what lay there before is replaced. */
async function place(source: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true })
  const draft = join(dirname(target), `${DRAFT}${createHash('sha256').update(target).digest('hex').slice(0, 16)}`)
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
