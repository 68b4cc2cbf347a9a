import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { UserError } from '../../../scripts/lib/cli/errors.ts'
import { type DiscoverOptions, discover, type Lister } from '../../../scripts/lib/sources/discover.ts'
import { sourceOf } from '../../../scripts/lib/sources/registry.ts'
import { listerOf } from './lister.ts'

const log = (root: string, org: string, account: string, region: string) =>
  `${root}AWSLogs/${org}${account}/CloudTrail/${region}/2026/03/02/${account}_CloudTrail_${region}_20260302T0005Z_a.json.gz`
const web = (root: string, org: string, account: string, region: string, acl: string) =>
  `${root}AWSLogs/${org}${account}/WAFLogs/${region}/${acl}/2026/03/02/00/05/${account}_waflogs_${region}_${acl}_20260302T0005Z_a.log.gz`

async function branches(keys: readonly string[], source: string, options: Partial<DiscoverOptions> = {}) {
  const lister = listerOf(keys)
  const { branches, roots, skipped } = await discover(lister, sourceOf(source), {
    base: '',
    concurrency: 4,
    ...options,
  })
  return { paths: branches.map(({ path }) => path).sort(), branches, roots, skipped, asked: lister.asked }
}

const [A, B] = ['111122223333', '012345678901']

