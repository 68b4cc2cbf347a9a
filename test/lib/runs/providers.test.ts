import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { UsageError, UserError } from '../../../scripts/lib/cli/errors.ts'
import { Accesses } from '../../../scripts/lib/insights/accesses.ts'
import { parseIpv4 } from '../../../scripts/lib/insights/ipv4.ts'
import { pairProviders, usualPlaces } from '../../../scripts/lib/runs/providers/history.ts'
import { providerText } from '../../../scripts/lib/runs/providers/provider.ts'
import { openProviders } from '../../../scripts/lib/runs/providers/providers.ts'
import { RangeColumns, Ranges } from '../../../scripts/lib/runs/providers/ranges.ts'
import { tempFolder } from '../../support/temp.ts'

const fixture = (name: string) => new URL(`fixture/mmdb/${name}.mmdb`, import.meta.url).pathname

function fileOf(content: string | Buffer): string {
  const path = `${tempFolder()}/networks`
  writeFileSync(path, content)
  return path
}

async function said(files: readonly string[], ip: string): Promise<string> {
  const providers = (await openProviders(files)) ?? assert.fail()
  return providerText(providers.of(parseIpv4(ip) ?? assert.fail()))
}

const IPTOASN =
  '1.0.0.0\t1.0.0.255\t13335\tUS\tCLOUDFLARENET\n1.0.1.0\t1.0.3.255\t0\tNone\tNot routed\n2001:db8::\t2001:db8::1\t64500\tDE\tSIX\n'
const AWS = JSON.stringify({
  prefixes: [
    { ip_prefix: '1.0.0.0/24', region: 'us-east-1', service: 'EC2', network_border_group: 'us-east-1' },
    { ip_prefix: '1.0.0.0/24', region: 'us-east-1', service: 'AMAZON' },
    { ip_prefix: '9.0.0.0/8', region: 'GLOBAL', service: 'AMAZON' },
  ],
  ipv6_prefixes: [{ ipv6_prefix: '2600::/32', region: 'us-east-1', service: 'EC2' }],
})

const cases: [what: string, files: () => string[], ip: string, says: string][] = [
  ['GeoLite2 ASN', () => [fixture('asn')], '1.128.0.1', 'AS1221 Telstra Pty Ltd'],
  ['a number without a name', () => [fixture('asn')], '12.82.0.1', 'AS7018'],
  ['an address that the database does not have', () => [fixture('asn')], '192.0.2.1', ''],
  ['GeoLite2 Country', () => [fixture('country')], '2.125.160.217', '(GB)'],
  ['a database with gzip', () => [fileOf(gzipSync(readFileSync(fixture('asn'))))], '1.0.0.1', 'AS15169 Google Inc.'],
  ['iptoasn.com', () => [fileOf(IPTOASN)], '1.0.0.255', 'AS13335 CLOUDFLARENET (US)'],
  [
    'a table from an editor of Windows',
    () => [fileOf(`\ufeff${IPTOASN.replaceAll('\n', '\r\n')}`)],
    '1.0.0.1',
    'AS13335 CLOUDFLARENET (US)',
  ],
  ['iptoasn.com with gzip', () => [fileOf(gzipSync(IPTOASN))], '1.0.0.0', 'AS13335 CLOUDFLARENET (US)'],
  ['what nobody routes', () => [fileOf(IPTOASN)], '1.0.2.1', ''],
  ['an address after all ranges', () => [fileOf(IPTOASN)], '255.255.255.255', ''],
  [
    'IPinfo Lite as CSV, whose country is a name',
    () => [
      fileOf(
        'network,country,country_code,asn,as_name,as_domain\r\n1.0.0.0/30,Canada,CA,AS174,"Cogent, ""Inc""",x\r\n',
      ),
    ],
    '1.0.0.3',
    'AS174 Cogent, "Inc" (CA)',
  ],
  [
    'GeoLite2 ASN as CSV',
    () => [fileOf('network,autonomous_system_number,autonomous_system_organization\n1.0.0.0/24,15169,Google Inc.\n')],
    '1.0.0.3',
    'AS15169 Google Inc.',
  ],
  ['a file of AWS', () => [fileOf(AWS)], '1.0.0.7', 'AWS EC2 us-east-1'],
  ['what no service of AWS has for itself', () => [fileOf(AWS)], '9.1.2.3', 'AWS GLOBAL'],
  [
    'several files complete each other, and the first one wins',
    () => [fixture('asn'), fileOf(IPTOASN), fileOf(AWS)],
    '1.0.0.7',
    'AS15169 Google Inc. (US), AWS EC2 us-east-1',
  ],
  [
    'a hostile name is spelled out, and cut',
    () => [fileOf(`1.0.0.0,1.0.0.255,1,DE,"a\u202e\u0007<b>${'x'.repeat(300)}"\n`)],
    '1.0.0.1',
    `AS1 a\\u{202e}\\u{07}<b>${'x'.repeat(176)}…`,
  ],
]

