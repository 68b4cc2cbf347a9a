import { readFile } from 'node:fs/promises'
import { messageOf, UsageError } from '../lib/cli/errors.ts'
import { type Cidr, formatIpv4, parseCidr } from '../lib/insights/ipv4.ts'

/**
 * Networks that are never flagged: written as such, or one a line in files, where `#` begins a remark.
 * @throws UsageError naming the entry, and in a file its line
 */
export async function allowList(entries: readonly string[]): Promise<Cidr[]> {
  const found: Cidr[] = []
  for (const entry of entries)
    if (/^[\d./]+$/.test(entry)) found.push(networkIn(entry, `--allow "${entry}"`))
    else found.push(...(await networksIn(entry)))
  const byText = new Map(found.map((cidr) => [textOf(cidr), cidr]))
  return [...byText.values()].sort((a, b) => a.base - b.base || a.length - b.length)
}

export const textOf = ({ base, length }: Cidr): string => `${formatIpv4(base)}/${length}`

async function networksIn(file: string): Promise<Cidr[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(
      `--allow ${file}: ${messageOf(error)}`,
      'name a network such as 198.51.100.0/24, or a file of them',
    )
  })
  return text.split('\n').flatMap((line, i) => {
    const entry = line.replace(/#.*/, '').trim()
    return entry === '' ? [] : [networkIn(entry, `${file}:${i + 1}: "${entry}"`)]
  })
}

function networkIn(text: string, where: string): Cidr {
  try {
    return parseCidr(text)
  } catch (error) {
    throw new UsageError(`${where}: ${messageOf(error)}`)
  }
}
