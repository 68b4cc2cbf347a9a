import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CANONICAL_IPV6 } from '../../../scripts/lib/engines/duckdb/address.ts'
import { Database } from '../../../scripts/lib/engines/duckdb/database.ts'
import { canonicalSql, literal } from '../../../scripts/lib/engines/render.ts'
import {
  formatAddress,
  formatNetwork,
  isInNetwork,
  parseAddress,
  parseNetwork,
  siteOf,
} from '../../../scripts/lib/insights/ipv6.ts'
import { canonicalAddresses } from '../../support/addresses.ts'

describe('IPv6 addresses', () => {
  it('have one text each', () => {
    for (const [written, text] of canonicalAddresses) {
      const address = written.includes(' ') ? undefined : parseAddress(written)
      assert.equal(address === undefined ? null : formatAddress(address), text, written)
    }
  })

  it('have the same text in SQL', async () => {
    const database = await Database.open({ options: {}, signal: new AbortController().signal })
    const session = await database.connect()
    await session.run(CANONICAL_IPV6)
    const values = canonicalAddresses.map(([written]) => `(${literal(written)})`).join(', ')
    const rows = await session.run(`select ip, ${canonicalSql('duckdb')} from (values ${values}) as t(ip)`)
    await database.close()
    assert.deepEqual(new Map(rows.map(([written, text]) => [written, text])), new Map(canonicalAddresses))
  })

  it('are in networks', () => {
    const office = parseNetwork('2001:db8:1::/48')
    assert.equal(formatNetwork(office), '2001:db8:1::/48')
    assert.equal(isInNetwork(parseAddress('2001:DB8:1:2::3') ?? 0, office), true)
    assert.equal(isInNetwork(parseAddress('2001:db8:2::') ?? 0, office), false)
    assert.equal(isInNetwork(7, parseNetwork('::/0')), false)
    assert.equal(formatNetwork(siteOf(parseAddress('2001:db8:1:2::3') ?? 0)), '2001:db8:1::/48')
    assert.throws(() => parseNetwork('2001:db8::1/48'), /2001:db8::\/48 is meant/)
    for (const wrong of ['2001:db8::/129', 'fe80::1%eth0', '1:2/3', '::ffff:1.2.3.4/100'])
      assert.throws(() => parseNetwork(wrong), /must be a network/)
  })
})
