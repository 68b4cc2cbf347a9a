import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { parse } from 'csv-parse/sync'
import { messageOf, UsageError } from '../lib/cli/errors.ts'
import { encodeEntity } from '../lib/insights/entity-codec.ts'
import { type Address, formatAddress, parseAddress } from '../lib/insights/ipv6.ts'

/** Known attacks. */
export interface Labels {
  /** Kind of attack of a pair; the entity is encoded. */
  of(entity: string, ip: Address): string | undefined
  /** Distinct labelled pairs. */
  readonly size: number
  /** SHA-256 of the file. */
  readonly digest: string
}

const COLUMNS = ['source', 'entity', 'ip', 'kind', 'time']

/** Reads `source,entity,ip,kind,time`, only the rows of one source if it is given. @throws UsageError naming file and row */
export async function readLabels(file: string, source?: string): Promise<Labels> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new UsageError(`--labels ${file}: ${messageOf(error)}`)
  })
  const kinds = new Map<string, string>()
  for (const [i, row] of rowsOf(bytes, file).entries()) {
    if (source !== undefined && row.source !== source) continue
    const ip = parseAddress(row.ip ?? '')
    if (ip === undefined || !row.entity || !row.kind)
      throw new UsageError(`--labels ${file}: row ${i + 1}: not an entity, an address and a kind`)
    const key = keyOf(encodeEntity(row.entity), ip)
    if (!kinds.has(key)) kinds.set(key, row.kind)
  }
  return {
    of: (entity, ip) => kinds.get(keyOf(entity, ip)),
    size: kinds.size,
    digest: createHash('sha256').update(bytes).digest('hex'),
  }
}

const keyOf = (entity: string, ip: Address): string => `${entity},${formatAddress(ip)}`

function rowsOf(bytes: Buffer, file: string): Record<string, string>[] {
  try {
    const [header = [], ...rows]: string[][] = parse(bytes, { bom: true, skip_empty_lines: true })
    if (header.join() !== COLUMNS.join()) throw new Error(`the first line must be ${COLUMNS.join()}`)
    return rows.map((row) => Object.fromEntries(COLUMNS.map((name, i) => [name, row[i] ?? ''])))
  } catch (error) {
    throw new UsageError(`--labels ${file}: ${messageOf(error)}`)
  }
}
