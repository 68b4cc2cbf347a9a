import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Athena } from '../../scripts/lib/aws/athena/athena.ts'
import { waiting } from '../support/waiting.ts'
import { client, OUTPUT, sandbox } from './athena-client.ts'

const workgroup = { name: 'primary', enforced: false, outputLocation: undefined, managed: false, cutoff: undefined }
const token = 'a-token-of-at-least-thirty-two-characters'

const athenaOf = (change: { timeout?: number; signal?: AbortSignal } = {}) => {
  const states: string[] = []
  const settings = { client, region: 'us-east-1', workgroup, database: 'default', scratch: OUTPUT, timeout: 60_000 }
  return {
    states,
    athena: new Athena({
      ...settings,
      ...waiting(change.signal),
      ...change,
      onState: (text) => states.push(text),
    }),
  }
}

describe('a query of Athena', () => {
  it('is waited for, and read without its header', async () => {
    sandbox.athena.settings.pace = 'poll'
    const { athena, states } = athenaOf()
    const id = await athena.start("select 1 as a, 'x' as b", token)
    assert.equal((await athena.finish(id)).id, id)
    assert.ok(states.some((text) => text.includes('waits for its turn')))
    assert.ok(states.some((text) => text.endsWith('SUCCEEDED')))
    const rows = []
    for await (const row of athena.rows(id)) rows.push(row)
    assert.deepEqual(
      (await athena.columns(id)).map(({ name }) => name),
      ['a', 'b'],
    )
    assert.deepEqual(rows, [['1', 'x']])
  })

  it('is read whole where there is no header', async () => {
    sandbox.athena.settings.pace = 'instant'
    sandbox.athena.settings.header = false
    const { athena } = athenaOf()
    const id = await athena.start("select 1 as a, 'x' as b", token)
    await athena.finish(id)
    const rows = []
    for await (const row of athena.rows(id)) rows.push(row)
    assert.deepEqual(rows, [['1', 'x']])
  })

  it('is read page by page', async () => {
    sandbox.athena.settings.pace = 'instant'
    sandbox.athena.settings.answer = () => ({
      columns: [{ name: 'n', type: 'varchar' }],
      rows: Array.from({ length: 2500 }, (_, n) => [n === 7 ? null : String(n)]),
    })
    const { athena } = athenaOf()
    const id = await athena.start('select n from t', token)
    await athena.finish(id)
    const rows = []
    for await (const [n] of athena.rows(id)) rows.push(n)
    assert.deepEqual([rows.length, rows[0], rows[7], rows.at(-1)], [2500, '0', null, '2499'])
    assert.equal(sandbox.requests.of('GetQueryResults'), 3)
  })

  it('is one query with one token, and stopped when it takes too long', async () => {
    sandbox.athena.settings.queue = true
    const { athena } = athenaOf({ timeout: 50 })
    const id = await athena.start('select 1 as a', token)
    assert.equal(await athena.start('select 1 as a', token), id)
    await assert.rejects(athena.finish(id), /query .* was stopped: it took longer than/)
    assert.equal(sandbox.athena.queries.find(id).state, 'CANCELLED')
  })

  it('is stopped with the one who waits for it', async () => {
    const controller = new AbortController()
    const { athena } = athenaOf({ signal: controller.signal })
    const id = await athena.start('select 1 as a', token)
    setTimeout(() => controller.abort(new Error('interrupted')), 50)
    await assert.rejects(athena.finish(id))
    assert.equal(sandbox.athena.queries.find(id).state, 'CANCELLED')
  })

  it('goes on when it only could not be looked at', async () => {
    sandbox.faults.add({ operation: 'GetQueryExecution', error: { code: 'InternalServerException', status: 500 } })
    const { athena } = athenaOf()
    const id = await athena.start('select 1 as a', token)
    await assert.rejects(athena.finish(id), /AWS failed/)
    assert.notEqual(sandbox.athena.queries.find(id).state, 'CANCELLED')
  })
})
