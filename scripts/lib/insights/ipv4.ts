/** IPv4 addresses as unsigned 32-bit numbers. */

/** `10.0.0.1` → 167772161. Undefined unless it is four decimal octets without leading zeros. */
export function parseIpv4(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (match === null) return undefined
  let ip = 0
  for (const octet of match.slice(1)) {
    if (Number(octet) > 255 || (octet.length > 1 && octet.startsWith('0'))) return undefined
    ip = ip * 256 + Number(octet)
  }
  return ip
}

/** 167772161 → `10.0.0.1` */
export const formatIpv4 = (ip: number): string => `${ip >>> 24}.${(ip >>> 16) & 255}.${(ip >>> 8) & 255}.${ip & 255}`

/** The network of a length that an address is in, as its first address. */
export const networkOf = (ip: number, length: number): number => (ip & maskOf(length)) >>> 0

const maskOf = (length: number): number => (length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0)

/** First address and length. */
export interface Cidr {
  readonly base: number
  readonly length: number
}

/** `198.51.100.0/24` */
export const formatCidr = ({ base, length }: Cidr): string => `${formatIpv4(base)}/${length}`

/** Reads `198.51.100.0/24`, or one address. @throws Error that says what is valid */
export function parseCidr(text: string): Cidr {
  const [address = '', length = '32', ...rest] = text.split('/')
  const ip = parseIpv4(address)
  if (ip === undefined || !/^\d{1,2}$/.test(length) || Number(length) > 32 || rest.length > 0)
    throw new Error('must be an IPv4 network such as 198.51.100.0/24, or one address')
  const base = networkOf(ip, Number(length))
  if (base !== ip) throw new Error(`has bits set beyond its length: ${formatIpv4(base)}/${length} is meant?`)
  return { base, length: Number(length) }
}

export const isWithin = (ip: number, { base, length }: Cidr): boolean => networkOf(ip, length) === base

/**
 * What the public Internet does not route: IANA's IPv4 special-purpose registry (RFC 6890 and its updates), multicast (RFC 5771)
 * and the reserved class E (RFC 1112).
 */
export const NOT_PUBLIC: readonly Cidr[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
].map(parseCidr)

export const isPublic = (ip: number): boolean => !NOT_PUBLIC.some((net) => isWithin(ip, net))
