import assert from 'node:assert/strict'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { ROOT, runScript } from '../support/run-script.ts'
import { simulatedLogs } from '../support/simulated.ts'
import { tempFolder } from '../support/temp.ts'

interface Found {
  readonly source: string
  readonly layout: string
  readonly accounts: string[]
  readonly regions: string[]
  readonly first: string
  readonly last: string
  readonly digests?: boolean
  readonly objects?: number
  readonly branches?: { path: string; variables: Record<string, string>; first: string; last: string }[]
}
interface Inventory {
  readonly sources: Found[]
  readonly others: { name: string; about: string; accounts: string[] }[]
  readonly unknown?: { objects: number; examples: string[] }
  readonly listRequests: number
}

const inventory = (logs: string, args: readonly string[] = []) => runScript('inventory', ['--logs', logs, ...args])

async function json(logs: string, args: readonly string[] = []): Promise<Inventory> {
  const { stdout, stderr, code } = await inventory(logs, [...args, '--output', 'json'])
  assert.deepEqual([stderr, code], ['', 0])
  return JSON.parse(stdout) as Inventory
}

/** A folder with empty objects under these keys. */
function folderOf(...keys: string[]): string {
  const folder = tempFolder()
  for (const key of keys) {
    mkdirSync(dirname(join(folder, key)), { recursive: true })
    writeFileSync(join(folder, key), 'x')
  }
  return folder
}

const trailKey = (account: string, region: string, day: string, root = '') =>
  `${root}AWSLogs/${account}/CloudTrail/${region}/${day.replaceAll('-', '/')}/${account}_CloudTrail_${region}_${day.replaceAll('-', '')}T0005Z_a.json.gz`
const [A, B] = ['111122223333', '012345678901']
const brief = ({ sources }: Inventory) =>
  sources.map(({ source, layout, first, last }) => [source, layout, first, last])

it('folders that lie elsewhere are not looked into', async () => {
  const [logs, others] = [
    folderOf(trailKey(A, 'us-east-1', '2026-03-02')),
    folderOf(trailKey(B, 'us-east-1', '2026-03-02')),
  ]
  symlinkSync(join(others, 'AWSLogs', B), join(logs, 'AWSLogs', B))
  const { stdout, stderr } = await inventory(logs, ['--output', 'json'])
  assert.deepEqual((JSON.parse(stdout) as Inventory).sources[0]?.accounts, [A])
  assert.match(stderr, /warning: links that lead out of the logs are left out: 1 link\n/)
})

