import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { formatIpv4 } from '../../../scripts/lib/insights/ipv4.ts'
import { openPairs, pairSources } from '../../../scripts/lib/runs/pairs.ts'
import { startSandbox } from '../../sandbox/start.ts'
import { tempFolder } from '../../support/temp.ts'

const ips = ({ ip }: { ip: Uint32Array }) => Array.from(ip, formatIpv4)

test('pairs are opened by URI: a file, a folder, an object, and all below a prefix, in this order', async (t) => {
  const folder = tempFolder()
  mkdirSync(`${folder}/parts/deep`, { recursive: true })
  writeFileSync(`${folder}/one.csv`, 'a,1.0.0.1\n')
  writeFileSync(`${folder}/parts/b.csv`, 'b,1.0.0.3')
  writeFileSync(`${folder}/parts/a.csv`, 'a,1.0.0.2\n')
  writeFileSync(`${folder}/parts/deep/c.csv`, 'c,1.0.0.4\n')
  writeFileSync(`${folder}/parts/empty.csv`, '')
  const sandbox = await startSandbox({ buckets: { pairs: {} } })
  t.after(() => sandbox.close())
  for (const [i, key] of ['day/1.csv', 'day/2.csv', 'lone.csv'].entries())
    sandbox.s3.put('pairs', key, `s,2.0.0.${i + 1}\n`)
  const environment = { ...process.env }
  t.after(() => {
    process.env = environment
  })
  Object.assign(process.env, sandbox.env)
  const aws = { endpointUrl: sandbox.url }
  const local = [`${folder}/one.csv`, `${folder}/parts`]
  assert.deepEqual(ips(await openPairs(local, aws)), ['1.0.0.1', '1.0.0.2', '1.0.0.3', '1.0.0.4'])
  const uris = ['s3://pairs/lone.csv', 's3://pairs/day/', `${folder}/one.csv`]
  assert.deepEqual(ips(await openPairs(uris, aws)), ['2.0.0.3', '2.0.0.1', '2.0.0.2', '1.0.0.1'])
  const read: string[] = []
  for await (const { name, open } of pairSources(uris, aws)) read.push(`${name} ${await buffer(await open())}`)
  assert.equal(read[1], 's3://pairs/day/1.csv s,2.0.0.1\n')
  for (const nothing of ['s3://pairs/day', 's3://pairs/night/', `${folder}/parts/none/`])
    await assert.rejects(openPairs([nothing], aws), /s3:.*: nothing is there|ENOENT/)
})