describe('discovery of CloudTrail', () => {
  const layouts: [what: string, keys: string[], paths: string[], roots: string[]][] = [
    ['an account', [log('', '', A, 'us-east-1')], [`AWSLogs/${A}/CloudTrail/us-east-1/`], ['']],
    [
      'an organization',
      [log('', 'o-abc/', A, 'us-east-1'), log('', 'o-abc/', B, 'eu-west-1')],
      [`AWSLogs/o-abc/${B}/CloudTrail/eu-west-1/`, `AWSLogs/o-abc/${A}/CloudTrail/us-east-1/`],
      [''],
    ],
    [
      'Control Tower',
      [log('o-abc/', 'o-abc/', A, 'us-east-1')],
      [`o-abc/AWSLogs/o-abc/${A}/CloudTrail/us-east-1/`],
      ['o-abc/'],
    ],
    [
      'accounts of an organization without its id, beside one with it',
      [log('', '', A, 'us-east-1'), log('', 'o-abc/', B, 'us-east-1')],
      [`AWSLogs/${A}/CloudTrail/us-east-1/`, `AWSLogs/o-abc/${B}/CloudTrail/us-east-1/`],
      [''],
    ],
    [
      'several prefixes, one with slashes, one that begins with one',
      [log('a/b/c/', '', A, 'us-east-1'), log('d/', '', A, 'us-east-1'), log('/', '', B, 'us-east-1')],
      [
        `/AWSLogs/${B}/CloudTrail/us-east-1/`,
        `a/b/c/AWSLogs/${A}/CloudTrail/us-east-1/`,
        `d/AWSLogs/${A}/CloudTrail/us-east-1/`,
      ],
      ['/', 'a/b/c/', 'd/'],
    ],
    ['nothing', ['readme.txt', 'other/folder/x'], [], []],
    ['another service alone', [web('', '', A, 'us-east-1', 'acl')], [], ['']],
    [
      'neighbours of CloudTrail alone',
      [log('', '', A, 'us-east-1').replaceAll('CloudTrail', 'CloudTrail-Digest')],
      [],
      [''],
    ],
    ['folders that are no accounts', [log('', '', 'hostile', 'us-east-1'), log('', '', '12', 'us-east-1')], [], ['']],
  ]
  for (const [what, keys, paths, roots] of layouts)
    it(`finds ${what}`, async () => {
      const found = await branches(keys, 'cloudtrail')
      assert.deepEqual([found.paths, found.roots], [paths.toSorted(), roots])
    })

  it('knows which account and region a branch is of', async () => {
    const { branches: found } = await branches([log('p/', 'o-abc/', B, 'eu-west-1')], 'cloudtrail')
    assert.deepEqual(found[0]?.variables, { org: 'o-abc', account: B, region: 'eu-west-1' })
  })

  it('narrows to accounts and regions, and does not even look into others', async () => {
    const keys = [log('', '', A, 'us-east-1'), log('', '', B, 'us-east-1'), log('', '', B, 'eu-west-1')]
    const found = await branches(keys, 'cloudtrail', { accounts: [B], regions: ['eu-west-1'] })
    assert.deepEqual(found.paths, [`AWSLogs/${B}/CloudTrail/eu-west-1/`])
    assert.ok(found.asked.every((prefix) => !prefix.includes(A)))
  })

  const keys = [
    log('p/q/', 'o-abc/', A, 'us-east-1'),
    log('p/q/', 'o-abc/', B, 'eu-west-1'),
    log('z/', '', A, 'us-east-1'),
  ]
  const bases: [base: string, found: number][] = [
    ['', 3],
    ['p/', 2],
    ['p/q/', 2],
    ['p/q/AWSLogs/', 2],
    ['p/q/AWSLogs/o-abc/', 2],
    [`p/q/AWSLogs/o-abc/${B}/`, 1],
    [`p/q/AWSLogs/o-abc/${B}/CloudTrail/`, 1],
    [`p/q/AWSLogs/o-abc/${B}/CloudTrail/eu-west-1/`, 1],
    [`p/q/AWSLogs/o-abc/${B}/CloudTrail/eu-west-1/2026/03/`, 1],
    [`p/q/AWSLogs/o-abc/${B}/CloudTrail-Digest/`, 0],
    ['nowhere/', 0],
  ]
  for (const [base, expected] of bases)
    it(`below "${base}" finds ${expected}`, async () => {
      const { paths, asked } = await branches(keys, 'cloudtrail', { base })
      assert.equal(paths.length, expected)
      // What lies beside the way down is nobody's business.
      assert.ok(asked.every((prefix) => prefix.startsWith(base) || base.startsWith(prefix)))
      assert.ok(!base.startsWith('p/') || asked.every((prefix) => !prefix.startsWith('z/')))
    })

  it('asks once for each folder, and for none that holds objects', async () => {
    const many = [A, B].flatMap((account) =>
      ['us-east-1', 'eu-west-1'].map((region) => log('', 'o-abc/', account, region)),
    )
    const { asked } = await branches(many, 'cloudtrail')
    assert.equal(new Set(asked).size, asked.length)
    assert.ok(asked.every((prefix) => !/\/2026\//.test(prefix)))
    // '', AWSLogs/, o-abc/, and for each account CloudTrail/.
    assert.ok(asked.length <= 7, asked.join(' '))
  })

  it('gives up on a folder with hundreds of others, and says so', async () => {
    const crowd = Array.from({ length: 150 }, (_, i) => `tenant-${i}/AWSLogs/x`)
    const { paths, skipped } = await branches([...crowd, log('', '', A, 'us-east-1')], 'cloudtrail')
    assert.equal(paths.length, 1)
    assert.deepEqual(skipped, ['too many folders below "" to look for logs in each: name a longer --logs'])
  })

  /** A bucket or folder of which a part may not be listed. */
  const guarded = (all: readonly string[], closed: string, error: Error): Lister => {
    const lister = listerOf(all)
    return {
      prefixes: async (options) => {
        if (options.prefix.startsWith(closed)) throw error
        return lister.prefixes(options)
      },
    }
  }
  const denials: [what: string, error: Error][] = [
    ['a folder', Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES', syscall: 'scandir' })],
    ['a bucket', new UserError('list s3://b/x: AccessDenied', { exitCode: 4 })],
  ]
  for (const [what, error] of denials) {
    const all = [log('', '', A, 'us-east-1'), 'lost+found/"x"/y', `other/${log('', '', B, 'us-east-1')}`]
    const look = (closed: string, base = '') =>
      discover(guarded(all, closed, error), sourceOf('cloudtrail'), { base, concurrency: 4 })

    it(`leaves out what may not be looked into beside logs in ${what}, and says so`, async () => {
      const { branches: found, skipped } = await look('lost+found/')
      assert.equal(found.length, 2)
      assert.deepEqual(skipped, ['no right to look for logs in "lost+found/": what lies there is left out'])
    })

    const needed: [what: string, closed: string, base?: string][] = [
      ['what was named', ''],
      ['what was named below', 'other/', 'other/'],
      ['what holds logs', 'AWSLogs/'],
      ['an account', `AWSLogs/${A}/CloudTrail/`],
    ]
    for (const [which, closed, base] of needed)
      it(`ends where ${which} may not be looked into in ${what}`, () => assert.rejects(look(closed, base), error))
  }

  it('ends at any other failure', () => {
    const broken = guarded([log('', '', A, 'us-east-1'), 'x/y/z'], 'x/', new Error('connection lost'))
    return assert.rejects(discover(broken, sourceOf('cloudtrail'), { base: '', concurrency: 4 }), /connection lost/)
  })
})

describe('discovery of WAF', () => {
  it('finds web ACLs of regions and of CloudFront', async () => {
    const keys = [web('', '', A, 'us-east-1', 'my_acl-1'), web('', '', A, 'cloudfront', 'cf')]
    const { branches: found } = await branches(keys, 'waf')
    const variables = found.filter(({ layout }) => layout.id === 'waf-s3').map((branch) => branch.variables)
    assert.deepEqual(variables.map(({ region, acl }) => `${region} ${acl}`).sort(), [
      'cloudfront cf',
      'us-east-1 my_acl-1',
    ])
  })

  it('finds what Firehose wrote, below any prefix', async () => {
    const name = 'aws-waf-logs-x-1-2026-03-02-21-25-30-9f2a8e5c'
    const { branches: found } = await branches([`2026/03/02/21/${name}`, `waf/logs/2026/03/02/21/${name}`], 'waf')
    assert.deepEqual(found.map(({ layout, path }) => `${layout.id} ${path}`).sort(), [
      'waf-firehose ',
      'waf-firehose waf/logs/',
    ])
  })
})

describe('discovery of CloudFront', () => {
  const name = (id: string) => `${id}.2026-03-02-10.0a1b2c3d.gz`
  const [E1, E2] = ['E1EXAMPLE1ABCD', 'E2EXAMPLE1ABCD']
  const day = 'year=2026/month=03/day=02/'
  const cases: [what: string, folder: string, found: string][] = [
    ['without a suffix', `AWSLogs/${A}/CloudFront/`, `cloudfront ${A}`],
    ['in a folder of the distribution', `AWSLogs/${A}/CloudFront/${E1}/`, `cloudfront ${A}`],
    ['by hour', `AWSLogs/${A}/CloudFront/${E1}/2026/03/02/10/`, `cloudfront-dated ${A}`],
    [
      'by day, Hive-compatible',
      `AWSLogs/aws-account-id=${A}/CloudFront/a/distributionid=${E1}/${day}`,
      `cloudfront-hive ${A}`,
    ],
    ['below a prefix', `logs/cdn/${E1}/2026/03/02/`, 'cloudfront-dated undefined'],
    ['below a prefix and the account', `logs/${A}/${E1}/2026/03/02/`, 'cloudfront-dated undefined'],
    ['below a prefix, Hive-compatible', `logs/DistributionId=${E1}/${day}hour=10/`, 'cloudfront-hive undefined'],
    ['legacy, in a folder of any name', 'PROD/', 'cloudfront undefined'],
  ]
  for (const [what, folder, expected] of cases)
    it(`finds logs ${what}`, async () => {
      const { branches: found } = await branches([`${folder}${name(E1)}`], 'cloudfront')
      assert.deepEqual(
        found.map(({ layout, variables }) => `${layout.id} ${variables.account}`),
        [expected],
      )
      assert.ok(`${folder}${name(E1)}`.startsWith(found[0]?.path ?? '-'))
    })

  it('opens the folders of all distributions, and of no other account than was asked for', async () => {
    const ids = Array.from({ length: 150 }, (_, i) => `E${i}EXAMPLE1ABCD`)
    const all = [...ids.map((id) => [A, id] as const), ['999999999999', E2] as const]
    const keys = all.map(([account, id]) => `AWSLogs/${account}/CloudFront/${id}/2026/03/02/10/${name(id)}`)
    const { branches: found, skipped } = await branches(keys, 'cloudfront', { accounts: [A] })
    assert.deepEqual([found.length, skipped], [150, []])
  })
})
