import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { runProcess } from '../support/run-script.ts'
import { extract, pairsOf, stagedRun } from '../support/staged-run.ts'
import { tempFolder } from '../support/temp.ts'

const record = (n: number) => ({
  eventTime: `2026-03-02T${String(n % 24).padStart(2, '0')}:00:00Z`,
  eventID: `id-${n}`,
  requestParameters: { text: '}],{"Records":[' },
  sourceIPAddress: `8.8.${n >> 8}.${n & 255}`,
  userIdentity: { type: 'IAMUser', principalId: `AIDA${n % 7}` },
})
const records = Array.from({ length: 40 }, (_, n) => record(n))
const lines = records.map((r) => JSON.stringify(r))

const shapes: Record<string, string> = {
  'an envelope': JSON.stringify({ Records: records }),
  'an envelope with more in it': JSON.stringify({ version: '1', Records: records, more: [1] }, undefined, 2),
  'a list': JSON.stringify(records),
  lines: `${lines.join('\n')}\n`,
  'lines of Windows': lines.join('\r\n'),
  'objects without a break': lines.join(''),
  'several envelopes': lines.map((line) => `{"Records":[${line}]}`).join(''),
  'empty envelopes too': `{"Records":[]}${JSON.stringify({ Records: records })}{"Records":[]}`,
}

/** Node 20 cannot write zstd; DuckDB can. */
async function zstd(text: string): Promise<Uint8Array> {
  const connection = await (await DuckDBInstance.create()).connect()
  const path = join(tempFolder(), 'z')
  await connection.run(
    `COPY (SELECT '${text.replaceAll("'", "''")}') TO '${path}' (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01', COMPRESSION zstd)`,
  )
  return readFileSync(path)
}

const packings: Record<string, (text: string) => Promise<Uint8Array>> = {
  plain: async (text) => Buffer.from(text),
  gzip: async (text) => gzipSync(text),
  'gzip in two members': async (text) => Buffer.concat([gzipSync(text.slice(0, 100)), gzipSync(text.slice(100))]),
  zstd,
}

const expected = records.map((r) => `${r.userIdentity.principalId} ${r.sourceIPAddress}`).sort()

describe('log files', () => {
  for (const [shape, text] of Object.entries(shapes))
    it(`of the shape "${shape}" are read in every packing, whatever their names say`, async () => {
      const files = Object.fromEntries(
        await Promise.all(
          Object.entries(packings).map(async ([name, pack], i) => [`${name}-${i}.json.gz`, await pack(text)] as const),
        ),
      )
      const workspace = tempFolder()
      const run = await stagedRun(workspace, files)
      const { result, stderr } = await extract(workspace, ['--holdout', '0'])
      assert.ok(result, stderr)
      assert.deepEqual(
        pairsOf(run, 'train'),
        Object.keys(packings)
          .flatMap(() => expected)
          .sort(),
      )
    })

  it('are read whatever their names', async () => {
    const names = ["a'b.json", 'c"d', 'e*f?[g].json', '{h,i}', 'j\nk', 'l%m', '-n', 'ü 東', '$(o)']
    const workspace = tempFolder()
    const packed = await zstd(shapes.lines ?? '')
    const run = await stagedRun(
      workspace,
      Object.fromEntries(
        names.flatMap((name) => [
          [name, shapes.lines ?? ''],
          [`${name}.zst`, packed],
        ]),
      ),
    )
    const { result, stderr } = await extract(workspace, ['--holdout', '0'])
    assert.ok(result, stderr)
    assert.equal(pairsOf(run, 'train').length, names.length * 2 * records.length)
  })

  it('give the same bytes in whatever order they come', async () => {
    const bytes = async (files: Record<string, string>) => {
      const workspace = tempFolder()
      const run = await stagedRun(workspace, files)
      await extract(workspace)
      return ['pairs/train/part-00000.csv', 'pairs/holdout/part-00000.csv', 'entities.csv', 'times/part-00000.csv'].map(
        (file) => readFileSync(run.path(file), 'utf8'),
      )
    }
    const [half, rest] = [lines.slice(0, 20).join('\n'), lines.slice(20).join('\n')]
    assert.deepEqual(await bytes({ a: half, b: rest }), await bytes({ b: half, a: rest }))
  })

  it('with a record that is no JSON are told from others, whatever line breaks these have', async () => {
    const headers = [{ name: 'User-Agent', value: 'a\u2028b' }]
    const good = { timestamp: 1_772_445_600_000, httpRequest: { clientIp: '8.8.4.4', headers } }
    const files = {
      'good.log': JSON.stringify(good, undefined, 2).replaceAll('\n', '\r\n'),
      'worse.log': '{"timestamp":1.2.3}',
    }
    const workspace = tempFolder()
    await stagedRun(workspace, files, { source: 'waf' })
    const { stderr, code } = await extract(workspace, ['--holdout', '0'])
    assert.equal(code, 1)
    assert.match(stderr, /worse\.log/)
    assert.doesNotMatch(stderr, /good\.log|bug/)
  })

  it('that are empty are no records', async () => {
    const workspace = tempFolder()
    const run = await stagedRun(workspace, { a: '', b: shapes.lines ?? '', c: gzipSync('') })
    await extract(workspace, ['--holdout', '0'])
    assert.equal(pairsOf(run, 'train').length, records.length)
  })
})

