import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { keyParser } from '../../scripts/lib/sources/layout.ts'
import { sourceParser } from '../../scripts/lib/sources/source.ts'
import { vpcflow as source } from '../../scripts/lib/sources/vpcflow.ts'
import { answersOver } from '../support/answers.ts'
import { fewObjects } from '../support/few-objects.ts'
import { parquetFlows } from '../support/parquet-flows.ts'
import { simulatedLogs } from '../support/simulated.ts'
import { tempFolder } from '../support/temp.ts'

const answers = (folder: string, sql: string) => answersOver(source, folder, sql)

/** A folder with one flow log file. */
function folderOf(text: string | Buffer): string {
  const folder = tempFolder()
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, '123456789010_vpcflowlogs_us-east-1_fl-1_20260302T0000Z_1.log'), text)
  return folder
}

const DEFAULT =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status'
const FLOWS = 'select ip, local_address, local_port, direction, drop_reason from accesses'

/** Records of "Flow log record examples", VPC user guide, and what else matters. */
const cases: [what: string, text: string, row: (string | null)[]][] = [
  [
    'accepted between private addresses, without direction',
    `${DEFAULT}\n2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK`,
    ['172.31.16.139', null, null, null, 'no-direction'],
  ],
  [
    'from the Internet, without direction',
    `${DEFAULT}\n2 123456789010 eni-1 8.8.8.8 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK`,
    ['8.8.8.8', '172.31.16.21', '22', 'ingress', null],
  ],
  [
    'to the Internet, without direction',
    `${DEFAULT}\n2 123456789010 eni-1 172.31.16.21 8.8.8.8 443 20641 6 20 4249 1418530010 1418530070 ACCEPT OK`,
    ['8.8.8.8', '172.31.16.21', '443', 'egress', 'outbound'],
  ],
  [
    'rejected',
    `${DEFAULT}\n2 123456789010 eni-1 8.8.8.8 172.31.9.12 49761 3389 6 20 4249 1418530010 1418530070 REJECT OK`,
    ['8.8.8.8', '172.31.9.12', '3389', 'ingress', 'rejected'],
  ],
  [
    'without traffic',
    `${DEFAULT}\n2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - NODATA`,
    [null, null, null, null, 'no-data'],
  ],
  [
    'left out',
    `${DEFAULT}\n2 123456789010 eni-11111111aaaaaaaaa - - - - - - - 1431280876 1431280934 - SKIPDATA`,
    [null, null, null, null, 'skipped-data'],
  ],
  [
    'of IPv6, without direction',
    `${DEFAULT}\n2 123456789010 eni-1 2001:db8:1234:a100:8d6e:3477:df66:f105 2001:db8:1234:a102:3304:8879:34cf:4071 34892 22 6 54 8855 1477913708 1477913820 ACCEPT OK`,
    ['2001:db8:1234:a100:8d6e:3477:df66:f105', null, null, null, null],
  ],
  [
    'through a NAT gateway, in an order of its own',
    'flow-direction pkt-srcaddr srcaddr dstaddr pkt-dstaddr action end\ningress 203.0.113.5 10.0.0.220 10.0.1.5 10.0.1.5 ACCEPT 1418530070',
    ['203.0.113.5', '10.0.1.5', null, 'ingress', null],
  ],
  [
    'without an action',
    'srcaddr dstaddr start\n8.8.8.8 10.0.1.5 1418530070',
    ['8.8.8.8', '10.0.1.5', null, 'ingress', 'no-action'],
  ],
  [
    'without a time',
    'srcaddr dstaddr action\n8.8.8.8 10.0.1.5 ACCEPT',
    ['8.8.8.8', '10.0.1.5', null, 'ingress', 'no-event-time'],
  ],
  ['whose file names no fields', '2 123456789010 eni-1 8.8.8.8', [null, null, null, null, 'unreadable-record']],
]

describe('a flow', () => {
  for (const [what, text, row] of cases)
    it(what, async () => assert.deepEqual(await answers(folderOf(text), FLOWS), [row]))
})

/** By hand: what becomes a pair, from the lines alone. */
function countedPairs(folder: string): Map<string, number> {
  const pairs = new Map<string, number>()
  const seen = new Set<string>()
  for (const key of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!key.includes('vpcflowlogs_')) continue
    const [header = '', ...lines] = String(gunzipSync(readFileSync(join(folder, key))))
      .trimEnd()
      .split('\n')
    const names = header.split(' ')
    for (const line of lines) {
      const fields = Object.fromEntries(line.split(' ').map((field, i) => [names[i], field]))
      const from = fields['pkt-srcaddr'] ?? fields.srcaddr ?? ''
      const start = Number(fields.start) * 1000
      const isInbound =
        fields['flow-direction'] === 'ingress' || (!names.includes('flow-direction') && !from.startsWith('10.'))
      if (fields['log-status'] !== 'OK' || fields.action !== 'ACCEPT' || !isInbound) continue
      if (
        start < Date.UTC(2026, 2, 2) ||
        start >= Date.UTC(2026, 2, 4) ||
        !/^\d+[.]/.test(from) ||
        from.startsWith('10.')
      )
        continue
      if (seen.has(line)) continue
      seen.add(line)
      const pair = `${fields['interface-id']} ${from}`
      pairs.set(pair, (pairs.get(pair) ?? 0) + 1)
    }
  }
  return pairs
}

it('Parquet gives the rows that text gives', async () => {
  const [logs, folder] = [await fewObjects({ sources: ['vpcflow'] }), tempFolder()]
  const keys = await parquetFlows(logs, folder)
  assert.ok(keys.length > 4)
  for (const key of keys) assert.ok(sourceParser(source, keyParser)(key), key)
  const sql = 'select * from accesses order by all'
  assert.deepEqual(await answers(folder, sql), await answers(logs, sql))
})

it('Parquet that was cut off, and Parquet of another source, are bad files', async () => {
  const bytes = Buffer.from(`PAR1${'x'.repeat(100)}`)
  await assert.rejects(answers(folderOf(bytes), FLOWS), /a log file cannot be read to the end:[\s\S]*magic|Parquet/)
})

it('pairs are those of a straight count, however the fields are ordered', async () => {
  const logs = await simulatedLogs({ sources: ['vpcflow'] })
  const sql = 'select entity, ip, count(*) from classified where drop_reason is null group by entity, ip'
  const found = new Map((await answers(logs, sql)).map(([entity, ip, n]) => [`${entity} ${ip}`, Number(n)]))
  assert.ok(found.size > 100)
  assert.deepEqual([...found].sort(), [...countedPairs(logs)].sort())
})
