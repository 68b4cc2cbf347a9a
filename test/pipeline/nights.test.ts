import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { command as extract } from '../../scripts/extract/command.ts'
import { silentContext } from '../../scripts/lib/cli/command.ts'
import { take } from '../../scripts/lib/cli/take.ts'
import { folderStore } from '../../scripts/lib/stores/folder.ts'
import { command as stage } from '../../scripts/stage/command.ts'
import { trailKey } from '../stage/logs.ts'
import { tempFolder } from '../support/temp.ts'

const event = (time: string, address: string) => ({
  eventTime: `2026-11-${time}:00Z`,
  eventID: time,
  eventType: 'AwsApiCall',
  sourceIPAddress: address,
  userIdentity: { type: 'IAMUser', principalId: 'AIDAEXAMPLE' },
})

test('an event that is delivered after a night has begun is in a run of one of two nights, exactly once', async () => {
  const [logs, workspace] = [tempFolder(), tempFolder()]
  const store = folderStore(logs)
  const deliver = (time: string, ...events: object[]) =>
    store.write(trailKey('111122223333', 'us-east-1', `202611${time}Z`), gzipSync(JSON.stringify({ Records: events })))
  const night = async (now: string): Promise<string[]> => {
    const context = silentContext({ now: () => new Date(now) })
    const given = { source: 'cloudtrail', logs, last: '24h', workspace, holdout: 0 }
    const { json } = await take(stage, context, given)
    await take(extract, context, { ...given, run: json.run })
    const pairs = readFileSync(`${workspace}/runs/${String(json.run)}/pairs/train/part-00000.csv`, 'utf8')
    return pairs
      .split('\n')
      .flatMap((row) => row.split(',')[1] ?? [])
      .sort()
  }
  await deliver('23T1200', event('23T11:55', '8.8.8.1'))
  await deliver('24T0155', event('24T01:50', '8.8.8.2'))
  const first = await night('2026-11-24T02:01:07Z')
  await deliver('24T0205', event('24T01:57', '8.8.8.3'))
  await deliver('24T1200', event('24T11:55', '8.8.8.4'))
  const second = await night('2026-11-25T02:01:03Z')
  assert.deepEqual([first, second], [['8.8.8.1'], ['8.8.8.2', '8.8.8.3', '8.8.8.4']])
})
