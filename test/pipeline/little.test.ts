import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { folderStore } from '../../scripts/lib/stores/folder.ts'
import { trailKey } from '../stage/logs.ts'
import { faultIn } from '../support/command-lines.ts'
import { runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'

/** Logs of the second of March with one event at each of these hours, by a principal each. */
async function logsWith(hours: readonly string[]): Promise<string> {
  const folder = tempFolder()
  for (const [at, hour] of hours.entries()) {
    const event = {
      eventTime: `2026-03-02T${hour}:00:00Z`,
      eventID: hour,
      eventType: 'AwsApiCall',
      sourceIPAddress: `8.8.8.${at + 1}`,
      userIdentity: { type: 'IAMUser', principalId: `AIDA${at}` },
    }
    const key = trailKey('111122223333', 'us-east-1', `20260302T${hour}05Z`)
    await folderStore(folder).write(key, gzipSync(JSON.stringify({ Records: [event] })))
  }
  return folder
}

const cases: [what: string, hours: string[], says: RegExp, steps: string[]][] = [
  ['nothing is held out', ['01', '02'], /the holdout has no pairs: nothing will be scored/, ['train']],
  ['all pairs are held out', ['22', '23'], /all 2 pairs of the window are in its last part/, []],
  ['every entity of the holdout is new', ['01', '23'], /the model could not be calibrated/, ['train']],
]

for (const [what, hours, says, steps] of cases)
  test(`a pipeline on little data says so and makes a report all the same: ${what}`, async () => {
    const [logs, workspace] = [await logsWith(hours), tempFolder()]
    const window = ['--source', 'cloudtrail', '--from', '2026-03-02', '--to', '2026-03-03']
    const args = [...window, '--logs', logs, '--workspace', workspace, '-o', 'json']
    const { code, stdout, stderr } = await runScript('pipeline', args)
    assert.equal(code, 0, stderr)
    assert.match(stderr, says)
    const [, advice = ''] = /take a longer window: npx zx (.*)/.exec(stderr) ?? []
    assert.match(advice, /--from 2026-02-20T00:00:00Z --to 2026-03-03/)
    assert.equal(await faultIn(advice), undefined)
    const result = JSON.parse(stdout)
    assert.deepEqual(Object.keys(result.steps), ['stage', 'extract', ...steps, 'report'])
    assert.ok(existsSync(result.report))
  })
