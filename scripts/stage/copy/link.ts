import { createHash } from 'node:crypto'
import { copyFile, link, lstat, mkdir, realpath, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UserError } from '../../lib/cli/errors.ts'
import { DRAFT } from '../../lib/stores/folder-names.ts'
import { ConditionFailed, NoSuchObject, type Store } from '../../lib/stores/store.ts'
import { type Copier, type Limits, oneByOne } from './copier.ts'

/** A store whose objects are files. */
export type FileStore = Store & { localPath(key: string): string }

/** Folder to folder: hard links where the file system allows, copies elsewhere. */
export const linkCopier = (from: FileStore, to: FileStore, limits: Limits): Copier =>
  oneByOne('link', from, limits, async ({ key, size, etag }) => {
    const path = from.localPath(key)
    const now = await from.head(key)
    if (now === undefined) throw await unreadable(path)
    if (now.size !== size || (etag !== undefined && now.etag !== etag)) throw new ConditionFailed(key)
    await place(path, to.localPath(key))
  })

/** A link that leads nowhere is still there: a new plan would have it again. */
async function unreadable(path: string): Promise<Error> {
  const isThere = (await lstat(path).catch(() => undefined)) !== undefined
  return isThere
    ? new UserError('a link that leads nowhere, or out of the logs')
    : new NoSuchObject('gone from the logs since it was listed')
}

/** Errors of link(2) after which the file is copied: another device, a file system without links, too many links. */
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
