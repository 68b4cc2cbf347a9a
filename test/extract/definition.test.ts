import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'

const start = Date.parse('2026-03-02T00:00:00Z')
const HOUR = 3_600_000

/** A source whose definition changes between commands. */
function fixture() {
  const folder = tempFolder()
  const config = `${folder}/prestage.yaml`
  const lines = Array.from({ length: 400 }, (_, i) => {
    const at = new Date(start + (i % 47) * HOUR).toISOString()
    return JSON.stringify({
      at,
      seen: at,
      ip: `8.8.${i % 5}.${i % 3}`,
      user: `user-${i % 5}`,
      agent: 'curl',
      path: '/',
    })
  })
  mkdirSync(`${folder}/logs/app/2026/03/02`, { recursive: true })
  writeFileSync(`${folder}/logs/app/2026/03/02/a.json.gz`, gzipSync(`${lines.join('\n')}\n`))
  const define = (change: Readonly<Record<string, string>> = {}) => {
    const keys = { keys: "'app/{yyyy}/{MM}/{dd}/'", after: '2880', time: 'at', address: 'ip' }
    const all = { ...keys, entities: '{ user: user }', ...change }
    const text = Object.entries(all)
      .filter(([, value]) => value !== '')
      .map(([name, value]) => `    ${name}: ${value}\n`)
    writeFileSync(config, `sources:\n  app:\n${text.join('')}`)
  }
  define()
  const run = (script: string, ...args: readonly string[]) =>
    runScript(script, ['--workspace', `${folder}/runs`, '--config', config, ...args])
  const done = async (script: string, ...args: readonly string[]) => {
    const ended = await run(script, ...args)
    assert.equal(ended.code, 0, ended.stderr)
    return ended
  }
  const refused = async (says: RegExp, script: string, ...args: readonly string[]) => {
    const { code, stderr } = await run(script, ...args)
    assert.equal(code, 2, stderr)
    assert.match(stderr, says)
    assert.match(stderr, /take the change back, or add --overwrite/)
  }
  const days = (from: string, to: string) => ['--source', 'app', '--logs', `${folder}/logs`, '--from', from, '--to', to]
  return { folder, define, done, refused, days }
}

const BOTH_DAYS = ['2026-03-02', '2026-03-04'] as const

describe('a source of prestage.yaml that changes between the steps of a run', () => {
  it('extract and query tell what reads the logs otherwise; what changes no pair is let pass', async () => {
    const { define, done, refused, days } = fixture()
    await done('stage', ...days(...BOTH_DAYS))
    await done('extract')
    define({ details: '{ path: path }', entities: '{ user: user, agent: agent }' })
    assert.equal(JSON.parse((await done('extract', '--output', 'json')).stdout).repeated, true)
    assert.doesNotMatch((await done('query', 'sql/explore/new-ips.sql')).stderr, /changed in the configuration/)

    for (const change of [{ time: 'seen' }, { entities: '{ user: agent }' }, { address: 'user' }]) {
      define(change)
      await refused(/extract was done with another definition of app in the configuration file/, 'extract')
    }
    define({ time: 'seen' })
    assert.match(
      (await done('query', 'sql/explore/new-ips.sql')).stderr,
      /warning: app has changed in the configuration file/,
    )
    await done('extract', '--overwrite')
    assert.doesNotMatch((await done('query', 'sql/explore/new-ips.sql')).stderr, /has changed/)
  })

  it('stage refuses other keys, and plans anew if that is wanted', async () => {
    const { define, done, refused, days } = fixture()
    await done('stage', ...days(...BOTH_DAYS))
    define({ time: 'seen' })
    await done('stage', ...days(...BOTH_DAYS))
    define({ after: '1440' })
    await refused(/was planned with other keys of app in the configuration file/, 'stage', ...days(...BOTH_DAYS))
    await done('stage', ...days(...BOTH_DAYS), '--overwrite')
    await done('stage', ...days(...BOTH_DAYS))
  })

  it('score warns where its model, or what alerts tell, is of another definition', async () => {
    const { define, done, days } = fixture()
    await done('stage', ...days('2026-03-02', '2026-03-03'))
    await done('extract')
    const model = JSON.parse((await done('train', '--output', 'json')).stdout)
    await done('stage', ...days('2026-03-03', '2026-03-04'))
    define({ time: 'seen' })
    await done('extract')
    const score = ['--run', model.run, '--from-run', 'latest', '--threshold', '0', '--rank', 'score']
    assert.match((await done('score', ...score)).stderr, /warning: app changed in the configuration file between run /)
    const own = await done('score', '--run', model.run, '--threshold', '0', '--rank', 'score')
    assert.match(own.stderr, /warning: app has changed in the configuration file since run .* was extracted/)
    define()
    assert.doesNotMatch(
      (await done('score', '--run', model.run, '--threshold', '1', '--rank', 'score')).stderr,
      /changed/,
    )
  })

  it('SQL of its own counts with its text', async () => {
    const { folder, define, done, refused, days } = fixture()
    mkdirSync(`${folder}/sql`)
    const text =
      'epoch_ms(cast("at" as timestamptz)) as event_time, cast(null as varchar) as event_id, "user" as "user", ip'
    const write = (more: string) => {
      const select = `select ${text}, cast(null as varchar) as drop_reason from {{records}}${more}`
      for (const name of ['accesses.duckdb.sql', 'accesses.athena.sql', 'table.sql'])
        writeFileSync(`${folder}/sql/${name}`, select)
    }
    write('')
    const members = '{ at: VARCHAR, user: VARCHAR, ip: VARCHAR }'
    define({ time: '', address: '', sql: './sql', members })
    await done('stage', ...days(...BOTH_DAYS))
    await done('extract')
    await done('extract')
    write(' where ip is not null')
    await refused(/another definition of app/, 'extract')
  })
})
