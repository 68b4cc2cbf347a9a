import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { readSection } from '../../../scripts/lib/cli/config.ts'
import { UsageError } from '../../../scripts/lib/cli/errors.ts'
import { keysDefinition } from '../../../scripts/lib/sources/own/definition.ts'
import { ownSources } from '../../../scripts/lib/sources/own/own.ts'
import { knownIds, sourceOf } from '../../../scripts/lib/sources/registry.ts'
import { tempFolder } from '../../support/temp.ts'

const fileWith = (yaml: string): string => {
  const path = `${tempFolder()}/prestage.yaml`
  writeFileSync(path, yaml)
  return path
}

const within = <T>(yaml: string, work: () => Promise<T>) => ownSources(readSection(fileWith(yaml), 'sources'), work)

/** A source with some lines replaced, or with more of them. */
const app = (change: Readonly<Record<string, string>> = {}): string => {
  const lines: Record<string, string> = {
    keys: "'app/{host}/{yyyy}/{MM}/{dd}/app-{HH}{mm}'",
    time: 'request.time',
    address: 'client',
    entities: '{ user: user.name, agent: agent }',
    ...change,
  }
  const given = Object.entries(lines).filter(([, value]) => value !== '')
  return `logs: ./logs\nsources:\n  app:\n${given.map(([name, value]) => `    ${name}: ${value}\n`).join('')}`
}

