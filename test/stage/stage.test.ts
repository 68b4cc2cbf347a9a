import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { runProcess } from '../support/run-script.ts'
import { contents, hourlyKeys, scratch, stagedFiles, stageInto, trailKey, writeObjects } from './logs.ts'

const DAY = ['--source', 'cloudtrail', '--from', '2026-03-02', '--to', '2026-03-03']

const stage = (logs: string, workspace: string, args: readonly string[] = DAY) => stageInto(workspace, logs, args)

/** Path and content of everything below a folder, but for the ledger's times. */
const fingerprint = (folder: string): string => {
  const hash = createHash('sha256')
  for (const file of stagedFiles(folder))
    if (!file.endsWith('run.json')) hash.update(`${file}\n`).update(readFileSync(join(folder, file)))
  return hash.digest('hex')
}

describe('stage', () => {
  const keys = hourlyKeys(
    ['012345678901', '111122223333'],
    ['eu-west-1', 'us-east-1'],
    ['20260301', '20260302', '20260303'],
  )
  const decoys = [
    'AWSLogs/o-abc123/012345678901/CloudTrail-Digest/us-east-1/2026/03/02/012345678901_CloudTrail-Digest_us-east-1_t_us-east-1_20260302T120000Z.json.gz',
    'AWSLogs/o-abc123/012345678901/CloudTrail-Insight/us-east-1/2026/03/02/012345678901_CloudTrail-Insight_us-east-1_20260302T1200Z_x.json.gz',
    'AWSLogs/o-abc123/012345678901/CloudTrail/us-east-1/2026/03/02/notes.txt',
  ]
  const logs = scratch()
  writeObjects(logs, contents([...keys, ...decoys]))
  const expected = keys.filter(
    (key) => key.includes('20260302') || key.includes('20260303T0000Z') || key.includes('20260303T0100Z'),
  )

  it('links exactly the objects that may hold events of the window, and proves them', async () => {
    const workspace = scratch()
    const { result, code, stderr } = await stage(logs, workspace)
    assert.equal(code, 0, stderr)
    assert.deepEqual(stagedFiles(result.staged), expected.toSorted())
    assert.equal(result.objects, expected.length)
    assert.equal(result.copied, expected.length)
    assert.equal(
      result.bytes,
      expected.reduce((sum, key) => sum + `content of ${key}`.length, 0),
    )
    const manifest = readFileSync(result.manifest, 'utf8').trimEnd().split('\n')
    assert.deepEqual(
      manifest.map((row) => decodeURIComponent(row.split(',')[1] ?? '')),
      expected.toSorted(),
    )
    for (const key of expected) assert.equal(statSync(join(result.staged, key)).ino, statSync(join(logs, key)).ino)
  })

  it('narrows to accounts and regions, whose ids keep their zeros', async () => {
    const { result } = await stage(logs, scratch(), [...DAY, '--account', '012345678901', '--region', 'us-east-1'])
    assert.deepEqual(
      stagedFiles(result.staged),
      expected.filter((key) => key.includes('012345678901') && key.includes('us-east-1')).toSorted(),
    )
  })

  it('shows a plan and writes nothing with --dry-run', async () => {
    const workspace = join(scratch(), 'new')
    const { result, code } = await stage(logs, workspace, [...DAY, '--dry-run'])
    assert.equal(code, 0)
    assert.deepEqual([result.objects, result.estimatedUsd], [expected.length, 0])
    assert.equal(existsSync(workspace), false)
  })

  it('reports what is done, and copies again only what is gone', async () => {
    const workspace = scratch()
    const first = await stage(logs, workspace)
    const again = await stage(logs, workspace)
    assert.deepEqual([again.result.repeated, again.result.run], [true, first.result.run])
    assert.deepEqual([again.result.copied, again.result.skipped], [0, expected.length])
    rmSync(join(first.result.staged, expected[3] ?? ''))
    const healed = await stage(logs, workspace)
    assert.deepEqual([healed.result.copied, healed.result.skipped], [1, expected.length - 1])
    assert.deepEqual(stagedFiles(first.result.staged), expected.toSorted())
  })

  it('plans without what the logs have lost before it was copied, and copies only what is missing', async () => {
    const [own, workspace] = [scratch(), scratch()]
    writeObjects(own, contents(keys))
    const first = await stage(own, workspace)
    const [lost = '', missing = ''] = expected
    for (const path of [join(first.result.staged, lost), join(own, lost), join(first.result.staged, missing)])
      rmSync(path)
    const refused = await stage(own, workspace)
    assert.equal(refused.code, 1)
    assert.match(
      refused.stderr,
      /1 object of the manifest could not be staged\n.*gone from the logs since it was listed/,
    )
    const { result, stderr } = await stage(own, workspace)
    assert.ok(result, stderr)
    assert.deepEqual([result.objects, result.copied], [expected.length - 1, 0])
    assert.match(stderr, /warning: gone from the logs before they were copied, and left out: 1 object\n/)
    assert.deepEqual(stagedFiles(result.staged), expected.filter((key) => key !== lost).toSorted())
  })

  it('refuses staged objects that the manifest does not name, until told to plan anew', async () => {
    const workspace = scratch()
    const { result } = await stage(logs, workspace)
    writeFileSync(join(result.staged, 'AWSLogs/foreign.json.gz'), 'x')
    const refused = await stage(logs, workspace)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /1 object lies in staged\/ that the manifest does not name[\s\S]*foreign\.json\.gz/)
    const anew = await stage(logs, workspace, [...DAY, '--overwrite'])
    assert.equal(anew.result.copied, expected.length)
    assert.deepEqual(stagedFiles(result.staged), expected.toSorted())
  })

  it('names what it looked at and what lies nearest when a window is empty', async () => {
    const { code, stderr } = await stage(logs, scratch(), [
      '--source',
      'cloudtrail',
      '--from',
      '2026-03-08',
      '--to',
      '2026-03-09',
    ])
    assert.equal(code, 1)
    assert.match(stderr, /4 branches, 2 accounts, 2 regions; key times 2026-03-07T23:45Z to 2026-03-09T01:00Z/)
    assert.match(stderr, /nearest before: .*20260303T2300Z/)
  })

  it('takes an account that is not there for a slip', async () => {
    const { code, stderr } = await stage(logs, scratch(), [...DAY, '--account', '999999999999'])
    assert.equal(code, 1)
    assert.match(stderr, /none of account 999999999999[\s\S]*accounts there: 012345678901, 111122223333/)
  })

  it('warns when the region of global services is left out', async () => {
    const { stderr } = await stage(logs, scratch(), [...DAY, '--region', 'eu-west-1'])
    assert.match(stderr, /warning: .*us-east-1, which --region leaves out/)
  })

  it('finds plain, organization and Control Tower layouts, also from a folder inside', async () => {
    const odd = scratch()
    const found = [
      trailKey('111122223333', 'us-east-1', '20260302T1000Z', 'plain', ''),
      `o-abc123/${trailKey('111122223333', 'us-east-1', '20260302T1000Z', 'tower')}`,
      `some/prefix/${trailKey('111122223333', 'us-east-1', '20260302T1000Z', 'deep')}`,
    ]
    writeObjects(odd, contents(found))
    const { result } = await stage(odd, scratch())
    assert.deepEqual(stagedFiles(result.staged), found.toSorted())
    const inside = await stage(join(odd, 'some/prefix/AWSLogs/o-abc123'), scratch())
    assert.deepEqual(stagedFiles(inside.result.staged), [found[2]?.slice('some/prefix/'.length)])
  })

  const branch = 'AWSLogs/o-abc123/111122223333/CloudTrail/us-east-1/'
  const deeper: [below: string, wanted: (key: string) => boolean][] = [
    ['2026/', (key) => key.includes('2026')],
    ['2026/03/02', (key) => key.includes('20260302')],
    ['2026/03/03', (key) => key.includes('20260303')],
  ]
  for (const [below, wanted] of deeper)
    it(`takes only what lies below the folder that was named: ${below}`, async () => {
      const { result, stderr } = await stage(join(logs, branch, below), scratch())
      assert.ok(result, stderr)
      assert.deepEqual(
        stagedFiles(result.staged),
        expected.filter((key) => key.startsWith(branch) && wanted(key)).toSorted(),
      )
    })

  it('looks for the nearest below the folder that was named, too', async () => {
    const { code, stderr } = await stage(join(logs, branch, '2026/03/01'), scratch(), [
      '--source',
      'cloudtrail',
      '--from',
      '2026-03-02T12:00',
      '--to',
      '2026-03-02T13:00',
    ])
    assert.equal(code, 1)
    assert.match(stderr, /no cloudtrail logs of [\s\S]*nearest before: .*20260301T2300Z/)
    assert.doesNotMatch(stderr, /nearest after/)
  })

  it('goes by names where logs were copied out of their folders', async () => {
    const loose = scratch()
    writeObjects(
      loose,
      contents([
        'a/111122223333_CloudTrail_us-east-1_20260302T1000Z_x.json.gz',
        'b/111122223333_CloudTrail_us-east-1_20260309T1000Z_x.json.gz',
        'notes.json',
      ]),
    )
    const { result } = await stage(loose, scratch())
    assert.deepEqual(stagedFiles(result.staged), ['a/111122223333_CloudTrail_us-east-1_20260302T1000Z_x.json.gz'])
  })
})

