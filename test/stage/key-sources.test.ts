import assert from 'node:assert/strict'
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { encodeKey } from '../../scripts/lib/runs/selected.ts'
import { contents, hourlyKeys, scratch, stageDay, trailKey, writeObjects } from './logs.ts'

const keys = hourlyKeys(['012345678901', '111122223333'], ['us-east-1'], ['20260301', '20260302', '20260303'])
const odd = trailKey('111122223333', 'us-east-1', '20260302T1005Z', 'a, b+c%"ü')
const expected = [...keys, odd].filter((key) => key.includes('20260302T') || /20260303T0[01]00Z/.test(key))
const logs = scratch()
writeObjects(logs, contents([...keys, odd]))

const stage = (args: readonly string[]) => stageDay(logs, args)

/** As S3 writes keys into CSV reports: a blank is a plus. */
const formEncoded = (key: string): string => encodeURIComponent(key).replaceAll('%20', '+')

/** Rows of a report in no order, as S3 writes them. */
const rows = [
  ...keys,
  odd,
  'AWSLogs/o-abc123/111122223333/CloudTrail/us-east-1/2026/03/02/notes.txt',
  // What an earlier run has staged in the same bucket.
  `prestage/bulk/cloudtrail-20260302T0000Z-20260303T0000Z-3f9a1c/staged/${odd}`,
]
  .map((key) => ({ key, size: Buffer.byteLength(`content of ${key}`) }))
  .sort((a, b) => (a.key.split('').reverse().join('') < b.key.split('').reverse().join('') ? -1 : 1))

function report(format: string, schema: string, files: readonly string[], begun: string): string {
  const folder = scratch()
  const manifest = {
    sourceBucket: 'org-logs',
    destinationBucket: 'arn:aws:s3:::inventories',
    version: '2016-11-30',
    creationTimestamp: String(Date.parse(begun)),
    fileFormat: format,
    fileSchema: schema,
    files: files.map((key) => ({ key, size: 1, MD5checksum: 'x' })),
  }
  writeObjects(folder, { 'inv/org-logs/all/2026-03-05T01-00Z/manifest.json': JSON.stringify(manifest) })
  writeObjects(folder, Object.fromEntries(files.map((key) => [key, ''])))
  return folder
}

const manifestOf = (folder: string): string => join(folder, 'inv/org-logs/all/2026-03-05T01-00Z/manifest.json')

function csvReport(
  begun = '2026-03-05T01:00:00Z',
  schema = 'Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, ETag',
): string {
  const files = ['inv/org-logs/all/data/1.csv.gz', 'inv/org-logs/all/data/2.csv.gz']
  const folder = report('CSV', schema, files, begun)
  const gone = { key: trailKey('111122223333', 'us-east-1', '20260302T1110Z', 'gone'), size: 1 }
  for (const [i, file] of files.entries()) {
    const own = rows
      .filter((_, at) => at % 2 === i)
      .map(({ key, size }) => `"org-logs","${formEncoded(key)}","v2","true","false","${size}","aa"`)
    const old = `"org-logs","${formEncoded(odd)}","v1","false","false","1","bb"`
    const marker = `"org-logs","${formEncoded(gone.key)}","v3","true","true","",""`
    writeFileSync(join(folder, file), gzipSync(`${[...own, ...(i === 0 ? [old, marker] : [])].join('\n')}\n`))
  }
  return manifestOf(folder)
}

async function parquetReport(): Promise<string> {
  const file = 'inv/org-logs/all/data/1.parquet'
  const schema =
    'message s3.inventory { required binary bucket (STRING); required binary key (STRING); optional int64 size; optional binary e_tag (STRING); }'
  const folder = report('Parquet', schema, [file], '2026-03-05T01:00:00Z')
  const source = join(scratch(), 'rows.json')
  writeFileSync(source, rows.map((row) => JSON.stringify({ bucket: 'org-logs', ...row, e_tag: 'aa' })).join('\n'))
  const connection = await (await DuckDBInstance.create()).connect()
  await connection.run(
    `COPY (SELECT bucket, key, size, e_tag FROM read_json('${source}')) TO '${join(folder, file)}' (FORMAT parquet)`,
  )
  return manifestOf(folder)
}

