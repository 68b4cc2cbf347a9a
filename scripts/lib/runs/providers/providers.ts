import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { messageOf, UsageError, UserError } from '../../cli/errors.ts'
import { type Address, formatAddress } from '../../insights/ipv6.ts'
import type { Provider } from './provider.ts'

/** What files of networks say about addresses. */
export interface Providers {
  /** SHA-256 of the files. */
  readonly digest: string
  /** @throws UserError when a file is damaged there */
  of(ip: Address): Provider | undefined
}

/**
 * Reads files of networks: MaxMind DB, tables, AWS's ip-ranges.json, each also with gzip. Of several the first one that knows a number
 * or a name says it, and so with the country.
 * @returns undefined for no files
 * @throws UsageError that names the file that is none
 */
export async function openProviders(files: readonly string[]): Promise<Providers | undefined> {
  if (files.length === 0) return undefined
  const opened: ((ip: Address) => Provider | undefined)[] = []
  const hash = createHash('sha256')
  for (const file of files) {
    const bytes = await attempt(file, 'cannot be read', () => readFile(file))
    hash.update(createHash('sha256').update(bytes).digest())
    const of = await attempt(file, 'is no file of networks', () => openFile(bytes))
    opened.push((ip) => {
      try {
        return of(ip)
      } catch (error) {
        throw new UserError(`--networks ${file} is damaged: ${messageOf(error)}, at ${formatAddress(ip)}`, {
          hint: 'download it again',
        })
      }
    })
  }
  return {
    digest: hash.digest('hex'),
    of: (ip) => opened.reduce<Provider | undefined>((known, of) => both(known, of(ip)), undefined),
  }
}

async function attempt<T>(file: string, failure: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new UsageError(
      `--networks ${file} ${failure}: ${messageOf(error)}`,
      "name a MaxMind DB (.mmdb), a table as iptoasn.com has it, or AWS's ip-ranges.json; docs/alerts.md says where there are free ones",
    )
  }
}

async function openFile(given: Buffer): Promise<(ip: Address) => Provider | undefined> {
  if (given.length === 0) throw new Error('it is empty')
  if (given.subarray(0, 2).toString('latin1') === 'PK') throw new Error('it is a ZIP archive, unpack it first')
  const isZipped = given[0] === 0x1f && given[1] === 0x8b
  const bytes = isZipped ? await promisify(gunzip)(given) : given
  const { isMmdb, openMmdb } = await import('./mmdb.ts')
  if (isMmdb(bytes)) return openMmdb(bytes)
  if (/^\s*\{/.test(bytes.subarray(0, 100).toString('utf8'))) {
    const ranges = (await import('./aws-ranges.ts')).openAwsRanges(bytes.toString('utf8'))
    return (ip) => ranges.of(ip)
  }
  if (bytes.subarray(0, 4096).includes(0)) throw new Error('it is binary, and no MaxMind DB')
  const ranges = await (await import('./table.ts')).openTable(bytes)
  return (ip) => ranges.of(ip)
}

/** A number and its name come from the same file. */
function both(a: Provider | undefined, b: Provider | undefined): Provider | undefined {
  if (a === undefined || b === undefined) return a ?? b
  const { country: _, aws: __, ...own } = a
  const { country: ___, aws: ____, ...others } = b
  const [country, aws] = [a.country ?? b.country, a.aws ?? b.aws]
  return {
    ...(Object.keys(own).length > 0 ? own : others),
    ...(country !== undefined && { country }),
    ...(aws !== undefined && { aws }),
  }
}
