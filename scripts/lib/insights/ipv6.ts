import { isIPv6 } from 'node:net'
import { type Cidr, formatCidr, formatIpv4, isWithin, networkOf, parseCidr, parseIpv4 } from './ipv4.ts'

/** An IPv4 address as an unsigned 32-bit number, or an IPv6 address as one of 128 bits. */
export type Address = number | bigint

/** A network of either kind: first address and length. */
export type Network = Cidr | { readonly base: bigint; readonly length: number }

/** Dotted, or IPv6 in any spelling; IPv4-mapped addresses are IPv4. Zones are left out. Undefined for anything else. */
export function parseAddress(text: string): Address | undefined {
  if (!text.includes(':')) return parseIpv4(text)
  const address = text.replace(/%.*/, '')
  if (!isIPv6(address)) return undefined
  const [head = '', tail] = withoutDots(address.toLowerCase()).split('::')
  const before = groupsIn(head)
  const after = groupsIn(tail ?? '')
  const groups = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
  const value = groups.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n)
  return value >> 32n === 0xffffn ? Number(value & 0xffffffffn) : value
}

const groupsIn = (text: string): number[] =>
  text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))

/** The last four bytes may be dotted. */
const withoutDots = (address: string): string =>
  address.replace(/[\d.]+$/, (octets) => {
    const ip = octets.includes('.') ? parseIpv4(octets) : undefined
    return ip === undefined ? octets : `${(ip >>> 16).toString(16)}:${(ip & 0xffff).toString(16)}`
  })

/** The text that stands for an address everywhere: RFC 5952 for IPv6, as extraction writes it. */
export function formatAddress(address: Address): string {
  if (typeof address === 'number') return formatIpv4(address)
  const groups = Array.from({ length: 8 }, (_, i) => ((address >> BigInt(112 - 16 * i)) & 0xffffn).toString(16))
  const text = `:${groups.join(':')}:`
  // The longest run of zeros, of equal ones the first; a single group of zeros stays.
  const zeros = [8, 7, 6, 5, 4, 3, 2].map((n) => `:${'0:'.repeat(n)}`).find((run) => text.includes(run))
  return (zeros === undefined ? text : text.replace(zeros, '::')).replace(/^:(?!:)|(?<!:):$/g, '')
}

const bitsAfter = (length: number): bigint => BigInt(128 - length)

/** The network of a length that an address is in, as its first address. */
const firstOf = (ip: bigint, length: number): bigint => (ip >> bitsAfter(length)) << bitsAfter(length)

/** The /24 of an IPv4 address, the /48 of an IPv6 address: what one site has, as a rule. */
export const siteOf = (ip: Address): Network =>
  typeof ip === 'number' ? { base: networkOf(ip, 24), length: 24 } : { base: firstOf(ip, 48), length: 48 }

/** The same of a text that formatAddress gave, as text. */
export const siteText = (ip: string): string => formatNetwork(siteOf(parseAddress(ip) ?? 0))

/** `198.51.100.0/24`, `2001:db8::/48` */
export const formatNetwork = (network: Network): string =>
  isCidr(network) ? formatCidr(network) : `${formatAddress(network.base)}/${network.length}`

export const isCidr = (network: Network): network is Cidr => typeof network.base === 'number'

/** Reads `198.51.100.0/24`, `2001:db8::/48`, or one address. @throws Error that says what is valid */
export function parseNetwork(text: string): Network {
  if (!text.includes(':')) return parseCidr(text)
  const [address = '', length = '128', ...rest] = text.split('/')
  const base = address.includes('%') ? undefined : parseAddress(address)
  if (typeof base !== 'bigint' || !/^\d{1,3}$/.test(length) || Number(length) > 128 || rest.length > 0)
    throw new Error('must be a network such as 198.51.100.0/24 or 2001:db8::/48, or one address')
  const first = firstOf(base, Number(length))
  if (first !== base) throw new Error(`has bits set beyond its length: ${formatAddress(first)}/${length} is meant?`)
  return { base, length: Number(length) }
}

/** The last address of a network. */
export const lastOf = (network: Network): Address =>
  isCidr(network)
    ? network.base + 2 ** (32 - network.length) - 1
    : network.base + (1n << bitsAfter(network.length)) - 1n

/** Whether an address is in a network of its own kind. */
export function isInNetwork(ip: Address, network: Network): boolean {
  if (isCidr(network)) return typeof ip === 'number' && isWithin(ip, network)
  return typeof ip === 'bigint' && firstOf(ip, network.length) === network.base
}

/** By kind, address and length. */
export const byNetwork = (a: Network, b: Network): number => byAddress(a.base, b.base) || a.length - b.length

/** IPv4 first. */
export function byAddress(a: Address, b: Address): number {
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1
  return a < b ? -1 : a > b ? 1 : 0
}