describe('a file that cannot be read', () => {
  const good = JSON.stringify({ Records: records })
  const packed = gzipSync(good)
  const flipped = Buffer.from(packed)
  flipped[packed.length >> 1] = (flipped[packed.length >> 1] ?? 0) ^ 0xff
  const bad: [string, string | Uint8Array][] = [
    ['a gzip cut short', packed.subarray(0, packed.length - 20)],
    ['a gzip with a wrong byte', flipped],
    ['a gzip with something behind it', Buffer.concat([packed, Buffer.from('tail')])],
    ['JSON cut short', good.slice(0, -40)],
    ['text', 'this is no log'],
    ['a page of HTML', '<html><body>404</body></html>'],
    ['bytes that are no text', Buffer.from('{"eventTime":"\xff\xfe"}', 'latin1')],
  ]
  for (const [name, content] of bad)
    it(`(${name}) is named and fails the step; left out, it is counted and listed`, async () => {
      const workspace = tempFolder()
      const run = await stagedRun(workspace, { 'a/good.json': good, 'b/bad one.json.gz': content, 'c/good.json': good })
      const { code, stderr } = await extract(workspace, ['--holdout', '0'])
      assert.equal(code, 1, stderr)
      assert.match(stderr, /"b\/bad one\.json\.gz": /)
      assert.equal(existsSync(run.path('entities.csv')), false)
      const { result, stderr: warned } = await extract(workspace, ['--holdout', '0', '--skip-bad-files'])
      assert.deepEqual(
        result?.skippedFiles.map(({ path }: { path: string }) => path),
        ['b/bad one.json.gz'],
        warned,
      )
      assert.match(warned, /warning: left out "b\/bad one\.json\.gz"/)
      assert.deepEqual(pairsOf(run, 'train'), [...expected, ...expected].sort())
    })

  it('or that is missing is noticed before anything is believed', async () => {
    const workspace = tempFolder()
    const run = await stagedRun(workspace, { a: good, b: good })
    rmSync(run.path('staged/b'))
    const { code, stderr } = await extract(workspace)
    assert.equal(code, 1)
    assert.match(stderr, /2 objects were staged, 1 is there/)
  })
})

