import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { before, describe, it } from 'node:test'
import { sources } from '../../scripts/lib/sources/registry.ts'
import { trinoParser } from '../sandbox/athena/sql-parser.ts'
import { fewObjects } from '../support/few-objects.ts'
import { ROOT, runScript } from '../support/run-script.ts'
import { stagedRun } from '../support/staged-run.ts'
import { tempFolder } from '../support/temp.ts'

const WINDOW = ['--from', '2026-03-02', '--to', '2026-03-04']
const trino = trinoParser()
const workspaces: Record<string, string> = { cloudtrail: tempFolder(), waf: tempFolder() }

before(async () => {
  const logs = await fewObjects()
  for (const [source, workspace] of Object.entries(workspaces)) {
    const ended = await runScript('stage', ['--source', source, '--logs', logs, '--workspace', workspace, ...WINDOW])
    assert.equal(ended.code, 0, ended.stderr)
  }
})

const ask = async (source: string, ...args: string[]) => {
  const ended = await runScript('query', ['--workspace', workspaces[source] ?? '', ...args])
  return { ...ended, json: args.includes('json') && ended.code === 0 ? JSON.parse(ended.stdout) : undefined }
}

const sourceOf = (file: string): string[] => {
  const [, only] = /^-- Source: (\w+)/m.exec(readFileSync(`${ROOT}sql/explore/${file}`, 'utf8')) ?? []
  return only === undefined ? ['cloudtrail', 'waf'] : [only]
}

/** Some questions are about one of them. */
const ONE = ['--entity-name', 'AIDA1', '--ip', '198.51.100.9']

describe('the questions', () => {
  const files = readdirSync(`${ROOT}sql/explore`)

  it('are a dozen, and are listed', async () => {
    const { json } = await ask('waf', '--output', 'json')
    assert.ok(files.length >= 12)
    assert.deepEqual(
      json.questions.map(({ file }: { file: string }) => file),
      files.map((file) => `sql/explore/${file}`).sort(),
    )
    for (const { purpose } of json.questions) assert.match(purpose, /^[A-Z].*[?.]$/)
  })

  for (const file of files)
    for (const source of sourceOf(file)) {
      it(`${file} is answered by ${source} with the columns that it names`, async () => {
        const { json, stderr } = await ask(source, `sql/explore/${file}`, ...ONE, '--output', 'json')
        assert.ok(json, stderr)
        const [, output = ''] = /^-- Output: (.*)\.$/m.exec(readFileSync(`${ROOT}sql/explore/${file}`, 'utf8')) ?? []
        const named = output.split(/[,;] /).map((part) => part.replace(/:.*/, ''))
        const aspects = Object.keys(sources[source]?.aspects ?? {})
        assert.deepEqual(
          json.columns,
          named.filter((name) => /^\w+$/.test(name)).flatMap((name) => (name === 'aspects' ? aspects : [name])),
        )
        assert.equal(json.engine, 'duckdb')
      })

      it(`${file} is a statement of Athena for ${source}`, async () => {
        const { stdout, stderr, code } = await ask(source, `sql/explore/${file}`, ...ONE, '--print')
        assert.equal(code, 0)
        assert.match(stderr, /Athena does not see run .*, which lies in a folder/)
        assert.deepEqual(trino.validate(stdout), [])
        assert.match(stdout, /where run = 'cloudtrail-|where run = 'waf-/)
        assert.match(stdout, new RegExp(`from "prestage"."${source}"`))
      })
    }
})