/** A report of files that fixture/make_orc.py made, with the same rows. */
function orcReport(names: readonly string[]): string {
  const schema =
    'struct<bucket:string,key:string,version_id:string,is_latest:boolean,is_delete_marker:boolean,size:bigint,last_modified_date:timestamp,e_tag:string,storage_class:string,is_multipart_uploaded:boolean,encryption_status:string>'
  const files = names.map((name) => `inv/org-logs/all/data/${name}`)
  const folder = report('ORC', schema, files, '2026-03-05T01:00:00Z')
  for (const [i, file] of files.entries())
    copyFileSync(new URL(`fixture/inventory-${names[i]}.orc`, import.meta.url), join(folder, file))
  return manifestOf(folder)
}

function otherJson(): string {
  const path = join(scratch(), 'manifest.json')
  writeFileSync(path, '{"creationTimestamp": "today", "files": []}')
  return path
}

describe('keys from an S3 Inventory report', () => {
  for (const [name, make] of [
    ['CSV', async () => csvReport()],
    ['Parquet', parquetReport],
    ['ORC, deflated', async () => orcReport(['zlib'])],
    ['ORC, with Snappy and of version 0.11', async () => orcReport(['snappy'])],
    ['ORC, neither compressed', async () => orcReport(['plain'])],
  ] as const)
    it(`${name}: those of the window, current versions only, without a LIST request`, async () => {
      const { result, stderr } = await stage(['--keys', 'inventory', '--inventory', await make()])
      assert.ok(result, stderr)
      assert.deepEqual([result.objects, result.listRequests], [expected.length, 0])
    })

  it('warn when files may have come after it, and are never final', async () => {
    const { result, stderr, stdout } = await stage([
      '--keys',
      'inventory',
      '--inventory',
      csvReport('2026-03-03T02:00:00Z'),
    ])
    assert.match(stderr, /warning: the inventory was begun at 2026-03-03 02:00 UTC/)
    assert.equal(result.final, false, stdout)
    const late = await stage(['--keys', 'inventory', '--inventory', csvReport('2026-03-04T00:30:00Z')])
    assert.equal(late.result.final, true)
  })

  const refused: [string, () => string[], RegExp][] = [
    [
      'begun before the window ended',
      () => ['--keys', 'inventory', '--inventory', csvReport('2026-03-02T20:00:00Z')],
      /before the window ends/,
    ],
    [
      'without sizes',
      () => [
        '--keys',
        'inventory',
        '--inventory',
        csvReport(undefined, 'Bucket, Key, VersionId, IsLatest, IsDeleteMarker, X, ETag'),
      ],
      /no sizes/,
    ],
    [
      'in ORC without sizes',
      () => [
        '--keys',
        'inventory',
        '--inventory',
        manifestOf(report('ORC', 'struct<bucket:string,key:string>', ['inv/x'], '2026-03-05T01:00:00Z')),
      ],
      /no sizes/,
    ],
    [
      'in ORC that is none',
      () => [
        '--keys',
        'inventory',
        '--inventory',
        manifestOf(report('ORC', 'struct<bucket:string,key:string,size:bigint>', ['inv/x'], '2026-03-05T01:00:00Z')),
      ],
      /the file inv\/x of the inventory cannot be read: it is no ORC file/,
    ],
    [
      'in ORC with Zstandard',
      () => ['--keys', 'inventory', '--inventory', orcReport(['zstd'])],
      /the file inv\/org-logs\/all\/data\/zstd of the inventory cannot be read: it is compressed with ZSTD/,
    ],
    [
      'in a format that is not known',
      () => [
        '--keys',
        'inventory',
        '--inventory',
        manifestOf(report('Avro', 'bucket, key, size', ['inv/x'], '2026-03-05T01:00:00Z')),
      ],
      /inventory reports in Avro cannot be read/,
    ],
    [
      'without a key of the window',
      () => ['--keys', 'inventory', '--inventory', orcReport(['plain']), '--account', '999999999999'],
      /no cloudtrail logs of .*\n.*inventory of org-logs, begun 2026-03-05/,
    ],
    [
      'in Parquet that is none',
      () => {
        const schema = 'message s3.inventory { required binary key (STRING); optional int64 size; }'
        return [
          '--keys',
          'inventory',
          '--inventory',
          manifestOf(report('Parquet', schema, ['inv/x'], '2026-03-05T01:00:00Z')),
        ]
      },
      /the files of the inventory cannot be read: Invalid Input Error/,
    ],
    ['that is not there', () => ['--keys', 'inventory', '--inventory', '/nowhere/manifest.json'], /no such object/],
    [
      'that is something else',
      () => ['--keys', 'inventory', '--inventory', join(logs, odd)],
      /is not the manifest\.json/,
    ],
    [
      'that is other JSON',
      () => ['--keys', 'inventory', '--inventory', otherJson()],
      /is not the manifest\.json of an S3 Inventory: sourceBucket: is missing; .*creationTimestamp: expected milliseconds since 1970, found "today"/,
    ],
    ['without being named', () => ['--keys', 'inventory'], /go together/],
  ]
  for (const [name, args, message] of refused)
    it(`refuse one ${name}`, async () => {
      const { code, stderr } = await stage(args())
      assert.ok(code === 1 || code === 2, stderr)
      assert.match(stderr, message)
      assert.doesNotMatch(stderr, /bug/)
    })
})

