import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { plainEnvironment, runProgram, runScript, scriptPath } from '../support/run-script.ts'
import { simulatedLogs } from '../support/simulated.ts'
import { tempFolder } from '../support/temp.ts'
import { bytesOf, keysOf } from './read.ts'

/** Half a day, so that a file of the tests takes a moment only. */
const TINY = { accounts: 1, events: 300, from: '2026-03-02T00:00Z', to: '2026-03-02T12:00Z' }
const flagsFor = (events: number) => [
  ...['--source', 'cloudtrail', '--source', 'waf'],
  '--users',
  '24',
  '--accounts',
  '1',
  '--events',
  `${events}`,
  '--from',
  TINY.from,
  '--to',
  TINY.to,
]
const FLAGS = flagsFor(TINY.events)
const expected = bytesOf(await simulatedLogs(TINY))

async function simulate(logs: string, args: readonly string[] = FLAGS) {
  const ended = await runScript('simulate', ['--logs', logs, '--output', 'json', ...args])
  return { ...ended, json: ended.stdout === '' ? undefined : (JSON.parse(ended.stdout) as Record<string, unknown>) }
}

describe('simulate', () => {
  it('says what it wrote', async () => {
    const logs = join(tempFolder(), 'logs')
    const { json, code } = await simulate(logs)
    assert.equal(code, 0)
    const { objects, bytes, events, attacks, labels, repeated } = json ?? {}
    assert.equal(objects, (await keysOf(logs)).length)
    assert.ok(Number(bytes) > 0)
    assert.equal(attacks, 6 + 11)
    assert.equal(events, 2 * (300 + 4) + Number(attacks))
    assert.equal(labels, join(logs, 'labels.csv'))
    assert.equal(repeated, false)
    assert.deepEqual(bytesOf(logs), expected)
  })

  it('has other logs for another seed', async () => {
    const other = await simulatedLogs({ ...TINY, seed: 2 })
    const keys = new Set(await keysOf(await simulatedLogs(TINY)))
    const same = (await keysOf(other)).filter((key) => keys.has(key) && key.includes('/CloudTrail/'))
    assert.deepEqual(same, [])
  })

  it('writes only the sources that are asked for', async () => {
    const logs = await simulatedLogs({ ...TINY, sources: ['waf'] })
    assert.ok((await keysOf(logs)).every((key) => key.includes('/WAFLogs/')))
    assert.ok(
      readFileSync(join(logs, 'labels.csv'), 'utf8')
        .split('\n')
        .slice(1, -1)
        .every((line) => !line.startsWith('cloudtrail')),
    )
  })

  it('makes as many bytes as were asked for, about', async () => {
    const logs = await simulatedLogs({ ...TINY, sources: ['cloudtrail'], events: undefined, size: 5_000_000 })
    const { totals } = JSON.parse(readFileSync(join(logs, 'simulation.json'), 'utf8')) as {
      totals: { plainBytes: number }
    }
    assert.ok(totals.plainBytes > 4_500_000 && totals.plainBytes < 7_000_000, String(totals.plainBytes))
  })
})

describe('simulate, however much', () => {
  /** Most memory that it took, in MB. */
  async function peak(size: string): Promise<number> {
    const hook = `data:text/javascript,${encodeURIComponent(
      "process.on('exit', () => process._rawDebug('peak', process.resourceUsage().maxRSS))",
    )}`
    const args = ['--import', hook, scriptPath('simulate'), '--logs', tempFolder(), '--source', 'cloudtrail']
    const { stderr, code } = await runProgram(process.execPath, [...args, '--size', size])
    assert.equal(code, 0, stderr)
    return Number(/^peak (\d+)$/m.exec(stderr)?.[1]) / 1024
  }

  it('takes no more memory for more logs', async () => {
    const [few, many] = [await peak('5MB'), await peak('80MB')]
    assert.ok(few > 50 && many < few + 50, `${few} MB, then ${many} MB`)
  })
})

describe('simulate again', () => {
  it('with the same settings finds it done', async () => {
    const logs = tempFolder()
    await simulate(logs)
    const { json } = await simulate(logs)
    assert.equal(json?.repeated, true)
    assert.deepEqual(bytesOf(logs), expected)
  })

  it('completes what is missing', async () => {
    const logs = tempFolder()
    await simulate(logs)
    const keys = await keysOf(logs)
    for (const key of keys.filter((_, i) => i % 7 === 0 && !keys[i]?.endsWith('/'))) unlinkSync(join(logs, key))
    unlinkSync(join(logs, 'labels.csv'))
    const { json } = await simulate(logs)
    assert.equal(json?.repeated, false)
    assert.deepEqual(bytesOf(logs), expected)
  })

  for (const killedAt of [30, 200])
    it(`ends in the same bytes after a kill at ${killedAt} objects`, async () => {
      const logs = tempFolder()
      await interrupted(logs, holding(logs, killedAt), 'SIGKILL')
      const { code } = await simulate(logs)
      assert.equal(code, 0)
      assert.deepEqual(bytesOf(logs), expected)
    })

  it('stops cleanly on Ctrl-C, and resumes', async () => {
    const logs = tempFolder()
    const { code, stderr } = await interrupted(logs, holding(logs, 30), 'SIGINT')
    assert.equal(code, 130, stderr)
    await simulate(logs)
    assert.deepEqual(bytesOf(logs), expected)
  })

  it('with other settings refuses, and with --overwrite leaves nothing of the old ones', async () => {
    const logs = tempFolder()
    await simulate(logs, [...FLAGS, '--seed', '2'])
    writeFileSync(join(logs, 'notes.txt'), 'mine')
    const refused = await simulate(logs)
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /other settings[\s\S]*--overwrite/)
    assert.equal((await simulate(logs, [...FLAGS, '--overwrite'])).code, 0)
    const left = bytesOf(logs)
    assert.ok(left.delete('/notes.txt'))
    assert.deepEqual(left, expected)
  })

  it('keeps nothing of the old ones when a replacement is killed and started again without --overwrite', async () => {
    const logs = tempFolder()
    await simulate(logs, flagsFor(400))
    const begun = () => readFileSync(join(logs, 'simulation.json'), 'utf8').includes('"writing"')
    await interrupted(logs, begun, 'SIGKILL', ['--overwrite'])
    const { code, stderr } = await simulate(logs)
    assert.equal(code, 0, stderr)
    assert.deepEqual(bytesOf(logs), expected)
  })

  it('replaces a marker that is damaged only with --overwrite', async () => {
    const logs = tempFolder()
    await simulate(logs)
    writeFileSync(join(logs, 'simulation.json'), '{')
    assert.match((await simulate(logs)).stderr, /damaged[\s\S]*--overwrite/)
    assert.equal((await simulate(logs, [...FLAGS, '--overwrite'])).code, 0)
    assert.deepEqual(bytesOf(logs), expected)
  })
})

