import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { after, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { keyParser } from '../../../scripts/lib/sources/layout.ts'
import { sourceIds, sources } from '../../../scripts/lib/sources/registry.ts'
import { sourceParser } from '../../../scripts/lib/sources/source.ts'
import { FolderBackend } from '../../sandbox/s3/folder.ts'
import { fewObjects } from '../../support/few-objects.ts'
import { tempFolder } from '../../support/temp.ts'
import { ACCOUNT, ADMIN_ARN, LOGS_KEY, OPERATOR_ARN, REGION, startAccount } from './account.ts'
import { policiesOf } from './policies.ts'
import { judged, refused } from './proof.ts'

const WHOSE = { account: ACCOUNT, region: REGION, operator: OPERATOR_ARN }
const WINDOW = ['--from', '2026-03-02', '--to', '2026-03-03']

/** A source of the configuration file. */
const SHOP = `sources:
  shop:
    keys: 'shop/{yyyy}/{MM}/{dd}/'
    after: 1440
    time: at
    address: ip
    entities: { user: user }
`

const LOGS = await fewObjects({ sources: sourceIds })
const KEYS = [...new FolderBackend(LOGS).scan('', '')].map(({ key }) => key)

/** Where the simulated logs of a source lie, each in a place of its own that setup is told of. */
const PLACES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.values(sources).map((source) => {
      const parse = sourceParser(source, keyParser)
      return [source.id, KEYS.find((key) => parse(key))?.split('/')[0] ?? '']
    }),
  ),
  shop: 'shop',
}

describe('of logs of any source that setup was told of, with what the stack says and no more', async () => {
  const { sandbox, setup, run } = await startAccount()
  after(() => sandbox.close())
  const config = `${tempFolder()}/prestage.yaml`
  writeFileSync(config, SHOP)
  const lines = [1, 2, 3].map((hour) => JSON.stringify({ at: `2026-03-02T0${hour}:00:00Z`, ip: '8.8.8.8', user: 'u' }))
  await sandbox.s3.load('org-logs', LOGS)
  sandbox.s3.put('org-logs', 'shop/2026/03/02/a.json.gz', gzipSync(lines.join('\n')))
  await setup([
    ...[...new Set(Object.values(PLACES))].flatMap((place) => ['--read-logs', `s3://org-logs/${place}`]),
    '--read-lake',
    `s3://org-logs/${PLACES.securitylake}`,
    '--logs-key',
    LOGS_KEY,
    '--poll',
    '0.05',
    '--yes',
  ])
  for (const [source, place] of Object.entries(PLACES))
    it(`${source} is staged and extracted`, async () => {
      const chosen = ['--source', source, '--config', config, '--stack', 'prestage', '--logs', `s3://org-logs/${place}`]
      const staged = await run('stage', [...chosen, ...WINDOW, '--copy', 'direct', '--yes'])
      const chosenRun = ['--config', config, '--stack', 'prestage', '--run', String(staged.run)]
      const extracted = await run('extract', [...chosenRun, '--holdout', '0', '--yes'])
      assert.ok(Number(extracted.trainPairs) > 0)
    })

  it('and whatever that asked for is allowed', async () => {
    const policies = policiesOf([sandbox.cloudformation.stack('prestage')], WHOSE)
    const asked = sandbox.s3.state.accesses.all.filter(({ principal }) => principal !== ADMIN_ARN)
    for (const place of Object.values(PLACES))
      assert.ok(
        asked.some(({ resource }) => resource.startsWith(`arn:aws:s3:::org-logs/${place}/`)),
        place,
      )
    assert.deepEqual(refused(await judged(policies, ACCOUNT, asked)), [])
  })
})
