import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Death } from '../sandbox/faults.ts'
import type { Sandbox } from '../sandbox/start.ts'
import { changesIn, isChange } from './changes.ts'
import type { Ended, RunOptions } from './run-script.ts'

type Strikes = Death['strikes']
type Start<T> = (options: RunOptions) => Promise<T>

interface Chain<T> {
  /** What the starts were killed after, in order. */
  readonly points: readonly string[]
  /** The start that came to its end. */
  readonly last: T
}

interface ChainSettings {
  /** Changes after which nobody is killed. Default: none */
  readonly spares?: (change: string) => boolean
  /** Looks at the sandbox after each kill. */
  readonly look?: (point: string) => void | Promise<void>
}

/**
 * Starts a program again and again. Each start is killed right after the first change that no start before it was killed after: done,
 * and not yet answered. Until one comes to its end. Between two changes a process only reads: killed there, it leaves what it leaves
 * right after the first of them.
 */
export async function killedAfterEachChange<T extends Ended>(
  sandbox: Sandbox,
  start: Start<T>,
  { spares = () => false, look = () => {} }: ChainSettings = {},
): Promise<Chain<T>> {
  const points: string[] = []
  const nameOf = changesIn(sandbox)
  const strikes: Strikes = async (call, reply) => {
    if (!isChange(call.operation) || reply.status >= 400) return false
    const change = await nameOf(call, reply)
    if (points.includes(change) || spares(change)) return false
    points.push(change)
    return true
  }
  const killed = () => look(points.at(-1) ?? '')
  return { points, last: await chained(sandbox, start, () => strikes, killed) }
}

/** One start, killed right after a change with this in its name. */
export async function killedAfter<T extends Ended>(sandbox: Sandbox, start: Start<T>, part: string): Promise<void> {
  const nameOf = changesIn(sandbox)
  const strikes: Strikes = async (call, reply) =>
    isChange(call.operation) && reply.status < 400 && (await nameOf(call, reply)).includes(part)
  const ended = await startWith(sandbox, start, deathBy(strikes))
  assert.equal(ended.signal, 'SIGKILL', ended.stderr)
}

/** The same, killed after so many requests of any kind, and so many more each time. */
export async function killedAfterMoreAndMore<T extends Ended>(
  sandbox: Sandbox,
  start: Start<T>,
  more: number,
): Promise<{ kills: number; last: T }> {
  let kills = 0
  const strikesAfter = (requests: number): Strikes => {
    let asked = 0
    return async () => {
      asked += 1
      return asked === requests
    }
  }
  const killed = () => {
    kills += 1
  }
  const last = await chained(sandbox, start, () => strikesAfter((kills + 1) * more), killed)
  return { kills, last }
}

/** More starts than any chain here has: one that comes to no end fails. */
const MOST = 300

async function chained<T extends Ended>(
  sandbox: Sandbox,
  start: Start<T>,
  strikesOfNext: () => Strikes,
  killed: () => void | Promise<void>,
): Promise<T> {
  for (let starts = 0; starts < MOST; starts++) {
    const death = deathBy(strikesOfNext())
    const ended = await startWith(sandbox, start, death)
    if (!death.isDead()) return ended
    assert.equal(ended.signal, 'SIGKILL', ended.stderr)
    await killed()
  }
  assert.fail(`${MOST} starts, and none came to its end`)
}

async function startWith<T>(sandbox: Sandbox, start: Start<T>, death: Death): Promise<T> {
  sandbox.faults.death = death
  const ended = await start({ killWhen: death.isDead })
  // What it had sent when it died may be read only now, and is not to be done either.
  if (death.isDead()) await quiet(sandbox)
  sandbox.faults.death = undefined
  return ended
}

/** What was created, updated or copied under one name was so once. */
export function assertDoneOnce(sandbox: Sandbox): void {
  const done = sandbox.requests.log().filter(({ operation, status }) => DOINGS.test(operation) && status === 200)
  const names = done.map(({ operation, resource }) => `${operation} ${resource}`)
  assert.deepEqual(names, [...new Set(names)])
  assert.deepEqual(sandbox.violations, [])
}

/** Jobs of S3 Batch Operations have no name when they are created: asked with one token they are one. */
const DOINGS = /^(Create(?!Job$)|UpdateEndpoint$|CopyObject$)/

/** Until nothing is being answered, nor comes for a while. */
async function quiet({ requests }: Sandbox): Promise<void> {
  do await sleep(10)
  while (requests.inFlight() > 0)
}

/** Asks of one call at a time whether it was the last. What is done beside it is not heard of either, what comes later not done. */
function deathBy(strikes: Strikes): Death {
  let isDead = false
  let before: Promise<unknown> = Promise.resolve()
  return {
    isDead: () => isDead,
    strikes: (call, reply) => {
      const struck = before.then(async () => {
        isDead = isDead || (await strikes(call, reply))
        return isDead
      })
      before = struck.catch(() => {})
      return struck
    },
  }
}
