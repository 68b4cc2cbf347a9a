import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type ZipEntry, zipped } from './zip.ts'

/** This project as CodeBuild installs it. */
export interface Archive {
  /** Named after its content: `prestage-0123456789abcdef.zip`. */
  readonly name: string
  readonly body: Buffer
}

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
/** What the commands need, and `npm ci` to install what they need. */
const PARTS = ['.npmrc', 'LICENSE', 'cfn', 'package-lock.json', 'package.json', 'scripts', 'sql']

/** The archive of this version: the same files have the same name and the same bytes on every machine. */
export async function archiveOfProject(root = ROOT): Promise<Archive> {
  const paths = (await Promise.all(PARTS.map((part) => filesIn(root, part)))).flat().toSorted()
  const entries = await Promise.all(paths.map(async (path): Promise<ZipEntry> => [path, await readFile(root + path)]))
  const body = zipped(entries)
  return { name: `prestage-${createHash('sha256').update(body).digest('hex').slice(0, 16)}.zip`, body }
}

/** Files of a folder by their paths with slashes, or the file itself; what is hidden is left out. */
async function filesIn(root: string, part: string): Promise<string[]> {
  const inside = await readdir(root + part, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOTDIR') return undefined
    throw error
  })
  if (inside === undefined) return [part]
  const visible = inside.filter(({ name }) => !name.startsWith('.'))
  return (await Promise.all(visible.map(({ name }) => filesIn(root, `${part}/${name}`)))).flat()
}