describe('stage with hostile keys', () => {
  it('writes nothing outside staged/, and every key comes through', async () => {
    const logs = scratch()
    const name = '111122223333_CloudTrail_us-east-1_20260302T1000Z_'
    const odd = [
      'a b',
      'c+d',
      '100%',
      '%2E',
      'e,f',
      '"g"',
      "'h'",
      'i\nj',
      'k*l?[m]',
      'mün-東',
      '$(id)',
      '`id`',
      '; rm -rf',
      '-n',
    ]
    writeObjects(logs, contents(odd.map((tail) => trailKey('111122223333', 'us-east-1', '20260302T1000Z', tail))))
    // A folder that stands for the key segment "..": such keys can lie in a bucket.
    writeObjects(logs, contents([`%2E%2E/%2E%2E/%2E%2E/%2E%2E/${name}up.json.gz`, `%/${name}empty.json.gz`]))
    const workspace = scratch()
    const { result, stderr } = await stage(join(logs, 'AWSLogs'), workspace)
    assert.ok(result, stderr)
    assert.equal(result.objects, odd.length)
    rmSync(join(logs, 'AWSLogs'), { recursive: true })
    const loose = await stage(logs, workspace)
    assert.equal(loose.result.objects, 2, loose.stderr)
    const runs = readdirSync(join(workspace, 'runs')).map((run) => join(workspace, 'runs', run, 'staged'))
    const outside = stagedFiles(workspace).filter(
      (file) => file !== '/latest/cloudtrail.json' && !runs.some((run) => `${workspace}${file}`.startsWith(run)),
    )
    assert.deepEqual(
      outside
        .map((file) => file.split('/').at(-1))
        .filter((file) => !/^(run\.json|manifest\.csv|selection\.csv)$/.test(file ?? '')),
      [],
    )
    const manifest = readFileSync(loose.result.manifest, 'utf8')
    assert.match(manifest, /,\.\.\/\.\.\/\.\.\/\.\.\/111122223333_CloudTrail/)
  })
})

