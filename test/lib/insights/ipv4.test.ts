import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatIpv4, isPublic, isWithin, networkOf, parseCidr, parseIpv4 } from '../../../scripts/lib/insights/ipv4.ts'

test('an address survives being written', () =>
  fc.assert(fc.property(fc.nat(0xffffffff), (ip) => assert.equal(parseIpv4(formatIpv4(ip)), ip))))

for (const [text, ip] of [
  ['0.0.0.0', 0],
  ['255.255.255.255', 0xffffffff],
  ['10.0.0.1', 167772161],
] as const)
  test(`${text} is ${ip}`, () => assert.equal(parseIpv4(text), ip))

for (const text of [
  '',
  '1.2.3',
  '1.2.3.4.5',
  '256.1.1.1',
  '01.2.3.4',
  '1.2.3.4 ',
  '1.2.3.-4',
  '::1',
  'a.b.c.d',
  '1..2.3',
  '1.2.3.4/32',
  '٣.1.1.1',
])
  test(`${JSON.stringify(text)} is no address`, () => assert.equal(parseIpv4(text), undefined))

const publicity: [ip: string, isPublic: boolean][] = [
  ['8.8.8.8', true],
  ['9.255.255.255', true],
  ['10.0.0.0', false],
  ['10.255.255.255', false],
  ['11.0.0.0', true],
  ['100.63.255.255', true],
  ['100.64.0.0', false],
  ['100.127.255.255', false],
  ['100.128.0.0', true],
  ['127.0.0.1', false],
  ['169.254.169.254', false],
  ['172.15.255.255', true],
  ['172.16.0.0', false],
  ['172.31.255.255', false],
  ['172.32.0.0', true],
  ['192.168.1.1', false],
  ['192.0.2.1', false],
  ['198.18.0.1', false],
  ['198.20.0.0', true],
  ['203.0.113.9', false],
  ['223.255.255.255', true],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['0.1.2.3', false],
]
for (const [ip, expected] of publicity)
  test(`${ip} is ${expected ? '' : 'not '}public`, () => assert.equal(isPublic(parseIpv4(ip)!), expected))

test('a network holds exactly its addresses', () =>
  fc.assert(
    fc.property(fc.nat(0xffffffff), fc.nat(0xffffffff), fc.integer({ min: 0, max: 32 }), (ip, other, length) => {
      const base = networkOf(ip, length)
      const text = (n: number) => n.toString(2).padStart(32, '0').slice(0, length)
      assert.equal(isWithin(other, { base, length }), text(other) === text(ip))
      assert.deepEqual(parseCidr(`${formatIpv4(base)}/${length}`), { base, length })
    }),
  ))

test('one address is a network of its own', () =>
  assert.deepEqual(parseCidr('1.2.3.4'), { base: 0x01020304, length: 32 }))

for (const [text, message] of [
  ['1.2.3.4/33', /IPv4 network/],
  ['1.2.3/24', /IPv4 network/],
  ['1.2.3.0/24/1', /IPv4 network/],
  ['1.2.3.0/', /IPv4 network/],
  ['1.2.3.4/24', /1\.2\.3\.0\/24 is meant/],
  ['::/0', /IPv4 network/],
] as const)
  test(`${text} is no network`, () => assert.throws(() => parseCidr(text), message))