for (const [what, files, ip, says] of cases)
  test(`whose network: ${what}`, async () =>
    assert.equal((await said(files(), ip)).replace(/…[0-9a-f]{13}( \(DE\))?$/, '…'), says))

const bad: [what: string, content: string | Buffer, says: RegExp][] = [
  ['nothing', '', /it is empty/],
  ['a ZIP archive', 'PK\u0003\u0004', /ZIP archive, unpack it first/],
  ['another binary file', Buffer.from([1, 2, 0, 3]), /binary, and no MaxMind DB/],
  ['half a database', readFileSync(fixture('asn')).subarray(0, 6000), /binary, and no MaxMind DB/],
  ['half a gzip', gzipSync(IPTOASN.repeat(100)).subarray(0, 60), /unexpected end of file/],
  ['other JSON', '{"a": 1}', /prefixes/],
  ['a network of AWS that is none', AWS.replace('9.0.0.0/8', '9.0.0.1/8'), /bits set beyond its length/],
  ['prose', 'These are\nnot networks\n', /line 1: must begin with the first and the last address/],
  ['a damaged line', `${IPTOASN}1.0.0.5\t1.0.0.4\t1\tDE\tx\n`, /line 4: must begin/],
  ['comments alone', '# nothing\n', /names no network/],
]

for (const [what, content, says] of bad)
  test(`no file of networks: ${what}`, () =>
    assert.rejects(openProviders([fileOf(content)]), (error) => {
      assert.ok(error instanceof UsageError)
      assert.match(error.message, /^--networks \/.* is no file of networks: /)
      assert.match(error.message, says)
      return true
    }))

test('no such file, and no file at all', async () => {
  await assert.rejects(openProviders(['/nowhere.mmdb']), /--networks \/nowhere.mmdb cannot be read: .*ENOENT/)
  assert.equal(await openProviders([]), undefined)
})

test('a database that is damaged where it is asked says so', async () => {
  const providers = (await openProviders([fixture('broken-pointers')])) ?? assert.fail()
  const ask = () => {
    for (let i = 1; i < 40; i++) providers.of((parseIpv4('1.1.1.0') ?? 0) + i)
  }
  assert.throws(ask, (error) => error instanceof UserError && /is damaged: .*, at 1\.1\.1\./.test(error.message))
})

test('ranges that overlap: the narrowest around an address holds, as a search through all of them finds it', () => {
  const range = fc.tuple(fc.nat(60), fc.nat(20)).map(([start, more]) => ({ start, end: start + more }))
  fc.assert(
    fc.property(fc.array(range, { maxLength: 12 }), (spans) => {
      const columns = new RangeColumns()
      const all = spans.map((span, number) => ({ ...span, provider: { number } }))
      for (const { start, end, provider } of all) columns.add(start, end, columns.providers.push(provider) - 1)
      const ranges = new Ranges(columns)
      for (let ip = 0; ip < 85; ip++) {
        const around = all.filter(({ start, end }) => start <= ip && ip <= end)
        const first = around.toSorted((a, b) => b.start - a.start || a.end - b.end)[0]
        const found = all.find(({ provider }) => provider === ranges.of(ip))
        assert.deepEqual(found && [found.start, found.end], first && [first.start, first.end])
      }
    }),
  )
})

test('how often an entity came from a provider, and whose its usual networks are', async () => {
  const rows = ['ana,1.0.0.1', 'ana,1.0.0.2', 'ana,1.0.0.2', 'ana,1.128.0.9', 'ben,12.82.0.1', 'ana,192.0.2.1']
  const entities = ['ana', 'ben']
  const trained = new Accesses({
    entities,
    entityIndex: Uint32Array.from(rows, (row) => entities.indexOf(row.split(',')[0] ?? '')),
    ip: Uint32Array.from(rows, (row) => parseIpv4(row.split(',')[1] ?? '') ?? 0),
  })
  const providers = (await openProviders([fixture('asn')])) ?? assert.fail()
  const of = pairProviders(providers, trained)
  const at = (entity: string, ip: string) => of(entity, parseIpv4(ip) ?? assert.fail())
  assert.deepEqual(at('ana', '1.0.0.77'), { number: 15169, name: 'Google Inc.', before: 3 })
  assert.deepEqual(at('ana', '12.82.0.1'), { number: 7018, before: 0 })
  assert.equal(at('ana', '192.0.2.1'), undefined)
  assert.equal(pairProviders(providers, undefined)('ana', parseIpv4('1.0.0.1') ?? 0)?.before, undefined)
  const usual = usualPlaces(trained, providers)('ana')
  assert.deepEqual(usual.map(({ network, provider }) => [network, provider?.number]).slice(0, 2), [
    ['1.0.0.0/24', 15169],
    ['1.128.0.0/24', 1221],
  ])
})