describe('stage, killed', () => {
  it('ends in the same bytes when it is started again', async () => {
    const logs = scratch()
    writeObjects(
      logs,
      contents(
        hourlyKeys(
          ['111122223333', '222233334444', '333344445555'],
          ['us-east-1', 'eu-west-1', 'eu-west-2', 'sa-east-1'],
          ['20260301', '20260302', '20260303'],
        ),
      ),
    )
    const [calm, troubled] = [scratch(), scratch()]
    const whole = await stage(logs, calm)
    assert.equal(whole.code, 0, whole.stderr)
    let killed = 0
    for (const moment of ['selecting: ', 'staging', '']) {
      const delay = 250 + killed * 60
      const { signal } = await runProcess('stage', ['--logs', logs, '--workspace', troubled, ...DAY], {
        onStderr: (soFar, kill) => {
          if (soFar.includes(moment)) setTimeout(() => kill('SIGKILL'), moment === '' ? delay : killed * 3)
        },
      })
      if (signal === 'SIGKILL') killed += 1
    }
    assert.ok(killed > 0, 'no attempt was killed in time')
    const healed = await stage(logs, troubled)
    assert.equal(healed.code, 0, healed.stderr)
    assert.equal(stagedFiles(troubled).join('\n'), stagedFiles(calm).join('\n'))
    assert.equal(fingerprint(troubled), fingerprint(calm))
  })
})
