import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { before, describe, it } from 'node:test'
import { avroRecords } from '../../scripts/lib/stores/iceberg/avro.ts'
import { avroFile } from '../support/avro.ts'
import { MANIFEST_FILE, writeTable } from '../support/iceberg.ts'
import { runScript } from '../support/run-script.ts'
import { pairsIn } from '../support/staged-run.ts'
import { tempFolder } from '../support/temp.ts'
import { lastHour, scratch, stagedFiles, stageInto, writeObjects } from './logs.ts'

const FIXTURE = new URL('fixture/iceberg', import.meta.url).pathname
const TABLE = 'aws/CLOUD_TRAIL_MGMT/2.0'
const SOURCE = ['--source', 'securitylake', '--output', 'json']
const DAY = ['--from', '2026-03-02', '--to', '2026-03-03']

/** A copy of the table that pyiceberg made, and staging from it. */
function lake() {
  const [logs, workspace] = [tempFolder(), tempFolder()]
  cpSync(FIXTURE, logs, { recursive: true })
  const stage = (...args: readonly string[]) =>
    runScript('stage', [
      ...SOURCE,
      '--logs',
      logs,
      '--workspace',
      workspace,
      ...args,
      ...(args.includes('--from') ? [] : DAY),
    ])
  const named = (pattern: RegExp) => {
    const name = readdirSync(`${logs}/${TABLE}/metadata`).find((one) => pattern.test(one))
    return `${logs}/${TABLE}/metadata/${name}`
  }
  return { logs, workspace, stage, named }
}

describe('a table of Iceberg that another program made', () => {
  let [staged, pairs]: [{ objects: number; run: string }, string[]] = [{ objects: 0, run: '' }, []]
  before(async () => {
    const { stage, workspace } = lake()
    const { code, stdout, stderr } = await stage()
    assert.equal(code, 0, stderr)
    staged = JSON.parse(stdout)
    const extracted = await runScript('extract', ['--workspace', workspace, '--run', staged.run])
    assert.equal(extracted.code, 0, extracted.stderr)
    pairs = pairsIn(`${workspace}/runs/${staged.run}`)
  })

  it('has the files of its current snapshot alone, those of the window', () => assert.equal(staged.objects, 3))

  it('gives every row once: not the deleted one, nor those of the file that was replaced', () =>
    assert.deepEqual(pairs, [
      ...['AIDAADA 8.8.1.1', 'AIDAADA 8.8.1.3', 'AIDABOB 8.8.9.1', 'AIDABOB 8.8.9.2'],
      ...['AIDACYD 8.8.5.1', 'AIDACYD 8.8.5.2'],
    ]))

  for (const [args, objects] of [
    [['--account', '444455556666'], 1],
    [['--region', 'us-east-1'], 2],
    [['--from', '2026-03-02T09:00', '--to', '2026-03-02T10:00'], 1],
    [['--from', '2026-03-02T05:02', '--to', '2026-03-02T09:00'], 1],
  ] as const)
    it(`is narrowed by ${args.join(' ')}`, async () => {
      const { code, stdout, stderr } = await lake().stage(...args)
      assert.equal(code, 0, stderr)
      assert.equal(JSON.parse(stdout).objects, objects)
    })
})

it('an inventory tells the days of a table, and why it cannot', async () => {
  const { logs } = lake()
  const look = () => runScript('inventory', ['--logs', logs, '--output', 'json'])
  const [found] = JSON.parse((await look()).stdout).sources
  assert.deepEqual(
    [found.source, found.layout, found.first, found.last],
    ['securitylake', 'securitylake-cloudtrail-2', '2026-03-02', '2026-03-05'],
  )
  rmSync(`${logs}/${TABLE}/metadata`, { recursive: true })
  assert.match((await look()).stderr, /has no metadata of its Iceberg table/)
})

