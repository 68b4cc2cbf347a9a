import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isThorough } from '../../support/thorough.ts'

const FIXTURE = fileURLToPath(new URL('fixture/aborts.ts', import.meta.url))
/** An abort takes milliseconds. What takes longer than this hangs. */
const LIMIT_MS = 20_000

/** How many times: 130 in all with --all, and fewer otherwise. */
const scenarios: [what: string, aborts: number][] = isThorough
  ? [
      ['gzipped logs', 60],
      ['Zstandard logs', 20],
      ['question', 30],
      ['inventory', 20],
    ]
  : [
      ['gzipped logs', 24],
      ['Zstandard logs', 8],
      ['question', 12],
      ['inventory', 8],
    ]

/** How each of many aborts in one process ended. */
function aborts(scenario: string, count: number): Promise<string[]> {
  const ends: string[] = []
  const child = fork(FIXTURE, [scenario, String(count)])
  const kill = () => child.kill('SIGKILL')
  let limit = setTimeout(kill, 2 * LIMIT_MS)
  child.on('message', (end: string) => {
    ends.push(end)
    clearTimeout(limit)
    limit = setTimeout(kill, LIMIT_MS)
  })
  return new Promise((resolve, reject) => {
    child.on('exit', (code, signal) => {
      clearTimeout(limit)
      if (code === 0) resolve(ends)
      else reject(new Error(`the process ended with ${signal ?? code} at abort ${ends.length + 1}`))
    })
  })
}

describe('an abort at any moment ends what DuckDB does', () => {
  for (const [scenario, count] of scenarios)
    it(`${scenario}: ${count} times in one process`, async () => {
      const ends = await aborts(scenario, count)
      assert.deepEqual(new Set(ends.filter((end) => end !== 'done')), new Set(['stopped']))
    })
})
