import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Source } from '../source.ts'
import { SQL_FILES } from './mapping.ts'

/** What the configuration file says about the keys of a source, as a SHA-256: which objects belong to a window. Undefined where it says nothing. */
export const keysDefinition = ({ own, hasOwnKeys, layouts }: Source): string | undefined =>
  own === undefined && hasOwnKeys === undefined ? undefined : hashOf(layouts.slice(0, 1))

/**
 * What a source of the configuration file says about pairs of one kind of entity, as a SHA-256: how records are read, and where time,
 * address and entity are. Details and other entities do not count. Undefined for other sources.
 */
export async function pairsDefinition({ own, entities, members }: Source, entity: string): Promise<string | undefined> {
  if (own === undefined) return undefined
  const column = entities[entity]?.column ?? null
  if ('folder' in own) {
    const texts = await Promise.all(SQL_FILES.map((name) => readFile(join(own.folder, name), 'utf8')))
    return hashOf({ column, members, texts })
  }
  // A wrong type makes Athena fail, and no type changes a pair.
  const { fields, addresses, types: _, ...mapping } = own
  const address = addresses[entities[entity]?.address ?? ''] ?? mapping.address
  return hashOf({ ...mapping, address, entity: column === null ? null : (fields[column] ?? null) })
}

const hashOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16)