describe('answers', () => {
  it('count what extraction counts', async () => {
    const { json } = await ask('cloudtrail', 'dropped-by-reason', '--output', 'json')
    const workspace = workspaces.cloudtrail ?? ''
    const extracted = await runScript('extract', ['--workspace', workspace, '--output', 'json'])
    const { dropped } = JSON.parse(extracted.stdout)
    assert.deepEqual(
      Object.fromEntries(json.rows.map((row: Record<string, string | number>) => [row.drop_reason, row.events])),
      dropped,
    )
    assert.match(json.rows[0].first_time, /^2026-03-0\dT.*Z$/)
  })

  const event = (ip: string, agent: string, change = {}) => ({
    eventTime: '2026-03-02T10:00:00Z',
    eventID: ip + agent,
    eventName: 'ConsoleLogin',
    eventSource: 'signin.amazonaws.com',
    awsRegion: 'us-east-1',
    userAgent: agent,
    sourceIPAddress: ip,
    errorMessage: 'Failed authentication',
    userIdentity: { type: 'IAMUser', principalId: agent, accountId: '012345678901', userName: agent },
    ...change,
  })

  it('know what pairs do not need, and keep hostile cells harmless', async () => {
    const workspace = tempFolder()
    const records = [
      event('198.51.100.9', '=cmd|"x"'),
      event('198.51.100.9', 'a,b'),
      event('8.8.8.8', 'c', { errorMessage: undefined, responseElements: { ConsoleLogin: 'Success' } }),
    ]
    await stagedRun(workspace, { 'a.json': JSON.stringify({ Records: records }) })
    const options = ['--workspace', workspace]
    const failed = await runScript('query', [...options, 'sql/explore/failed-logins-by-ip.sql', '--output', 'json'])
    assert.deepEqual(JSON.parse(failed.stdout).rows, [
      {
        ip: '198.51.100.9',
        failures: 2,
        users: 2,
        accounts: 1,
        first_time: '2026-03-02T10:00:00.000Z',
        last_time: '2026-03-02T10:00:00.000Z',
      },
    ])
    const agents = await runScript('query', [...options, 'user-agents-per-principal', '--csv'])
    assert.deepEqual(agents.stdout.trimEnd().split('\n'), [
      'principal,user_name,user_agents,events,one_agent',
      `"'=cmd|""x""","'=cmd|""x""",1,1,"'=cmd|""x"""`,
      '"a,b","a,b",1,1,"a,b"',
      'c,c,1,1,c',
    ])
  })

  it('on refused calls name principals, anonymous ones too, and no AWS services', async () => {
    const workspace = tempFolder()
    const refused = (userIdentity: object) => event('8.8.8.8', 'a', { errorCode: 'AccessDenied', userIdentity })
    const records = [
      refused({ type: 'AWSService', invokedBy: 'delivery.logs.amazonaws.com' }),
      refused({ type: 'AWSAccount', principalId: '', accountId: 'ANONYMOUS_PRINCIPAL' }),
      refused({ type: 'IAMUser', principalId: 'AIDA1', userName: 'alice' }),
    ]
    await stagedRun(workspace, { 'a.json': JSON.stringify({ Records: records }) })
    const { stdout } = await runScript('query', ['--workspace', workspace, 'denied-calls', '--output', 'json'])
    assert.deepEqual(JSON.parse(stdout).rows, [
      { principal: '', user_name: null, denied: 1, actions: 1, ips: 1 },
      { principal: 'AIDA1', user_name: 'alice', denied: 1, actions: 1, ips: 1 },
    ])
  })

  it('are cut at the limit, and say so', async () => {
    const { stdout } = await ask('cloudtrail', 'busiest-hour', '--limit', '2')
    assert.match(stdout, /2 rows; there are more: raise --limit/)
  })

  it('leave out the files that extract left out, and no others', async () => {
    const workspace = tempFolder()
    const logs = JSON.stringify({ Records: [event('8.8.8.8', 'a'), event('8.8.4.4', 'b')] })
    const run = await stagedRun(workspace, { 'good.json': logs, 'other.json': logs, 'bad.json': logs.slice(0, -40) })
    const options = ['--workspace', workspace, '--output', 'json']
    const extracted = await runScript('extract', [...options, '--skip-bad-files', '--holdout', '0'])
    assert.equal(extracted.code, 0, extracted.stderr)
    const { stdout, stderr } = await runScript('query', [...options, 'busiest-hour'])
    assert.match(stderr, /warning: left out 1 file, as extract did/)
    assert.deepEqual(
      JSON.parse(stdout).rows.map(({ events }: { events: unknown }) => events),
      [4],
    )
    writeFileSync(run.path('staged/other.json'), 'no log')
    const failed = await runScript('query', [...options, 'busiest-hour'])
    assert.equal(failed.code, 1)
    assert.match(failed.stderr, /a log file cannot be read to the end:\s+"other\.json": /)
  })

  it('name a damaged file', async () => {
    const workspace = tempFolder()
    await stagedRun(workspace, { 'a.json': '{"Records": [{"eventTime"' })
    const { code, stderr } = await runScript('query', ['--workspace', workspace, 'busiest-hour'])
    assert.equal(code, 1)
    assert.match(stderr, /a\.json/)
  })
})

describe('what is no question', () => {
  const folder = tempFolder()
  const mine = (text: string): string => {
    const path = `${folder}/mine-${Math.random()}.sql`
    writeFileSync(path, text)
    return path
  }
  const cases: [what: string, file: string, says: RegExp][] = [
    [
      'a file that is not there',
      'sql/explore/new-ip.sql',
      /there is no file sql\/explore\/new-ip\.sql\n.*new-ips\.sql/,
    ],
    ['one of another source', 'root-usage', /root-usage is about cloudtrail, and the run has waf/],
    [
      'one that there is for any source',
      'entity-calls',
      /cloudtrail, and the run has waf\n.*entity-accesses\.sql asks that of any/,
    ],
    ['its neighbor', 'entity-calls-around', /has waf\n.*entity-accesses-around\.sql asks that of any/],
    ['two statements', mine('select 1 from accesses; select 2'), /is not one query/],
    ['no query', mine('drop table accesses'), /is not one query/],
    ['nothing of the run', mine('select 1'), /asks nothing of the run/],
    ['a relation in a text alone', mine("select 'accesses'"), /asks nothing of the run/],
    ['a placeholder of another text', mine('select {{part}} from accesses'), /has \{\{part\}\}, and only/],
  ]
  for (const [what, file, says] of cases)
    it(`is ${what}`, async () => {
      const { code, stderr, stdout } = await ask('waf', file)
      assert.deepEqual([code, stdout], [2, ''])
      assert.match(stderr, says)
    })

  it('is not one that DuckDB cannot read, either', async () => {
    const { code, stderr } = await ask('waf', mine('select nothing from accesses'))
    assert.equal(code, 1)
    assert.match(stderr, /"nothing" not found/)
    assert.doesNotMatch(stderr, /this is a bug/)
  })

  const own: [what: string, sql: string][] = [
    ['with a comment and a semicolon', '-- How many?\nselect count(*) as n from accesses;'],
    ['of both relations, by a comma', 'select count(*) as n from accesses a, classified c where a.ip = c.ip'],
    ['with a semicolon in a remark', "select count(*) as n -- it's all; so\nfrom classified"],
    ['with a relation of its own', 'with mine as (select ip from classified) select count(*) as n from mine'],
    ['with a semicolon in a text', "select count(*) as n from classified where entity <> 'a;b''; c'"],
  ]
  for (const [what, sql] of own)
    it(`is answered when it is one’s own: ${what}`, async () => {
      const { json, stderr } = await ask('waf', mine(sql), '--output', 'json')
      assert.ok(json?.rows[0].n > 1000, stderr)
    })
})
