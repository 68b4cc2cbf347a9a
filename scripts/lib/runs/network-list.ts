import { readFile } from 'node:fs/promises'
import { messageOf, UsageError } from '../cli/errors.ts'
import { type Cidr, formatCidr, parseCidr } from '../insights/ipv4.ts'

/**
 * Networks that are named on the command line. An entry is a network, or a file with one network a line, where `#` starts a comment.
 * @param option that they are given with, for errors: `--allow`
 * @throws UsageError that names the entry, or the line of the file
 */
export async function networkList(option: string, entries: readonly string[]): Promise<Cidr[]> {
  const found: Cidr[] = []
  for (const entry of entries)
    if (/^[\d./]+$/.test(entry)) found.push(networkIn(entry, `${option} "${entry}"`))
    else found.push(...(await networksIn(option, entry)))
  const byText = new Map(found.map((cidr) => [formatCidr(cidr), cidr]))
  return [...byText.values()].sort((a, b) => a.base - b.base || a.length - b.length)
}

async function networksIn(option: string, file: string): Promise<Cidr[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(
      `${option} ${file}: ${messageOf(error)}`,
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