describe('sources of prestage.yaml', () => {
  it('are known while the work runs, and then no more', async () => {
    const source = await within(app({ zone: 'Europe/Berlin', before: '5', after: '10', late: '2' }), async () => {
      assert.ok(knownIds().includes('app'))
      return sourceOf('app')
    })
    assert.throws(() => sourceOf('app'), /there is no source "app"/)
    assert.deepEqual([Object.keys(source.entities), source.defaultEntity], [['user', 'agent'], 'user'])
    assert.deepEqual(source.members, {
      request: 'STRUCT("time" VARCHAR)',
      client: 'VARCHAR',
      user: 'STRUCT("name" VARCHAR)',
      agent: 'VARCHAR',
    })
    const [layout] = source.layouts
    assert.deepEqual(
      [layout?.path, layout?.timed, layout?.zone, layout?.padding],
      [
        'app/{host}/',
        '{yyyy}/{MM}/{dd}/app-{HH}{mm}',
        'Europe/Berlin',
        { unit: 1, before: 65, after: 10, lateHours: 2 },
      ],
    )
  })

  it('of the same name are one for each command', async () => {
    await Promise.all(
      ['x', 'y'].map((path) =>
        within(app({ address: path }), async () => {
          await new Promise((resolve) => setTimeout(resolve, 5))
          assert.equal(sourceOf('app').pairMembers[1], path)
        }),
      ),
    )
  })

  it('may change the mapping of API Gateway', async () => {
    const plain = sourceOf('apigateway')
    const changed = await within(
      'sources:\n  apigateway:\n    time: epoch\n    time-format: milliseconds\n',
      async () => sourceOf('apigateway'),
    )
    assert.deepEqual(
      [plain.pairMembers, changed.pairMembers],
      [
        ['requestTime', 'ip'],
        ['epoch', 'ip'],
      ],
    )
    assert.deepEqual(changed.layouts, plain.layouts)
    assert.equal(knownIds().filter((id) => id === 'apigateway').length, 1)
  })

  it('may add keys to a source that comes with prestage, which stays what it is but for them', async () => {
    const plain = sourceOf('cloudfront')
    const changed = await within(
      "sources:\n  cloudfront:\n    keys: 'cdn/{distribution}/data/{yyyy}/{MM}/{dd}/{HH}/logs/'\n    before: 60\n",
      async () => sourceOf('cloudfront'),
    )
    const { layouts, hasOwnKeys, given: _, ...rest } = changed
    const [own, ...others] = layouts
    assert.deepEqual({ ...rest, layouts: others }, plain)
    assert.deepEqual(
      [own?.path, own?.timed, own?.padding],
      [
        'cdn/{distribution}/data/',
        '{yyyy}/{MM}/{dd}/{HH}/logs/',
        { unit: 60, before: 60, after: 0, lateHours: 24, settles: 60 },
      ],
    )
    assert.notEqual(keysDefinition(changed), keysDefinition(plain))
    assert.deepEqual([keysDefinition(plain), hasOwnKeys], [undefined, true])
  })

  const mistakes: [yaml: string, line: number, says: string][] = [
    ['sources: app', 1, 'sources must hold a source a name'],
    ['logs: a\nsources:\n  App: {}', 3, 'sources.App must be a name of lower-case letters'],
    ['sources:\n  waf:\n    time: a', 3, 'sources.waf.time is unknown: there are keys, zone, before, after, late'],
    ['sources:\n  waf:\n    late: 1', 2, 'sources.waf.keys is missing'],
    ['sources:\n  waf:\n    keys: a/{yyyy}/', 3, 'sources.waf.keys must have the day'],
    ['sources:\n  all: {}', 2, 'sources.all is a name that is taken'],
    ['sources:\n  app:', 2, 'sources.app must be lines of the form "name: value"'],
    [app({ adress: 'x' }), 8, 'sources.app.adress is unknown: there are keys, zone, '],
    [app({ keys: '' }), 3, 'sources.app.keys is missing'],
    [app({ address: '' }), 3, 'sources.app.address is missing'],
    [app({ entities: '' }), 3, 'sources.app.entities is missing'],
    [app({ entities: '{}' }), 7, 'sources.app.entities must have one entity at least'],
    [
      app({ entities: '{ User: x }' }),
      7,
      'sources.app.entities.User must be a name of lower-case letters, digits and hyphens',
    ],
    [app({ entities: '{ ip: x }' }), 7, 'sources.app.entities.ip is the name of a column that every source has'],
    [app({ keys: "'app/{yyyy}/{MM}/'" }), 4, 'sources.app.keys must have the day'],
    [app({ keys: "'app/{yyyy/{MM}/{dd}/'" }), 4, 'sources.app.keys has a brace that belongs to no variable'],
    [app({ keys: "'/app/{yyyy}/{MM}/{dd}/'" }), 4, 'sources.app.keys must be like the keys themselves'],
    [app({ keys: "'../{yyyy}/{MM}/{dd}/'" }), 4, 'sources.app.keys must be like the keys themselves'],
    [app({ keys: "'{yyyy}/{MM}/{dd}/a{x?}'" }), 4, 'sources.app.keys only a folder may be absent: write {x?}/'],
    [app({ zone: 'Berlin' }), 8, 'sources.app.zone is no time zone of the IANA database'],
    [app({ before: '-1' }), 8, 'sources.app.before must be a whole number of minutes'],
    [app({ late: '1.5' }), 8, 'sources.app.late must be a whole number of hours'],
    [app({ time: '"a\'b"' }), 5, 'sources.app.time must be a member of the records'],
    [app({ time: 'a..b' }), 5, 'sources.app.time must be a member of the records'],
    [app({ address: 'user' }), 6, 'sources.app.address "user" and "user.name" cannot both be read'],
    [app({ 'time-format': 'epoch' }), 8, 'sources.app.time-format must be one of iso, seconds, milliseconds, clf'],
    [app({ format: 'xml' }), 8, 'sources.app.format must be one of json, records, csv, parquet'],
    [app({ types: '{ agent: int }' }), 8, 'sources.app.types is for parquet alone'],
    [
      app({ format: 'parquet', types: '{ agent: text }' }),
      9,
      'sources.app.types.agent must be one of string, int, bigint, boolean, double, timestamp',
    ],
    [
      app({ format: 'parquet', types: '{ agents: int }' }),
      9,
      'sources.app.types.agents is the type of a member that nothing names',
    ],
    [
      app({ format: 'parquet', types: '{ user.name: double }' }),
      9,
      'sources.app.types.user.name must be a type with one form as text: only the time may be a double',
    ],
    [app({ columns: '[a]' }), 8, 'sources.app.columns is for csv alone'],
    [app({ format: 'csv' }), 3, 'sources.app.columns are missing'],
    [app({ format: 'csv', columns: '[client, agent]' }), 5, 'sources.app.time "request.time" is none of the columns'],
    [app({ details: '{ user: x }' }), 8, 'sources.app.details.user is the name of an entity, too'],
    [
      'sources:\n  app:\n    sql: ./none\n    members: { a: VARCHAR }\n    entities: { a: a }',
      3,
      'sources.app.sql names a folder without table.sql',
    ],
    ['sources:\n  app:\n    sql: ./none\n    entities: { a: a }', 2, 'sources.app.members is missing'],
  ]
  for (const [yaml, line, says] of mistakes)
    it(`refused: ${JSON.stringify(yaml)}`, async () => {
      await assert.rejects(
        within(yaml, async () => {}),
        (error) => {
          assert.ok(error instanceof UsageError)
          const [, place, what = ''] = /^configuration \S+: line (\d+): (.*)$/s.exec(error.message) ?? [error.message]
          assert.deepEqual([Number(place), what.slice(0, says.length)], [line, says])
          return true
        },
      )
    })
})
