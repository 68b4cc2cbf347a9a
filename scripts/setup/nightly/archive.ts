import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SQL_FILES } from '../../lib/sources/own/mapping.ts'
import type { Source } from '../../lib/sources/source.ts'
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

/**
 * The archive of this version: the same files have the same name and the same bytes on every machine.
 * @param sources that are judged; those of the configuration file go along
 */
export async function archiveOfProject(sources: readonly Source[], root = ROOT): Promise<Archive> {
  const paths = (await Promise.all(PARTS.map((part) => filesIn(root, part)))).flat().toSorted()
  const entries = await Promise.all(paths.map(async (path): Promise<ZipEntry> => [path, await readFile(root + path)]))
  const body = zipped([...entries, ...(await entriesOfSources(sources.filter(({ given }) => given !== undefined)))])
  return { name: `prestage-${createHash('sha256').update(body).digest('hex').slice(0, 16)}.zip`, body }
}

/** A configuration file that defines sources and says nothing else, in JSON, which is YAML as well; and their folders of SQL. */
async function entriesOfSources(sources: readonly Source[]): Promise<ZipEntry[]> {
  if (sources.length === 0) return []
  const [definitions, files]: [Record<string, unknown>, ZipEntry[]] = [{}, []]
  for (const { id, own, given } of sources) {
    const isWritten = own !== undefined && 'folder' in own
    definitions[id] = isWritten ? Object.assign({}, given, { sql: `./sources/${id}` }) : given
    if (!isWritten) continue
    for (const name of SQL_FILES) files.push([`sources/${id}/${name}`, await readFile(join(own.folder, name))])
  }
  return [['prestage.yaml', Buffer.from(JSON.stringify({ sources: definitions }, null, 2))], ...files]
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
