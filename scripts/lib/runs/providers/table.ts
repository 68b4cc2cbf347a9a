import { isIPv6 } from 'node:net'
import { parseCidr, parseIpv4 } from '../../insights/ipv4.ts'
import { lineBatchesOf } from '../../stores/lines.ts'
import { asNumber, type Provider, providerFrom } from './provider.ts'
import { Ranges } from './ranges.ts'

/** What a column is called: by iptoasn.com, IPinfo, MaxMind and people. */
const COLUMNS = {
  start: ['range_start', 'start_ip', 'ip_start', 'start'],
  end: ['range_end', 'end_ip', 'ip_end', 'end'],
  network: ['network', 'cidr', 'prefix'],
  number: ['as_number', 'asn', 'as', 'autonomous_system_number', 'number'],
  country: ['country_code', 'country'],
  name: ['as_description', 'as_name', 'autonomous_system_organization', 'as_organisation', 'organization', 'name'],
} as const

type Column = keyof typeof COLUMNS
type Places = Readonly<Partial<Record<Column, number>>>

/** Without a line of names, the columns are those of iptoasn.com. */
const IPTOASN: Places = { start: 0, end: 1, number: 2, country: 3, name: 4 }
const CHUNK = 1 << 20

/**
 * Reads a table of networks, tabs or commas between cells. Rows about IPv6 are skipped.
 * @throws Error that names the line that is none
 */
export async function openTable(bytes: Buffer): Promise<Ranges> {
  const ranges: ConstructorParameters<typeof Ranges>[0][number][] = []
  const providers = new Map<string, Provider>()
  let [places, line]: [Places | undefined, number] = [undefined, 0]
  for await (const lines of lineBatchesOf(chunksOf(bytes)))
    for (const text of lines) {
      line += 1
      const cells = cellsOf(text.replace(/^\ufeff|\r$/g, ''))
      if (cells.every((cell) => cell === '') || text.startsWith('#')) continue
      if (places === undefined) {
        const columns = placesIn(cells)
        places = columns ?? IPTOASN
        if (columns !== undefined) continue
      }
      const span = spanIn(cells, places, line)
      const provider = span && providerIn(cells, places)
      if (span === undefined || provider === undefined) continue
      // Few providers have many ranges.
      const key = JSON.stringify(provider)
      const known = providers.get(key) ?? provider
      providers.set(key, known)
      ranges.push({ ...span, provider: known })
    }
  if (ranges.length === 0) throw new Error('it names no IPv4 network')
  return new Ranges(ranges)
}

async function* chunksOf(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK)
}

/** Cells of a line; quotes count only between commas. */
function cellsOf(line: string): string[] {
  if (line.includes('\t')) return line.split('\t')
  if (!line.includes('"')) return line.split(',')
  return Array.from(line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g), ([, inQuotes, plain]) =>
    inQuotes === undefined ? (plain ?? '') : inQuotes.replaceAll('""', '"'),
  )
}

/** Undefined unless the cells are names of columns. */
function placesIn(cells: readonly string[]): Places | undefined {
  const names = cells.map((cell) => cell.trim().toLowerCase())
  const places: Partial<Record<Column, number>> = {}
  for (const column of Object.keys(COLUMNS) as Column[]) {
    // In the sequence of the names: a country's code comes before its name.
    const at = COLUMNS[column].map((name) => names.indexOf(name)).find((place) => place !== -1)
    if (at !== undefined) places[column] = at
  }
  const hasSpan = places.network !== undefined || (places.start !== undefined && places.end !== undefined)
  return hasSpan ? places : undefined
}

/** Undefined for IPv6. */
function spanIn(cells: readonly string[], places: Places, line: number): { start: number; end: number } | undefined {
  const at = (column: Column): string => cells[places[column] ?? -1]?.trim() ?? ''
  const first = places.network === undefined ? at('start') : at('network')
  if (isIPv6(first.replace(/\/\d+$/, ''))) return undefined
  try {
    if (places.network !== undefined) {
      const { base, length } = parseCidr(first)
      return { start: base, end: base + 2 ** (32 - length) - 1 }
    }
    const [start, end] = [parseIpv4(first), parseIpv4(at('end'))]
    if (start === undefined || end === undefined || end < start)
      throw new Error('must begin with the first and the last address of a network')
    return { start, end }
  } catch (error) {
    throw new Error(`line ${line}: ${error instanceof Error ? error.message : error}`, { cause: error })
  }
}

function providerIn(cells: readonly string[], places: Places): Provider | undefined {
  const at = (column: Column): string => cells[places[column] ?? -1]?.trim() ?? ''
  // Of what nobody routes, iptoasn.com says AS 0 and country None.
  if (at('number') === '0') return undefined
  const country = at('country')
  return providerFrom({ number: asNumber(at('number')), name: at('name'), country: country === 'None' ? '' : country })
}
