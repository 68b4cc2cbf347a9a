import { randomUUID } from 'node:crypto'
import { UserError } from '../cli/errors.ts'
import type { Host } from '../cli/host.ts'
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

/** Who locks, and how it pauses. */
export type Locker = Pick<Host, 'owner' | 'sleep'>

interface Purpose extends Locker {
  readonly step: string
  /** What is locked, in a word. Default: run */
  readonly place?: string
}

/** Tokens of the locks that are held here: an owner's number alone may be that of a dead predecessor in a container. */
const held = new Set<string>()

/**
 * Runs `work` while holding the lock of a run, or of another place that only one process may write to.
 * @throws UserError when another live process holds it
 */
export async function withLock<T>(store: Store, purpose: Purpose, work: () => Promise<T>): Promise<T> {
  const { owner, step } = purpose
  const mine: Holder = { token: randomUUID(), host: owner.host, pid: owner.pid, step }
  held.add(mine.token)
  try {
    await take(store, mine, purpose)
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
export async function clearDeadLock(store: Store, locker: Locker): Promise<void> {
  try {
    const { holder, etag } = await read(store)
    // Taken over first, in the name of the step that it was of: somebody else may be about to.
    if (etag === undefined || (holder && isAlive(holder, locker))) return
    await withLock(store, { ...locker, step: holder?.step ?? '' }, async () => {})
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

async function take(store: Store, mine: Holder, purpose: Purpose): Promise<void> {
  try {
    await put(store, mine, { ifAbsent: true })
    return
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error
  }
  const { holder, etag } = await read(store)
  if (holder !== undefined && isAlive(holder, purpose))
    throw new UserError(
      `another process is at this ${purpose.place ?? 'run'}: ${holder.step}, process ${holder.pid} on ${holder.host}`,
      {
        hint: `wait for it, or if it is gone, delete ${store.uriOf(paths.lock)}`,
      },
    )
  if (etag !== undefined && (await replaces(store, mine, etag, purpose))) return
  return take(store, mine, purpose)
}

/** Two processes may find the same dead lock: the one whose token stays has it. */
async function replaces(store: Store, mine: Holder, etag: string, { sleep }: Locker): Promise<boolean> {
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

function isAlive(holder: Holder & { beat: string }, { owner }: Locker): boolean {
  if (holder.host !== owner.host) return Date.now() - Date.parse(holder.beat) < SILENCE_MS
  return holder.pid === owner.pid ? held.has(holder.token) : owner.isAlive(holder.pid)
}