const refusals: [what: string, change: (of: ReturnType<typeof lake>) => void, says: RegExp, hint: RegExp][] = [
  [
    'metadata that was not copied',
    ({ logs }) => rmSync(`${logs}/${TABLE}/metadata`, { recursive: true }),
    /has no metadata of its Iceberg table, .*: which of its files hold the current rows.* cannot be known/,
    /copy metadata\/ with the rest; or take .*--source cloudtrail/,
  ],
  [
    'two commits of one number',
    ({ named }) => cpSync(named(/^00004-/), named(/^00004-/).replace('00004-', '00004-0')),
    /have the same number: which of them is in force only the catalog knows/,
    /try again in a few minutes/,
  ],
  [
    'a data file that is gone',
    ({ logs }) => rmSync(`${logs}/${TABLE}/data/region=eu-west-1`, { recursive: true }),
    /region=eu-west-1.*: named by the table’s metadata, but not there: removed by the lake’s retention/,
    /stage-failures\.csv/,
  ],
  [
    'rows that were deleted apart from their file',
    ({ logs, named }) => {
      const list = named(/^snap-/)
      const rows = [...avroRecords(readFileSync(list))].map((row) => Object.assign({}, row, { content: 1 }))
      writeFileSync(list, avroFile(MANIFEST_FILE, rows))
      assert.ok(logs)
    },
    /rows were deleted from the Iceberg table .*: its data files alone would count them/,
    /--source cloudtrail/,
  ],
  [
    'metadata that is cut',
    ({ named }) => writeFileSync(named(/-m0\.avro$/), readFileSync(named(/-m0\.avro$/)).subarray(0, -40)),
    /-m0\.avro is no metadata of an Iceberg table that prestage understands: /,
    /report it/,
  ],
  [
    'both versions of one kind of events',
    ({ logs }) => {
      const key = 'aws/CLOUD_TRAIL_MGMT/1.0/region=us-east-1/accountId=111122223333/eventDay=20260302/a.gz.parquet'
      cpSync(`${logs}/${TABLE}/data/region=eu-west-1`, `${logs}/${key}`.replace(/a\.gz\.parquet$/, ''), {
        recursive: true,
      })
      writeFileSync(`${logs}/${key}`, 'PAR1')
    },
    /the window is in version 1 and in version 2 of the lake, .*: its events would count twice/,
    /name the folder of one version with --logs, .*take the other folder away/,
  ],
]

describe('a table of Iceberg is refused', () => {
  for (const [what, change, says, hint] of refusals)
    it(`for ${what}`, async () => {
      const of = lake()
      change(of)
      const { code, stderr } = await of.stage()
      assert.equal(code, 1, stderr)
      assert.match(stderr, says)
      assert.match(stderr, hint)
      assert.doesNotMatch(stderr, /this is a bug/)
    })

  it('for an account, where files are not divided by it', async () => {
    const { logs, stage } = lake()
    const folder = `${logs}/aws/VPC_FLOW/2.0`
    rmSync(`${logs}/aws/CLOUD_TRAIL_MGMT`, { recursive: true })
    writeTable({ folder, location: 's3://lake/aws/VPC_FLOW/2.0', files: [] })
    const { code, stderr } = await stage('--account', '111122223333')
    assert.equal(code, 2)
    assert.match(stderr, /VPC_FLOW\/2\.0\/ are not divided by accountid.*\n.*leave --account out/)
  })
})

it('files that others have replaced since do not stay in a run whose late files are due', async () => {
  const [logs, workspace] = [scratch(), scratch()]
  const table = { folder: `${logs}/${TABLE}`, location: `s3://lake/${TABLE}` }
  const current = (...keys: readonly string[]) => {
    writeObjects(table.folder, Object.fromEntries(keys.map((key) => [key, key])))
    writeTable({ ...table, files: keys.map((key) => ({ key, region: 'us-east-1', day: null })) })
  }
  const args = ['--source', 'securitylake', ...lastHour().window.slice(2)]
  current('a.parquet', 'b.parquet')
  const first = await stageInto(workspace, logs, args)
  assert.deepEqual([first.result?.objects, first.result?.final], [2, false], first.stderr)
  current('b.parquet', 'ab.parquet')
  const second = await stageInto(workspace, logs, args)
  assert.deepEqual([second.result?.objects, second.result?.skipped], [2, 1], second.stderr)
  assert.deepEqual(stagedFiles(second.result.staged), [`${TABLE}/ab.parquet`, `${TABLE}/b.parquet`])
})

describe('Avro', () => {
  const LONG = { type: 'record', name: 'r', fields: [{ name: 'n', type: 'long' }] }
  for (const n of [0, -1, 63, 64, -65, 2 ** 31, Number.MAX_SAFE_INTEGER, 2n ** 62n, -(2n ** 63n)])
    for (const codec of ['null', 'deflate'] as const)
      it(`${n}, ${codec}`, () =>
        assert.deepEqual([...avroRecords(avroFile(LONG, [{ n }, { n }], codec))], [{ n }, { n }]))

  const whole = avroFile(LONG, [{ n: 5 }], 'null')
  for (const [what, bytes, says] of [
    ['no Avro', Buffer.from('{"n": 5}'), /not a file of Avro/],
    ['a cut file', whole.subarray(0, -1), /Avro ends too early/],
    [
      'another codec',
      Buffer.from(whole.toString('latin1').replace('\x08null', '\x0csnappy'), 'latin1'),
      /snappy, which is not read/,
    ],
    [
      'a wrong end of a block',
      Buffer.concat([whole.subarray(0, -1), Buffer.from([(whole.at(-1) ?? 0) ^ 1])]),
      /does not end as it should/,
    ],
  ] as const)
    it(`${what} is an error`, () => assert.throws(() => [...avroRecords(bytes)], says))
})