describe('simulate twice at once', () => {
  it('lets one write, and tells the other', async () => {
    const logs = join(tempFolder(), 'logs')
    const ended = await Promise.all([simulate(logs), simulate(logs), simulate(logs)])
    const [first, ...more] = ended.toSorted((a, b) => (a.code ?? 9) - (b.code ?? 9))
    assert.equal(first?.code, 0, first?.stderr)
    for (const { code, stderr, json } of more)
      if (code !== 0)
        assert.match(
          stderr,
          /^simulate: another process is at this folder: simulate, process \d+ on .*\n {2}wait for it/,
        )
      else assert.equal(json?.repeated, true)
    assert.deepEqual(bytesOf(logs), expected)
  })

  it('leaves alone what another one is writing', async () => {
    const logs = tempFolder()
    let second: Awaited<ReturnType<typeof simulate>> | undefined
    const writing = holding(logs, 30)
    await interrupted(logs, writing, 'SIGSTOP', [], async (child) => {
      second = await simulate(logs, [...FLAGS, '--overwrite'])
      child.kill('SIGCONT')
    })
    assert.equal(second?.code, 1, second?.stderr)
    assert.match(second?.stderr ?? '', /another process is at this folder/)
    assert.deepEqual(bytesOf(logs), expected)
  })
})

describe('simulate refuses', () => {
  it('a folder that it did not make', async () => {
    const logs = tempFolder()
    mkdirSync(join(logs, 'AWSLogs/111122223333'), { recursive: true })
    writeFileSync(join(logs, 'AWSLogs/111122223333/real.log'), 'real')
    const { code, stderr, stdout } = await simulate(logs)
    assert.deepEqual([stdout, code], ['', 2])
    assert.match(stderr, /not empty and was not made by simulate/)
    assert.equal((await simulate(logs, [...FLAGS, '--overwrite'])).code, 0)
    assert.equal(readFileSync(join(logs, 'AWSLogs/111122223333/real.log'), 'utf8'), 'real')
  })

  const table: [args: string[], message: RegExp][] = [
    [['--events', '10', '--size', '1MB'], /--events and --size exclude each other/],
    [['--size', 'big'], /--size "big": must be a size such as 400MB or 2.5GB/],
    [['--source', 'elb'], /must be one of cloudtrail, waf/],
    [['--from', '2026-03-04', '--to', '2026-03-04'], /window is empty/],
    [['--users', '0'], /from 1 to/],
    [['--logs', 's3://bucket'], /given twice/],
  ]
  for (const [args, message] of table)
    it(args.join(' '), async () => {
      const logs = join(tempFolder(), 'logs')
      const { code, stderr } = await simulate(logs, args)
      assert.equal(code, 2)
      assert.match(stderr, message)
      assert.equal(existsSync(logs), false)
    })

  it('a bucket, and a file', async () => {
    assert.match((await simulate('s3://bucket')).stderr, /simulate only writes into a folder/)
    const file = join(tempFolder(), 'file')
    writeFileSync(file, '')
    const { code, stderr } = await simulate(file)
    assert.equal(code, 2)
    assert.match(stderr, /is a file/)
  })
})

/** Whether a folder holds that many files and folders. */
const holding = (logs: string, files: number) => () => readdirSync(logs, { recursive: true }).length >= files

/** Sends a simulation a signal as soon as `when` is true, and waits for its end; `then` is done before. */
async function interrupted(
  logs: string,
  when: () => boolean,
  signal: NodeJS.Signals,
  more: readonly string[] = [],
  then: (child: ChildProcess) => Promise<void> = async () => {},
) {
  const child = spawn(process.execPath, [scriptPath('simulate'), '--logs', logs, ...FLAGS, ...more], {
    env: plainEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const ended = once(child, 'close')
  while (child.exitCode === null && !when()) await setTimeout(1)
  child.kill(signal)
  await then(child)
  const [code] = (await ended) as [number | null]
  return { code, stderr }
}
