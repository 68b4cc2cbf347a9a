// Sources of prestage.yaml with their logs: the same accesses in every format.
import { ParquetMaker } from '../../scripts/simulate/parquet.ts'

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
export const WINDOW = ['--from', '2026-03-02', '--to', '2026-03-03']
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
export const usual: Choices = [
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
  readonly body: string | Buffer
  readonly choices?: Choices
}

/** What is written as Parquet: a row an access, in columns of other types than text, too. */
export const parquet = await (async () => {
  const maker = new ParquetMaker()
  const rows = accesses.map(({ time, ip, user, agent }, n) => {
    const at = new Date(time).toISOString()
    return { request: { at, epoch: time, client: { ip } }, at, seconds: time / 1000, n, user, agent, ip }
  })
  const columns = {
    request: 'STRUCT("at" TIMESTAMP, epoch BIGINT, client STRUCT(ip VARCHAR))',
    at: 'TIMESTAMP WITH TIME ZONE',
    seconds: 'DOUBLE',
    n: 'INTEGER',
    user: 'VARCHAR',
    agent: 'VARCHAR',
    ip: 'VARCHAR',
  }
  const bytes = await maker.of(Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n')), columns)
  await maker.close()
  return bytes
})()

/** Headers in a list, and an address with a port: what a mapping cannot say. */
const writtenSql = (engine: 'athena' | 'duckdb'): string => {
  const header = (name: string) => {
    const test = engine === 'athena' ? `h -> h.name = '${name}'` : `lambda h: h.name = '${name}'`
    return engine === 'athena'
      ? `element_at(filter(mail.headers, ${test}), 1).value`
      : `list_extract(list_filter(mail.headers, ${test}), 1).value`
  }
  return `select mail.sent as event_time, cast(null as varchar) as event_id,
    nullif(${header('From')}, '') as sender, nullif(${header('X-Mailer')}, '-') as mailer,
    split_part(mail.peer, ':', 1) as ip,
    case when mail is null then 'unreadable-record' when mail.sent is null then 'no-event-time' end as drop_reason
  from ${engine === 'athena' ? '{{table}} where run = {{run}}' : '{{records}}'};`
}

/** The folder that the configuration file names in place of a mapping. */
export const SQL_FOLDER: Readonly<Record<string, string>> = {
  'table.sql': `-- Mails.
create external table if not exists {{table}} (
  mail struct<sent: bigint, peer: string, headers: array<struct<name: string, value: string>>>
)
partitioned by (run string)
row format serde 'org.openx.data.jsonserde.JsonSerDe'
stored as inputformat 'org.apache.hadoop.mapred.TextInputFormat'
outputformat 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
location {{bulk}}
tblproperties (
  'projection.enabled' = 'true',
  'projection.run.type' = 'injected',
  'storage.location.template' = {{staged}}
);`,
  'accesses.athena.sql': writtenSql('athena'),
  'accesses.duckdb.sql': writtenSql('duckdb'),
}

export const cases: Case[] = [
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
    what: 'CloudFront below folders of its own',
    source: 'cloudfront',
    yaml: "\n    keys: 'cdn/{distribution}/data/{yyyy}/{MM}/{dd}/{HH}/logs/'\n    before: 1440",
    key: 'cdn/E1EXAMPLE1ABCD/data/2026/03/02/00/logs/E1EXAMPLE1ABCD.2026-03-02-00.0a1b2c3d.gz',
    body: `#Fields: timestamp(ms) c-ip x-host-header\n${accesses.map(({ time, ip, user }) => [time, ip, user].join('\t')).join('\n')}`,
    choices: [['host', straight(({ user }) => user)]],
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
  {
    what: 'Parquet, members of members, a timestamp',
    yaml: `
    keys: 'app/year={yyyy}/month={MM}/day={dd}/'
    after: 1440
    format: parquet
    time: request.at
    address: request.client.ip
    id: n
    types: { request.at: timestamp, n: int }
    entities: { user: user, agent: agent }`,
    key: 'app/year=2026/month=03/day=02/part-0000.snappy.parquet',
    body: parquet,
  },
  {
    what: 'Parquet, milliseconds since 1970 in a member',
    yaml: `
    keys: 'app/{yyyy}-{MM}-{dd}'
    after: 1440
    format: parquet
    time: request.epoch
    time-format: milliseconds
    address: ip
    types: { request.epoch: bigint }
    entities: { user: user, agent: agent }
    details: { client: request.client.ip }`,
    key: 'app/2026-03-02.parquet',
    body: parquet,
  },
  {
    what: 'Parquet, a timestamp in UTC',
    yaml: `
    keys: 'app/{yyyy}-{MM}-{dd}'
    after: 1440
    format: parquet
    time: at
    address: ip
    types: { at: timestamp }
    entities: { user: user, agent: agent }`,
    key: 'app/2026-03-02.parquet',
    body: parquet,
  },
  {
    what: 'Parquet, seconds since 1970 as numbers with a fraction',
    yaml: `
    keys: 'app/{yyyy}-{MM}-{dd}'
    after: 1440
    format: parquet
    time: seconds
    time-format: seconds
    address: ip
    types: { seconds: double }
    entities: { user: user, agent: agent }`,
    key: 'app/2026-03-02.parquet',
    body: parquet,
  },
  {
    what: 'a folder of SQL',
    yaml: `
    keys: 'mail/{yyyy}/{MM}/{dd}/'
    after: 1440
    sql: ./mail-sql
    members:
      mail: 'STRUCT(sent BIGINT, peer VARCHAR, headers STRUCT("name" VARCHAR, "value" VARCHAR)[])'
    entities: { user: sender, agent: mailer }`,
    key: 'mail/2026/03/02/x.json.gz',
    body: accesses
      .map(({ time, ip, user, agent }) => {
        const headers = [
          { name: 'To', value: 'x' },
          { name: 'From', value: user },
          { name: 'X-Mailer', value: agent },
        ]
        return JSON.stringify({ mail: { sent: time, peer: `${ip}:25`, headers } })
      })
      .join('\n'),
  },
]
