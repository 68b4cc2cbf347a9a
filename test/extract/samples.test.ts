import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { decodeEntity } from '../../scripts/lib/insights/entity-codec.ts'
import { ROOT, runScript } from '../support/run-script.ts'
import { extract } from '../support/staged-run.ts'
import { tempFolder } from '../support/temp.ts'

const SAMPLES = join(ROOT, '../shared/samples')
const absent = existsSync(SAMPLES) ? false : 'no samples beside the project'

/** Stages and extracts a folder of logs; returns the pairs, decoded and sorted. */
async function pairsIn(
  source: string,
  logs: string,
  window: readonly string[],
  args: readonly string[],
): Promise<string[]> {
  const workspace = tempFolder()
  const staged = await runScript('stage', ['--source', source, '--logs', logs, '--workspace', workspace, ...window])
  assert.equal(staged.code, 0, staged.stderr)
  const { result, stderr } = await extract(workspace, ['--holdout', '0', ...args])
  assert.ok(result, stderr)
  const rows = readFileSync(join(workspace, 'runs', result.run, 'pairs/train/part-00000.csv'), 'utf8')
    .split('\n')
    .slice(0, -1)
  return rows
    .map((row) => `${decodeEntity(row.slice(0, row.lastIndexOf(',')))} ${row.slice(row.lastIndexOf(',') + 1)}`)
    .sort()
}

const DOTTED = /^\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}$/

describe('real logs', { skip: absent }, () => {
  it('CloudTrail: the pairs of the loop that this replaces', async () => {
    const logs = join(SAMPLES, 'invictus-ir_aws_dataset')
    const records = readdirSync(join(logs, 'CloudTrail')).flatMap(
      (name) => JSON.parse(readFileSync(join(logs, 'CloudTrail', name), 'utf8')).Records,
    )
    // Skip what services do themselves, keep dotted addresses, private ones too, with the principal id as it is.
    const looped = records
      .filter(
        ({ userIdentity, sourceIPAddress }) => userIdentity?.type !== 'AWSService' && DOTTED.test(sourceIPAddress),
      )
      .filter(({ userIdentity }) => userIdentity?.principalId !== undefined)
      .map(({ userIdentity, sourceIPAddress }) => `${userIdentity.principalId} ${sourceIPAddress}`)
    const window = ['--from', '2023-07-10', '--to', '2023-07-11']
    const pairs = await pairsIn('cloudtrail', logs, window, ['--entity', 'principal-session', '--include-private'])
    assert.ok(looped.length > 2000)
    assert.deepEqual(pairs, looped.sort())
  })

  it('WAF: the pairs of the loop', async () => {
    const logs = join(SAMPLES, 'aws-waf-security-automations')
    const files = readdirSync(logs, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.gz'))
    const records = files.flatMap((name) =>
      gunzipSync(readFileSync(join(logs, name)))
        .toString('utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    )
    type Header = { name: string; value: string }
    const looped = records.flatMap(({ httpRequest }) => {
      const agent = httpRequest.headers.find((header: Header) => header.name.toLowerCase() === 'user-agent')?.value
      return agent && DOTTED.test(httpRequest.clientIp) ? [`${agent} ${httpRequest.clientIp}`] : []
    })
    const times = records.map(({ timestamp }) => timestamp)
    const time = (ms: number) => new Date(ms).toISOString().slice(0, 19)
    const window = ['--from', time(Math.min(...times) - 1000), '--to', time(Math.max(...times) + 2000)]
    assert.ok(looped.length > 0)
    assert.deepEqual(await pairsIn('waf', logs, window, ['--include-private']), looped.sort())
  })
})
