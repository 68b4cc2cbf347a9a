import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { runIdOf } from '../../../scripts/lib/runs/request.ts'
import { isOfRun, openLogsOutsideRuns } from '../../../scripts/lib/runs/workspace.ts'
import { sourceIds } from '../../../scripts/lib/sources/registry.ts'
import { folderStore } from '../../../scripts/lib/stores/folder.ts'
import { tempFolder } from '../../support/temp.ts'

const time = fc.date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
const id = fc.tuple(fc.constantFrom(...sourceIds), time, time).map(([source, from, to]) =>
  runIdOf({
    source,
    logs: '/logs',
    from: from.toISOString(),
    to: to.toISOString(),
    accounts: [],
    regions: [],
    keys: 'list',
  }),
)
const RUN = 'cloudtrail-20260302T0000Z-20260303T0000Z-3f9a1c'

describe('what lies in a run', () => {
  it('is known by the id of the run, whatever the workspace', () =>
    fc.assert(
      fc.property(id, fc.constantFrom('', 'runs/', 'bulk/', 'a b/ws/runs/'), (run, place) => {
        assert.equal(isOfRun(`${place}${run}/staged/AWSLogs/x`), true)
        assert.equal(isOfRun(`${place}${run}/`), true)
      }),
    ))

  const others = [
    '',
    'runs/',
    RUN,
    `${RUN}.json.gz`,
    `x${RUN.toUpperCase()}/a`,
    'runs/today/AWSLogs/x',
    'AWSLogs/o-abc123/111122223333/CloudTrail/us-east-1/2026/03/02/111122223333_CloudTrail_us-east-1_20260302T1000Z_x.gz',
    '2026/03/02/21/aws-waf-logs-x-1-2026-03-02-21-25-30-9f2a8e5c',
  ]
  for (const key of others) it(`is not: "${key}"`, () => assert.equal(isOfRun(key), false))
})

describe('logs outside runs', () => {
  const own = [`runs/${RUN}/staged/AWSLogs/b`, `runs/${RUN}/run.json`, `ws/runs/${RUN}/staged/a`]
  async function opened(below = '') {
    const folder = tempFolder()
    for (const key of ['AWSLogs/b', 'runs/c', ...own]) await folderStore(folder).write(key, 'x')
    const { store, base } = await openLogsOutsideRuns(`${folder}${below}`)
    const keys: string[] = []
    for await (const { key } of store.list({ prefix: base })) keys.push(key)
    return { store, keys }
  }

  it('are listed without them', async () => {
    const { store, keys } = await opened()
    assert.deepEqual(keys, ['AWSLogs/b', 'runs/c'])
    assert.deepEqual(await store.prefixes({ prefix: 'runs/' }), [])
    assert.deepEqual(await store.prefixes(), ['AWSLogs/', 'runs/', 'ws/'])
    assert.ok(store.listRequests > 0)
  })

  it('are those of a run for who names it', async () => {
    assert.deepEqual((await opened(`/runs/${RUN}`)).keys, ['run.json', 'staged/AWSLogs/b'])
    assert.deepEqual((await opened(`/runs/${RUN}/staged/AWSLogs`)).keys, ['AWSLogs/b'])
  })
})
