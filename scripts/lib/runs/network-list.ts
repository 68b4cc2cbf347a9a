import { readFile } from 'node:fs/promises'
import { messageOf, UsageError } from '../cli/errors.ts'
import { byNetwork, formatNetwork, type Network, parseNetwork } from '../insights/ipv6.ts'

/**
 * Networks that are named on the command line. An entry is a network, or a file with one network a line, where `#` starts a comment.
 * @param option that they are given with, for errors: `--allow`
 * @throws UsageError that names the entry, or the line of the file
 */
export async function networkList(option: string, entries: readonly string[]): Promise<Network[]> {
  const found: Network[] = []
  for (const entry of entries)
    if (/^([\d./]+|[\da-f:]*:[\da-f:.]*(\/\d+)?)$/i.test(entry)) found.push(networkIn(entry, `${option} "${entry}"`))
    else found.push(...(await networksIn(option, entry)))
  const byText = new Map(found.map((network) => [formatNetwork(network), network]))
  return [...byText.values()].sort(byNetwork)
}

async function networksIn(option: string, file: string): Promise<Network[]> {
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

function networkIn(text: string, where: string): Network {
  try {
    return parseNetwork(text)
  } catch (error) {
    throw new UsageError(`${where}: ${messageOf(error)}`)
  }
}
