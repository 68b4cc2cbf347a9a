import { type Address, lastOf, parseAddress, parseNetwork } from '../../insights/ipv6.ts'
import { lineBatchesOf } from '../../stores/lines.ts'
import { asNumber, type Provider, providerFrom } from './provider.ts'
import { RangeColumns, Ranges } from './ranges.ts'

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
/** Some editors write it. */
const BYTE_ORDER_MARK = '\xef\xbb\xbf'

/**
 * Reads a table of networks, tabs or commas between cells.
 * @throws Error that names the line that is none
 */
export async function openTable(bytes: Buffer): Promise<Ranges> {
  const ranges = new RangeColumns()
  const book = new ProviderBook(ranges.providers)
  let [places, line]: [Places | undefined, number] = [undefined, 0]
  const content = bytes.subarray(0, 3).toString('latin1') === BYTE_ORDER_MARK ? bytes.subarray(3) : bytes
  for await (const lines of lineBatchesOf(chunksOf(content)))
    for (const text of lines) {
      line += 1
      if (text === '' || text.startsWith('#')) continue
      const cells = cellsOf(text)
      if (places === undefined) {
        const columns = placesIn(cells)
        places = columns ?? IPTOASN
        if (columns !== undefined) continue
      }
      const span = spanIn(cells, places, line)
      const provider = book.of(cells, places)
      if (provider !== undefined) ranges.add(span.start, span.end, provider)
    }
  if (ranges.length === 0) throw new Error('it names no network')
  return new Ranges(ranges)
}

/** Few providers have many ranges. */
class ProviderBook {
  private readonly all: Provider[]
  private readonly known = new Map<string, number | undefined>()

  constructor(all: Provider[]) {
    this.all = all
  }

  /** Its place among all; undefined for nobody. */
  of(cells: readonly string[], places: Places): number | undefined {
    const key = `${cells[places.number ?? -1]}\t${cells[places.country ?? -1]}\t${cells[places.name ?? -1]}`
    if (this.known.has(key)) return this.known.get(key)
    const provider = providerIn(cells, places)
    const place = provider === undefined ? undefined : this.all.push(provider) - 1
    this.known.set(key, place)
    return place
  }
}

async function* chunksOf(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK)
}

/** Cells of a line; quotes count only between commas. */
function cellsOf(text: string): string[] {
  const line = text.endsWith('\r') ? text.slice(0, -1) : text
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

function spanIn(cells: readonly string[], places: Places, line: number): { start: Address; end: Address } {
  const at = (column: Column): string => cells[places[column] ?? -1]?.trim() ?? ''
  const first = places.network === undefined ? at('start') : at('network')
  try {
    if (places.network !== undefined) {
      const network = parseNetwork(first)
      return { start: network.base, end: lastOf(network) }
    }
    const [start, end] = [parseAddress(first), parseAddress(at('end'))]
    if (start === undefined || end === undefined || typeof start !== typeof end || end < start)
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
