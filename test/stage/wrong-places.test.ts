import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { contents, scratch, stageDay, trailKey, writeObjects } from './logs.ts'

const logs = join(scratch(), "it's here")
const key = trailKey('111122223333', 'us-east-1', '20260302T1000Z')
writeObjects(logs, { ...contents([key]), 'junk/notes.txt': 'x', 'waf/AWSLogs/111122223333/WAFLogs/x': 'x' })
const organization = 'AWSLogs/o-abc123'

const places: [what: string, at: string, args: string[], code: number, says: RegExp][] = [
  ['a folder that is not there', `${logs}/gone`, [], 1, /^stage: no folder .*it's here\/gone\n$/],
  ['a file', `${logs}/junk/notes.txt`, [], 1, /^stage: no folder .*notes\.txt: a file is in its place\n$/],
  [
    'a folder of something else',
    `${logs}/junk`,
    [],
    1,
    /stage: no cloudtrail logs of .*\n.*\n {4}there is nothing near it either\n.* --logs '.*it'\\''s here\/junk'\n$/,
  ],
  [
    'AWSLogs/ of another source',
    `${logs}/waf`,
    [],
    1,
    /^stage: .*\/waf has AWSLogs\/, but no cloudtrail logs\n.*inventory\.mjs --logs '.*it'\\''s here\/waf'\n$/,
  ],
  [
    'a folder within AWSLogs/, of another source',
    `${logs}/waf/AWSLogs/111122223333`,
    [],
    1,
    /^stage: .*\/111122223333 has no cloudtrail logs\n/,
  ],
  [
    'another window',
    `${logs}/${organization}`,
    ['--from', '2026-03-05', '--to', '2026-03-06'],
    1,
    /nearest before: .*20260302T1000Z.*\n.*inventory\.mjs --logs '.*it'\\''s here\/AWSLogs\/o-abc123'\n$/,
  ],
  ['a bucket that can be none', 's3://a_b', [], 2, /^stage: s3:\/\/a_b: "a_b" is not a bucket name\n/],
  [
    'a web site',
    'https://example.com/logs',
    [],
    2,
    /^stage: https:.*: only folders and s3:\/\/ URIs are understood\n$/,
  ],
]

const forging = trailKey('111122223333', 'us-east-1', '20260302T1000Z', 'x\nstage: all is well')

describe('logs that are not where they were looked for', () => {
  for (const [what, at, args, code, says] of places)
    it(`${what}: said in a way that helps, and in which a command can be copied`, async () => {
      const ended = await stageDay(at, args)
      assert.match(ended.stderr, says)
      assert.doesNotMatch(ended.stderr, /warning/)
      assert.deepEqual([ended.stdout, ended.code], ['', code])
    })

  it('a key that is near speaks for itself alone', async () => {
    const hostile = scratch()
    writeObjects(hostile, contents([forging]))
    const { stderr } = await stageDay(hostile, ['--from', '2026-03-05', '--to', '2026-03-06'])
    assert.match(stderr, /nearest before: ".*_x\\nstage: all is well\.json\.gz"\n/)
    assert.doesNotMatch(stderr, /^stage: all is well/m)
  })
})