describe('inventory of simulated logs', async () => {
  const logs = await simulatedLogs()

  it('finds sources, accounts, regions and days without walking the objects', async () => {
    const { sources, listRequests } = await json(logs)
    const [trail, waf] = sources
    assert.deepEqual(
      sources.map(({ source, accounts, regions }) => [source, accounts, regions.toSorted()]),
      [
        ['cloudtrail', [B, A], ['ap-southeast-2', 'eu-west-1', 'us-east-1']],
        ['waf', [B, A], ['cloudfront', 'eu-west-1', 'us-east-1']],
      ],
    )
    assert.deepEqual([trail?.first, trail?.last, trail?.digests], ['2026-03-01', '2026-03-05', true])
    assert.deepEqual([waf?.first, waf?.last, waf?.digests], ['2026-03-01', '2026-03-04', false])
    assert.equal(trail?.branches?.length, 5)
    assert.deepEqual(waf?.branches?.map(({ variables }) => variables.acl).sort(), [
      'api-acl',
      'intern_acl',
      'shop_front-acl',
    ])
    assert.ok(listRequests > 10 && listRequests < 60, String(listRequests))
  })

  it('mentions what no source reads', async () => {
    const { others } = await json(logs)
    assert.deepEqual(
      others.map(({ name }) => name),
      ['CloudTrail-Aggregated', 'CloudTrail-Insight', 'CloudTrail-NetworkActivity', 'Config'],
    )
  })

  it('is a table for people, and says what to do next', async () => {
    const { stdout, stderr, code } = await inventory(logs)
    assert.equal(code, 0)
    assert.match(stdout, /^source +account +regions +first day +last day$/m)
    assert.match(stdout, /^cloudtrail +012345678901 +eu-west-1, us-east-1 +2026-03-01 +2026-03-05$/m)
    assert.match(stdout, /^waf +111122223333 .*cloudfront:shop_front-acl/m)
    assert.match(stdout, /AWS Config/)
    assert.match(stderr, /next: npx zx scripts\/stage\.mjs --source cloudtrail .* --from 2026-03-01 --to 2026-03-05/)
  })

  it('narrows to an account, a region, a source', async () => {
    const { sources, others } = await json(logs, ['--account', B, '--region', 'eu-west-1', '--source', 'cloudtrail'])
    assert.deepEqual(
      sources.map(({ source, accounts, regions }) => [source, accounts, regions]),
      [['cloudtrail', [B], ['eu-west-1']]],
    )
    assert.deepEqual(others, [])
  })

  it('of an account that is not there says which are', async () => {
    const { stdout, stderr, code } = await inventory(logs, ['--account', '999999999999'])
    assert.deepEqual([stdout, code], ['', 1])
    assert.match(stderr, /none of account 999999999999\n +accounts there: 012345678901, 111122223333; regions: /)
  })

  it('begins at whatever depth it is pointed to', async () => {
    const deep = await json(join(logs, 'AWSLogs', A))
    assert.deepEqual(brief(deep), [['waf', 'waf-s3', '2026-03-01', '2026-03-04']])
    const region = (await json(logs)).sources[0]?.branches?.find(({ last }) => last === '2026-03-05')?.path ?? ''
    for (const [below, first, last] of [
      ['', '2026-03-01', '2026-03-05'],
      ['2026/03', '2026-03-01', '2026-03-05'],
      ['2026/03/02', '2026-03-02', '2026-03-02'],
    ] as const)
      assert.deepEqual(brief(await json(join(logs, region, below))), [['cloudtrail', 'cloudtrail', first, last]])
    assert.match((await inventory(join(logs, region, '2026/04'))).stderr, /is empty/)
  })
})

