import type { Pairs } from '../../../scripts/lib/insights/pairs.ts'

/** What a container finds wrong with its input. */
export class ClientError extends Error {}

/**
 * Reads training data as the IP Insights container seems to: with pandas, separated by dots, so that a row is
 * `entity,o1 | o2 | o3 | o4`. @throws ClientError at the first row that it cannot read
 */
export function pairsOf(texts: readonly string[]): Pairs {
  const index = new Map<string, number>()
  const [entityIndex, ips]: [number[], number[]] = [[], []]
  for (const text of texts)
    for (const [i, line] of text.split('\n').entries()) {
      if (line.trim() === '') continue
      const [entity, ip] = rowOf(line.replace(/\r$/, ''), i + 1)
      const known = index.get(entity) ?? index.size
      index.set(entity, known)
      entityIndex.push(known)
      ips.push(ip)
    }
  return { entities: [...index.keys()], entityIndex: Uint32Array.from(entityIndex), ip: Uint32Array.from(ips) }
}

function rowOf(line: string, number: number): [entity: string, ip: number] {
  const fields = fieldsOf(line, number)
  if (fields.length > 4) throw tokenizing(`Expected 4 fields in line ${number}, saw ${fields.length}`)
  const [first = '', ...octets] = fields
  const columns = first.split(',')
  const [entity = '', octet = ''] = columns
  const numbers = [octet, ...octets].map((text) => (/^ *\d{1,3} *$/.test(text) ? Number(text) : Number.NaN))
  const isAddress = numbers.length === 4 && numbers.every((value) => value <= 255)
  if (columns.length !== 2 || entity === '' || !isAddress) throw unreadable(`row ${number}: ${line.slice(0, 100)}`)
  return [entity, numbers.reduce((ip, value) => ip * 256 + value, 0)]
}

/** Fields between dots. A quote counts only where the line begins with it. */
function fieldsOf(line: string, number: number): string[] {
  if (!line.startsWith('"')) return line.split('.')
  const quoted = /^"((?:[^"]|"")*)"(.*)$/.exec(line)
  if (quoted === null) throw tokenizing(`EOF inside string starting at row ${number - 1}`)
  const [, inner = '', rest = ''] = quoted
  const [tail = '', ...fields] = rest.split('.')
  return [`${inner.replaceAll('""', '"')}${tail}`, ...fields]
}

const unreadable = (cause: string, by = 'ValueError'): ClientError =>
  new ClientError(
    `Unable to parse entity or IP address correctly. Please make sure that the data is headerless CSV with the entity in the first and an IPv4 address in the second column. (caused by ${by})\n\nCaused by: ${cause}`,
  )

const tokenizing = (cause: string): ClientError =>
  unreadable(`Error tokenizing data. C error: ${cause}\n`, 'CParserError')