describe('keys from a file', () => {
  const some = [odd, ...keys.slice(24, 30)]
  const file = (name: string, text: string): string => {
    const path = join(scratch(), name)
    writeFileSync(path, text)
    return path
  }

  it('one a line, or as a manifest', async () => {
    const plain = await stage(['--keys-file', file('keys.txt', `${some.join('\n')}\n`)])
    assert.equal(plain.result?.objects, some.length, plain.stderr)
    const manifest = await stage([
      '--keys-file',
      file('keys.csv', some.map((key) => `org-logs,${encodeKey(key)}\n`).join('')),
    ])
    assert.equal(manifest.result?.objects, some.length, manifest.stderr)
  })

  it('may come from an editor of Windows', async () => {
    const { result, stderr } = await stage(['--keys-file', file('keys.txt', `\ufeff${some.join('\r\n')}\r\n`)])
    assert.equal(result?.objects, some.length, stderr)
  })

  it('fail for a key that is not there, by name', async () => {
    const { code, stderr } = await stage(['--keys-file', file('keys.txt', `${some.join('\n')}\nno/such key\n`)])
    assert.equal(code, 1)
    assert.match(stderr, /"no\/such key": named in/)
  })

  it('never lead out of the logs: such a key is refused, by name, whether others are there or not', async () => {
    const says =
      /"AWSLogs\/\.\.\/\.\.\/etc\/passwd": named in .*, but refused: it has the part "\.\.", and nothing outside/
    const out = 'AWSLogs/../../etc/passwd\n'
    const some = await stage(['--keys-file', file('keys.txt', `${odd}\n${out}`)])
    assert.equal(some.code, 1)
    assert.match(some.stderr, says)
    const none = await stage(['--keys-file', file('keys.txt', `${out}${'no/such key\n'}`)])
    assert.equal(none.code, 1)
    assert.match(none.stderr, /none of the \w+ logs that are named can be staged from /)
    assert.match(none.stderr, says)
    assert.match(none.stderr, /"no\/such key": named in .*, but not in the logs/)
  })

  const refused: [string, string, string, RegExp][] = [
    ['an empty file', 'keys.txt', '', /has no keys/],
    ['a manifest with a header', 'keys.csv', 'bucket,key,version\n', /line 1 is not bucket,key/],
    ['a manifest of bare keys', 'keys.csv', 'some/key\n', /line 1 is not bucket,key/],
  ]
  for (const [name, base, text, message] of refused)
    it(`refuse ${name}`, async () => {
      const { code, stderr } = await stage(['--keys-file', file(base, text)])
      assert.equal(code, 2)
      assert.match(stderr, message)
    })
})