describe('inventory of other layouts', () => {
  it('falls back to the days that there are', async () => {
    const logs = folderOf(trailKey(A, 'us-east-1', '2025-12-31'), trailKey(A, 'us-east-1', '2026-01-01'))
    mkdirSync(join(logs, `AWSLogs/${A}/CloudTrail/us-east-1/2027/01`), { recursive: true })
    mkdirSync(join(logs, `AWSLogs/${A}/CloudTrail/us-east-1/2024`), { recursive: true })
    mkdirSync(join(logs, `AWSLogs/${A}/CloudTrail/us-east-1/2026/13/99`), { recursive: true })
    assert.deepEqual(brief(await json(logs)), [['cloudtrail', 'cloudtrail', '2025-12-31', '2026-01-01']])
  })

  it('knows Control Tower, and several prefixes', async () => {
    const logs = folderOf(
      trailKey(A, 'us-east-1', '2026-03-02', 'o-abc/'),
      trailKey(B, 'us-east-1', '2026-03-04', 'p/q/'),
    )
    const { sources } = await json(logs)
    assert.deepEqual(
      sources[0]?.branches?.map(({ path }) => path.split('AWSLogs/')[0]),
      ['o-abc/', 'p/q/'],
    )
  })

  it('tells WAF logs through Firehose from other streams by their names', async () => {
    const name = (stream: string) => `2026/03/02/21/${stream}-1-2026-03-02-21-25-30-9f2a8e5c`
    assert.deepEqual(brief(await json(folderOf(name('aws-waf-logs-x')))), [
      ['waf', 'waf-firehose', '2026-03-02', '2026-03-02'],
    ])
    assert.deepEqual(brief(await json(folderOf(name('amazon-apigateway-x')))), [
      ['apigateway', 'apigateway', '2026-03-02', '2026-03-02'],
    ])
    const { stderr, code } = await inventory(folderOf(name('other-x')))
    assert.equal(code, 1)
    assert.match(stderr, /no logs of cloudtrail or waf or alb or .* or route53resolver/)
  })

  it('describes logs outside of their folders by their names', async () => {
    const name = (time: string) => `${B}_CloudTrail_us-east-1_${time}_a.json.gz`
    const logs = folderOf(name('20260302T0005Z'), `more/${name('20260304T0005Z')}`, 'notes.txt', 'odd.log.gz')
    const { sources, unknown } = await json(logs)
    assert.deepEqual(
      sources.map(({ layout, accounts, regions, first, last, objects }) => ({
        layout,
        accounts,
        regions,
        first,
        last,
        objects,
      })),
      [{ layout: 'loose', accounts: [B], regions: ['us-east-1'], first: '2026-03-02', last: '2026-03-04', objects: 2 }],
    )
    assert.deepEqual(unknown, { objects: 2, examples: ['odd.log.gz', 'notes.txt'] })
    assert.match((await inventory(logs)).stdout, /no AWSLogs\/ folders; by the names of the objects:/)
  })

  it('mentions services that it does not know', async () => {
    const logs = folderOf(
      trailKey(A, 'us-east-1', '2026-03-02'),
      `AWSLogs/${A}/network-firewall/x`,
      `AWSLogs/${A}/NewService/x/y`,
    )
    assert.deepEqual((await json(logs)).others, [
      { name: 'NewService', about: 'unknown', accounts: [A] },
      { name: 'network-firewall', about: 'Network Firewall', accounts: [A] },
    ])
  })

  it('shows names of strangers without their control characters', async () => {
    const logs = folderOf(trailKey(A, 'us-east-1', '2026-03-02'), `AWSLogs/${A}/\u001b[31mred/x/y`)
    assert.ok(!(await inventory(logs)).stdout.includes('\u001b'))
  })
})

describe('inventory without logs', () => {
  const table: [what: string, logs: () => string, message: RegExp][] = [
    ['no folder', () => join(tempFolder(), 'absent'), /no folder .*absent/],
    ['an empty folder', () => tempFolder(), /is empty\n +name the folder or prefix that holds AWSLogs\//],
    ['other files', () => folderOf('a/readme.md'), /neither AWSLogs\/ nor names such as AWS gives[\s\S]*a\/readme\.md/],
  ]
  for (const [what, logs, message] of table)
    it(what, async () => {
      const { stdout, stderr, code } = await inventory(logs())
      assert.deepEqual([stdout, code], ['', 1])
      assert.match(stderr, message)
    })

  it('no --logs, an unknown source, a bad account', async () => {
    const bad: [args: string[], message: RegExp][] = [
      [[], /no logs\n +add --logs/],
      [['--logs', '.', '--source', 'elb'], /must be one of cloudtrail, waf/],
      [['--logs', '.', '--account', '123'], /12 digits/],
    ]
    for (const [args, message] of bad) {
      const { stdout, stderr, code } = await runScript('inventory', args)
      assert.deepEqual([stdout, code], ['', 2])
      assert.match(stderr, message)
    }
  })
})

const SAMPLES = `${ROOT}../shared/samples`
it('inventory of real CloudTrail files', { skip: existsSync(SAMPLES) ? false : 'no sample logs here' }, async () => {
  const { sources } = await json(`${SAMPLES}/invictus-ir_aws_dataset`)
  assert.deepEqual(brief({ sources, others: [], listRequests: 0 }), [
    ['cloudtrail', 'loose', '2023-07-10', '2023-07-10'],
  ])
  assert.equal(sources[0]?.objects, 55)
})
