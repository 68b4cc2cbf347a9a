import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { athenaSandbox, linesAt, linesIn } from '../support/athena-sandbox.ts'
import { runScript } from '../support/run-script.ts'
import { tempFolder } from '../support/temp.ts'

/** What one access is, whatever the format says of it. */
interface Access {
  /** Milliseconds since 1970. */
  readonly time: number
  readonly ip: string
  readonly user: string
  readonly agent: string
}

const start = Date.parse('2026-03-02T00:00:00Z')
const AGENTS = ['curl/8.5, "odd"', 'Mozilla/5.0 (X11; Ünï)', 'a;b|c', '-']
/** Some of them have no user, no address that counts, or a time outside of the window. */
const accesses: Access[] = Array.from({ length: 60 }, (_, i) => ({
  time: start + (i - 1) * 26 * 60_000 + i,
  ip: i % 11 === 10 ? '10.0.0.1' : `8.8.${i % 3}.${i % 7}`,
  user: i % 9 === 8 ? '' : `us.er-${i % 4}`,
  agent: AGENTS[i % AGENTS.length] ?? '',
}))
const WINDOW = ['--from', '2026-03-02', '--to', '2026-03-03']
const end = start + 86_400_000

/** What CSV and the algorithm cannot have in an entity, as the documentation of pairs says. */
const encoded = (entity: string): string =>
  entity.replace(/[%.," ]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)

/** The pairs, counted without any of the code that is tested. */
const straight = (entityOf: (access: Access) => string, ipOf = ({ ip }: Access): string => ip): string[] =>
  accesses
    .filter((access) => access.time >= start && access.time < end && !ipOf(access).startsWith('10.'))
    .flatMap((access) => {
      const entity = entityOf(access)
      return entity === '' || entity === '-' ? [] : [`${encoded(entity)},${ipOf(access)}`]
    })
    .sort()

/** Another address that an access has. */
const proxyOf = ({ time }: Access): string => `9.9.9.${time % 5}`

type Choices = readonly (readonly [entity: string, expected: readonly string[]])[]
const usual: Choices = [
  ['user', straight(({ user }) => user)],
  ['agent', straight(({ agent }) => agent)],
]

const clf = (time: number): string => {
  const [, day, month, year, clock] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(time).toUTCString()) ?? []
  return `${day}/${month}/${year}:${clock} +0000`
}
const csvField = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

interface Case {
  readonly what: string
  /** A source that comes with prestage; else one of the file's own. */
  readonly source?: string
  readonly yaml: string
  readonly key: string
  readonly body: string
  readonly choices?: Choices
}

const cases: Case[] = [
  {
    what: 'JSON lines, members of members, ISO times',
    yaml: `
    keys: 'app/{host}/{yyyy}/{MM}/{dd}/app-'
    after: 1440
    time: request.at
    address: request.client.ip
    addresses: { proxy: request.proxy }
    entities: { user: user.name, agent: agent }
    details: { path: request.path }`,
    key: 'app/web1/2026/03/02/app-1.json.gz',
    body: accesses
      .map((access) => {
        const { time, ip, user, agent } = access
        const request = { at: new Date(time).toISOString(), client: { ip, port: 1 }, path: '/', proxy: proxyOf(access) }
        return JSON.stringify({ request, ...(user !== '' && { user: { name: user } }), agent })
      })
      .join('\n'),
    choices: [...usual, ['user@proxy', straight(({ user }) => user, proxyOf)]],
  },
  {
    what: 'JSON lines in a time zone, seconds since 1970',
    yaml: `
    keys: 'app/{yyyy}/{M}/{d}/'
    zone: America/New_York
    after: 1440
    before: 1440
    time: at
    time-format: seconds
    address: ip
    id: n
    entities: { user: user, agent: agent }`,
    key: 'app/2026/3/1/x.json.gz',
    body: accesses
      .map(({ time, ip, user, agent }, n) => JSON.stringify({ at: time / 1000, ip, user, agent, n }))
      .join('\n'),
  },
  {
    what: 'lists of Records, milliseconds since 1970',
    yaml: `
    keys: 'year={yyyy}/month={MM}/day={dd}/'
    after: 1440
    format: records
    time: at
    time-format: milliseconds
    address: ip
    entities: { user: user, agent: agent }`,
    key: 'year=2026/month=03/day=02/x.json.gz',
    body: JSON.stringify({
      Records: accesses.map(({ time, ip, user, agent }) => ({ at: String(time), ip, user, agent })),
    }),
  },
  {
    what: 'CSV with a header, times of web servers',
    yaml: `
    keys: 'app/{yyyy}-{MM}-{dd}'
    after: 1440
    format: csv
    header: true
    columns: [at, 'user name', ip, unused, agent, more]
    time: at
    time-format: clf
    address: ip
    entities: { user: user name, agent: agent }`,
    key: 'app/2026-03-02.csv.gz',
    body: [
      'at,user name,ip,unused,agent,more',
      ...accesses.map(({ time, ip, user, agent }) => [clf(time), user, ip, 'x', csvField(agent), '1'].join(',')),
    ].join('\n'),
  },
  {
    what: 'API Gateway with other names, and members of members',
    source: 'apigateway',
    yaml: `
    after: 1440
    time: context.at
    time-format: milliseconds
    address: context.identity.sourceIp
    id: extendedRequestId
    entities: { caller: context.identity.userArn, user-agent: agent }
    details: { path: context.path }`,
    key: '2026/03/02/00/amazon-apigateway-shop-1-2026-03-02-00-00-05-0a1b2c3d.gz',
    body: accesses
      .map(({ time, ip, user, agent }, n) => {
        const context = { at: String(time), path: '/', identity: { sourceIp: ip, userArn: user } }
        return JSON.stringify({ context, agent, extendedRequestId: String(n) })
      })
      .join('\n'),
    choices: [
      ['caller', straight(({ user }) => user)],
      ['user-agent', straight(({ agent }) => agent)],
    ],
  },
]

describe('a source that prestage.yaml defines or changes gives the pairs of a straight count on both engines', async () => {
  const { sandbox, run } = await athenaSandbox()
  for (const [i, { what, source = `app${i}`, yaml, key, body, choices = usual }] of cases.entries())
    it(what, async () => {
      const folder = tempFolder()
      const config = join(folder, 'prestage.yaml')
      writeFileSync(config, `sources:\n  ${source}:${yaml}\n`)
      const path = join(folder, 'logs', key)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, gzipSync(`${body}\n`))
      sandbox.s3.put('org-logs', `${source}/${key}`, gzipSync(`${body}\n`))
      const here = async (script: string, args: readonly string[]) => {
        const places = ['--workspace', join(folder, 'runs'), '--config', config, '--output', 'json']
        const ended = await runScript(script, [...places, ...args])
        assert.equal(ended.code, 0, ended.stderr)
        return JSON.parse(ended.stdout)
      }
      const there = async (script: string, args: readonly string[]) => {
        const { result, stderr } = await run(script, ['--config', config, '--yes', ...args])
        assert.ok(result, stderr)
        return result
      }
      await here('stage', ['--source', source, '--logs', join(folder, 'logs'), ...WINDOW])
      await there('stage', ['--source', source, '--logs', `s3://org-logs/${source}`, '--copy', 'direct', ...WINDOW])
      for (const [entity, expected] of choices) {
        const args = ['--entity', entity, '--holdout', '0', '--overwrite']
        const local = await here('extract', args)
        const remote = await there('extract', args)
        assert.ok(expected.length > 30)
        assert.deepEqual(linesIn(join(folder, 'runs/runs', local.run, 'pairs/train')), expected)
        assert.deepEqual(await linesAt(sandbox, remote.run, 'pairs/train/'), expected)
        assert.deepEqual(remote.dropped, local.dropped)
      }
      assert.deepEqual(sandbox.violations, [])
    })
})