describe('extract', () => {
  it('of nothing usable is an error that says why', async () => {
    const workspace = tempFolder()
    await stagedRun(workspace, { a: JSON.stringify({ Records: [{ ...record(1), sourceIPAddress: '2600::1' }] }) })
    const { code, stderr } = await extract(workspace)
    assert.equal(code, 1)
    assert.match(stderr, /none of 1 record is a pair\s+ipv6: 1\s+try another --entity/)
  })

  it('of records that are no logs of the source asks for a look into a file', async () => {
    const workspace = tempFolder()
    const exported = { timestamp: 1772409600000, message: JSON.stringify(record(1)) }
    const converted = { ...record(1), eventTime: undefined, '@timestamp': '2026-03-02T10:00:00Z' }
    await stagedRun(workspace, { a: `${JSON.stringify(exported)}\n${JSON.stringify(converted)}\n` })
    const { code, stderr } = await extract(workspace)
    assert.equal(code, 1)
    assert.match(stderr, /none of 2 records is a pair\s+no-event-time: 1\s+unreadable-record: 1\s+look into a file/)
  })

  it('of a burst at the end of a quiet window holds all pairs out, and says so', async () => {
    const workspace = tempFolder()
    const late = records.slice(0, 5).map((one) => ({ ...one, eventTime: '2026-03-02T23:00:00Z' }))
    const run = await stagedRun(workspace, { a: JSON.stringify({ Records: late }) })
    const { code, result, stderr } = await extract(workspace)
    assert.equal(code, 0, stderr)
    assert.deepEqual([result.trainPairs, result.holdoutPairs, result.entities], [0, 5, 0])
    assert.match(stderr, /warning: all 5 pairs are from 2026-03-02T19:12:00\.000Z on and held out/)
    assert.doesNotMatch(stderr, /next: /)
    assert.deepEqual([pairsOf(run, 'train').length, pairsOf(run, 'holdout').length], [0, 5])
    assert.equal(readFileSync(run.path('entities.csv'), 'utf8'), '')
    assert.equal((await extract(workspace)).result.repeated, true)
  })

  it('done before is reported; with other settings it is refused until told', async () => {
    const workspace = tempFolder()
    await stagedRun(workspace, { a: shapes.list ?? shapes['a list'] ?? '' })
    await extract(workspace)
    assert.equal((await extract(workspace)).result.repeated, true)
    const refused = await extract(workspace, ['--entity', 'principal-session'])
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /--overwrite/)
    assert.equal(
      (await extract(workspace, ['--entity', 'principal-session', '--overwrite'])).result.entity,
      'principal-session',
    )
  })

  it('killed at any moment and started again gives the same bytes', async () => {
    const many = Array.from({ length: 60 }, (_, f) => [
      `f${f}.json.gz`,
      gzipSync(JSON.stringify({ Records: Array.from({ length: 400 }, (_, n) => record(f * 400 + n)) })),
    ])
    const files = Object.fromEntries(many) as Record<string, Uint8Array>
    const fingerprint = (folder: string) => {
      const hash = createHash('sha256')
      const found = readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.csv$/.test(name))
        .sort()
      for (const name of found) hash.update(name).update(readFileSync(join(folder, name)))
      return `${found.length} ${hash.digest('hex')}`
    }
    const calm = tempFolder()
    const whole = await stagedRun(calm, files)
    assert.equal((await extract(calm)).code, 0)
    const troubled = tempFolder()
    const run = await stagedRun(troubled, files)
    let killed = 0
    for (const after of [300, 450, 600, 750]) {
      const ended = await runProcess('extract', ['--workspace', troubled, '--overwrite'], {
        onStderr: (soFar, kill) => {
          if (soFar !== '') setTimeout(() => kill('SIGKILL'), (after - 300) / 4)
        },
      })
      if (ended.signal === 'SIGKILL') killed += 1
    }
    assert.ok(killed > 0, 'no attempt was killed in time')
    const healed = await extract(troubled)
    assert.equal(healed.code, 0, healed.stderr)
    assert.equal(fingerprint(run.path('')), fingerprint(whole.path('')))
    assert.equal(existsSync(join(run.path('tmp'), 'extract')), false)
  })
})
