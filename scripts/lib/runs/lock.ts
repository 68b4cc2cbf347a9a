import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { UserError } from '../cli/errors.ts'
import { ConditionFailed, type Store, type WriteOptions } from '../stores/store.ts'
import { paths } from './paths.ts'

interface Holder {
  readonly token: string
  readonly host: string
  readonly pid: number
  readonly step: string
}

/** A holder on another machine that has not shown itself for this long is taken for dead. */
const SILENCE_MS = 10 * 60_000
const BEAT_MS = 60_000

/** Tokens of the locks that this process holds: its number alone may be that of a dead predecessor in a container. */
const held = new Set<string>()

/**
 * Runs `work` while holding the lock of a run, or of another place that only one process may write to.
 * @param place what it is, in a word
 * @throws UserError when another live process holds it
 */
export async function withLock<T>(store: Store, step: string, work: () => Promise<T>, place = 'run'): Promise<T> {
  const mine: Holder = { token: randomUUID(), host: hostname(), pid: process.pid, step }
  held.add(mine.token)
  try {
    await take(store, mine, place)
    const stopBeating = keepBeating(store, mine)
    try {
      return await work()
    } finally {
      await stopBeating()
      await release(store, mine)
    }
  } finally {
    held.delete(mine.token)
  }
}

/** Takes away a lock that a dead process has left, where there is one. Whoever may only read leaves it there. */
export async function clearDeadLock(store: Store): Promise<void> {
  try {
    const { holder, etag } = await read(store)
    // Taken over first, in the name of the step that it was of: somebody else may be about to.
    if (etag !== undefined && !(holder && isAlive(holder))) await withLock(store, holder?.step ?? '', async () => {})
  } catch {}
}

/** Returns how to stop: a beat under way is waited for, else it would put the lock back after its removal. */
function keepBeating(store: Store, mine: Holder): () => Promise<void> {
  let beating: Promise<void> = Promise.resolve()
  const timer = setInterval(() => {
    beating = beat(store, mine).catch(() => {})
  }, BEAT_MS)
  timer.unref()
  return () => {
    clearInterval(timer)
    return beating
  }
}

const put = (store: Store, holder: Holder, condition?: WriteOptions) =>
  store.write(paths.lock, JSON.stringify({ ...holder, beat: new Date().toISOString() }), condition)

async function take(store: Store, mine: Holder, place: string): Promise<void> {
  try {
    await put(store, mine, { ifAbsent: true })
    return
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error
  }
  const { holder, etag } = await read(store)
  if (holder !== undefined && isAlive(holder))
    throw new UserError(
      `another process is at this ${place}: ${holder.step}, process ${holder.pid} on ${holder.host}`,
      {
        hint: `wait for it, or if it is gone, delete ${store.uriOf(paths.lock)}`,
      },
    )
  if (etag !== undefined && (await replaces(store, mine, etag))) return
  return take(store, mine, place)
}

/** Two processes may find the same dead lock: the one whose token stays has it. */
async function replaces(store: Store, mine: Holder, etag: string): Promise<boolean> {
  try {
    await put(store, mine, { ifMatch: etag })
  } catch (error) {
    if (error instanceof ConditionFailed) return false
    throw error
  }
  await sleep(100)
  return (await read(store)).holder?.token === mine.token
}

async function beat(store: Store, mine: Holder): Promise<void> {
  const { holder, etag } = await read(store)
  // After a long sleep of this machine the lock may be somebody else's.
  if (holder?.token === mine.token && etag !== undefined) await put(store, mine, { ifMatch: etag })
}

/** Never hides how the work ended: a lock that stays is taken over once this process is gone. */
async function release(store: Store, mine: Holder): Promise<void> {
  try {
    if ((await read(store)).holder?.token === mine.token) await store.remove(paths.lock)
  } catch {}
}

/** The ETag is read first, so that what is replaced by it is at least as old as what was judged. */
async function read(store: Store): Promise<{ holder?: Holder & { beat: string }; etag?: string }> {
  const etag = (await store.head(paths.lock))?.etag
  const text = await store.text(paths.lock)
  if (text === undefined || etag === undefined) return {}
  try {
    const holder = JSON.parse(text) as (Holder & { beat: string }) | null
    return { ...(typeof holder === 'object' && holder !== null && { holder }), etag }
  } catch {
    return { etag }
  }
}

function isAlive(holder: Holder & { beat: string }): boolean {
  if (holder.host !== hostname()) return Date.now() - Date.parse(holder.beat) < SILENCE_MS
  if (holder.pid === process.pid) return held.has(holder.token)
  try {
    process.kill(holder.pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
