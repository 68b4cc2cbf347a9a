import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { Loading } from '../../scripts/lib/engines/duckdb/duckdb.ts'
import { type LogFile, type ReadSettings, readRecords } from '../../scripts/lib/engines/records/index.ts'
import type { Part } from '../../scripts/lib/engines/records/parts.ts'
import { Readers } from '../../scripts/lib/engines/records/threads.ts'
import { extract, stagedRun } from '../support/staged-run.ts'
import { tempFolder } from '../support/temp.ts'

/** A line that is long, so that few of them fill a part. */
const line = (n: number) =>
  JSON.stringify({
    eventTime: `2026-03-02T${String(n % 24).padStart(2, '0')}:00:00Z`,
    eventID: `id-${n >> 1}`,
    sourceIPAddress: `8.8.${(n >> 8) & 255}.${n & 255}`,
    userIdentity: { type: 'IAMUser', principalId: `AIDA${n % 7}`, arn: 'a'.repeat(4000) },
  })
const logOf = (from: number, records: number) =>
  gzipSync(Array.from({ length: records }, (_, n) => line(from + n)).join('\n'), { level: 1 })

/** Three files whose records fill more than one part of each thread. */
const large = Object.fromEntries(Array.from({ length: 3 }, (_, f) => [`f${f}.json.gz`, logOf(f * 6000, 6000)]))

describe('any number of threads', () => {
  for (const args of [[], ['--dedupe']])
    it(`gives the same bytes ${args.join(' ')}`, async () => {
      const workspace = tempFolder()
      const run = await stagedRun(workspace, large)
      const outputs: string[] = []
      for (const threads of ['1', '2', '7']) {
        const { result, stderr } = await extract(workspace, ['--overwrite', '--threads', threads, ...args])
        assert.ok(result, stderr)
        assert.equal(result.events, 18_000)
        assert.equal(result.pairs, args.length === 0 ? 18_000 : 9000)
        outputs.push(
          ['pairs/train/part-00000.csv', 'pairs/holdout/part-00000.csv', 'entities.csv']
            .map((file) => readFileSync(run.path(file), 'utf8'))
            .join('\n'),
        )
      }
      assert.equal(new Set(outputs).size, 1)
    })

  it('names the first of several bad files, always the same', async () => {
    const workspace = tempFolder()
    const bad = Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`b${n}.json`, 'no log']))
    await stagedRun(workspace, { ...bad, 'a.json.gz': logOf(0, 2000) })
    for (const threads of ['1', '4']) {
      const { code, stderr } = await extract(workspace, ['--threads', threads])
      assert.equal(code, 1)
      assert.match(stderr, /a log file cannot be read to the end:\s+"b0\.json": /)
      assert.doesNotMatch(stderr, /"b[1-7]/)
    }
  })
})

/** Reads files in this process. */
async function recordsOf(files: readonly LogFile[], change: Partial<ReadSettings> = {}) {
  const readers = await Readers.start(2)
  try {
    return await readRecords(files, {
      prefix: join(tempFolder(), 'records'),
      members: ['eventID'],
      bad: [],
      failFast: true,
      readers,
      unpack: () => {
        throw new Error('no Zstandard here')
      },
      signal: new AbortController().signal,
      onFiles: () => {},
      onPart: () => {},
      ...change,
    })
  } finally {
    await readers.stop()
  }
}

function filesIn(contents: Readonly<Record<string, string | Uint8Array>>): LogFile[] {
  const folder = tempFolder()
  return Object.entries(contents).map(([key, content]) => {
    const path = join(folder, key)
    writeFileSync(path, content)
    return { key, path, size: content.length }
  })
}

describe('the records of log files', () => {
  it('tells each part with the files and records that are in it', async () => {
    const told: Part[] = []
    const files = filesIn({ a: line(1), b: `${line(2)}\n${line(3)}`, c: 'no log', d: '' })
    const { parts, records, bad } = await recordsOf(files, { failFast: false, onPart: (part) => told.push(part) })
    assert.deepEqual(told, parts)
    assert.equal(records, 3)
    assert.deepEqual(
      bad.map(({ key }) => key),
      ['c'],
    )
    const lines = parts.flatMap(({ path }) => readFileSync(path, 'utf8').split('\n').slice(0, -1)).sort()
    assert.deepEqual(lines, ['{"eventID":"id-0"}', '{"eventID":"id-1"}', '{"eventID":"id-1"}'])
    const counted = parts.flatMap((part) => part.files).map(({ key, records: n }) => `${key} ${n}`)
    assert.deepEqual(counted.sort(), ['a 1', 'b 2', 'd 0'])
  })

  it('counts the files while they are read: the last one can only be read after the first is counted', async () => {
    const files = filesIn({ a: line(1), b: 'no log' })
    const last = { key: 'c', path: join(tempFolder(), 'c'), size: 9 }
    execFileSync('mkfifo', [last.path])
    // A pipe can only be opened together by its reader and its writer.
    const fill = () => void writeFile(last.path, line(2))
    const patience = setTimeout(fill, 20_000)
    let counted = 0
    const onFiles = (more: number) => {
      if (counted === 0) {
        clearTimeout(patience)
        fill()
      }
      counted += more
    }
    assert.equal((await recordsOf([...files, last], { failFast: false, onFiles })).records, 2)
    assert.equal(counted, 3)
  })

  it('of no files is one part without records', async () => {
    const { parts, records } = await recordsOf([])
    assert.deepEqual([parts.length, records], [1, 0])
  })

  it('fails with the name of the file that the system cannot read', async () => {
    const [file] = filesIn({ 'a\nfile': line(1) })
    const gone = { key: 'gone\n', path: `${file?.path}-gone`, size: 9 }
    await assert.rejects(recordsOf([gone]), { code: 'ENOENT', syscall: 'open', message: /^"gone\\n": ENOENT/ })
  })

  it('stops its threads when it is told to', async () => {
    const stop = new AbortController()
    // Each of them fills a part.
    const content = logOf(0, 4500)
    const files = filesIn(Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`f${n}`, content])))
    const parts: Part[] = []
    const onPart = (part: Part) => {
      parts.push(part)
      stop.abort()
    }
    const members = ['userIdentity']
    await assert.rejects(recordsOf(files, { members, signal: stop.signal, onPart }))
    const read = parts.flatMap((part) => part.files).length
    assert.ok(read > 0 && read < files.length, `${read} files were read`)
  })
})

describe('loading', () => {
  const loads = () => {
    const calls: (readonly string[])[] = []
    const loading = new Loading(async (paths) => {
      calls.push(paths)
      await new Promise(setImmediate)
    })
    return { calls, loading }
  }

  it('goes on with what has come meanwhile', async () => {
    const { calls, loading } = loads()
    for (const path of ['a', 'b', 'c']) loading.add(path)
    await loading.settled()
    loading.add('d')
    await loading.end()
    assert.deepEqual(calls, [['a'], ['b', 'c'], ['d']])
  })

  it('fails at the end, and loads no more after a failure', async () => {
    const calls: (readonly string[])[] = []
    const loading = new Loading(async (paths) => {
      calls.push(paths)
      throw new Error('no space')
    })
    loading.add('a')
    await loading.settled()
    loading.add('b')
    await assert.rejects(loading.end(), /no space/)
    assert.deepEqual(calls, [['a']])
  })
})
